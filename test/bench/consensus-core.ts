/** (a) The pure core: what one command costs in `step` and in judging its commit, without any store. */
import { commandId, logIndex, type RegionId, term } from '../../lib/base/identifiers.ts';
import { appendFor, committedIndex } from '../../lib/consensus/progress.ts';
import { applyEntries, emptyReplica } from '../../lib/consensus/replica.ts';
import { type Command, pristineServer, type Server } from '../../lib/consensus/server.ts';
import { step } from '../../lib/consensus/step.ts';
import { sha256 } from '../../lib/local/system-clock.ts';
import { type Benchmark, nanosecondsPer } from './measure.ts';
import { COUNTER } from './processes.ts';
import { EAST_1, EAST_2, identityOf, WEST_2 } from './regions.ts';

const BATCH = 100;
const TERM = term(1);

export function benchCore(): Benchmark {
  const commands = Array.from({ length: BATCH }, (_, place) => commandOf(place));
  const leader = serverIn(EAST_1);
  const batch = committed(leader, commands);
  const replica = emptyReplica(COUNTER);
  const options = { machine: COUNTER, sha256 };
  return {
    coreAloneNs: nanosecondsPer(() => committed(leader, commands.slice(0, 1))),
    coreBatchedNsPerCommand: Math.round(nanosecondsPer(() => committed(leader, commands)) / BATCH),
    applyWithHashChainNsPerCommand: Math.round(
      nanosecondsPer(() => applyEntries(replica, batch.entries, options)) / BATCH,
    ),
  };
}

/** Propose, append at both followers, and the judgement that it is committed. */
function committed(leader: Server, commands: readonly Command[]): Server {
  const proposed = step(leader, { kind: 'propose', term: TERM, commands, commit: leader.base });
  const followers = FOLLOWERS.map((follower) => {
    const append = appendFor(proposed.server, follower, logIndex(0));
    return append === null ? follower : step(follower, append).server;
  });
  if (committedIndex(proposed.server, followers) !== commands.length) {
    throw new Error('the commands are not committed');
  }
  return proposed.server;
}

function serverIn(region: RegionId): Server {
  const leaderOf = region === EAST_1 ? TERM : term(0);
  return { ...pristineServer(identityOf(region)), term: TERM, votedFor: EAST_1, leaderOf };
}

const FOLLOWERS: readonly Server[] = [EAST_2, WEST_2].map(serverIn);

function commandOf(place: number): Command {
  const text = 'x'.repeat(100);
  return { id: commandId(`command-${place}`), basis: logIndex(0), body: { text } };
}
