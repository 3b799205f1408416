/**
 * What the log costs: the pure core alone and in batches, and a commit over real stores against the
 * two writes that no protocol can avoid (leader, then one follower), made without us.
 */
import { createRegisterStore } from '../../lib/aws/dynamodb/register-store.ts';
import { commandId, logIndex, type RegionId, regionId, term } from '../../lib/base/identifiers.ts';
import { bootstrapCluster } from '../../lib/consensus/bootstrap.ts';
import { createCluster } from '../../lib/consensus/cluster.ts';
import { elect } from '../../lib/consensus/elector.ts';
import { LogHost } from '../../lib/consensus/log-host.ts';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import { applyEntries, emptyReplica } from '../../lib/consensus/replica.ts';
import type { Command, Server } from '../../lib/consensus/server.ts';
import { LOCAL_TIMINGS } from '../../lib/consensus/settings.ts';
import { step } from '../../lib/consensus/step.ts';
import { SYSTEM_CLOCK, sha256 } from '../../lib/local/system-clock.ts';
import { LEDGER_MACHINE } from '../../lib/simulation/ledger.ts';
import { embeddedTable } from '../support/dynamodb.ts';
import { type Benchmark, median, millisecondsOf, nanosecondsPer, quantile } from './measure.ts';

const REGIONS: readonly RegionId[] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);
const BATCH = 100;
const COMMITS = 100;

export async function benchConsensus(): Promise<Benchmark> {
  return { ...benchCore(), ...(await benchCommits()) };
}

/** Propose, append at a follower, apply: all of the pure work of one command. */
function benchCore(): Benchmark {
  const leader = leading(regionId('us-east-1'));
  const follower = { ...leader, identity: identityOf(regionId('us-east-2')), leaderOf: term(0) };
  const work = (batch: readonly Command[]) => () => {
    const proposed = step(leader, {
      kind: 'propose',
      term: term(1),
      commands: batch,
      commit: leader.base,
    });
    step(follower, {
      kind: 'append',
      term: term(1),
      leader: regionId('us-east-1'),
      previous: leader.base,
      entries: proposed.server.entries,
      commitIndex: logIndex(0),
    });
  };
  const commands = Array.from({ length: BATCH }, (_, i) => commandOf(i));
  const proposed = step(leader, { kind: 'propose', term: term(1), commands, commit: leader.base });
  const replica = emptyReplica(LEDGER_MACHINE);
  const options = { machine: LEDGER_MACHINE, sha256 };
  return {
    stepAloneNs: nanosecondsPer(work(commands.slice(0, 1))),
    stepBatchedNsPerCommand: Math.round(nanosecondsPer(work(commands)) / BATCH),
    applyWithHashChainNsPerCommand: Math.round(
      nanosecondsPer(() => applyEntries(replica, proposed.server.entries, options)) / BATCH,
    ),
  };
}

async function benchCommits(): Promise<Benchmark> {
  const tables = await Promise.all(REGIONS.map(() => embeddedTable()));
  const registers: readonly RegisterPort[] = tables.map(({ client, tableName }, i) =>
    createRegisterStore({
      client,
      tableName,
      identity: identityOf(REGIONS[i] ?? regionId('none')),
    }),
  );
  await bootstrapCluster({ registers, clusterId: 'bench', members: REGIONS });
  const cluster = createCluster({
    identity: identityOf(REGIONS[0] ?? regionId('none')),
    registers,
    timings: LOCAL_TIMINGS,
    clock: SYSTEM_CLOCK,
    random: () => 0.5,
    log: () => undefined,
  });
  const host = new LogHost({ cluster, machine: LEDGER_MACHINE, sha256 });
  const election = await elect(cluster);
  if (election.kind !== 'won') {
    throw new Error(`no election: ${election.kind}`);
  }
  await host.lead(election.leader);
  const commit = await millisecondsOf(COMMITS, (call) =>
    host.propose(commandId(`bench-${call}`), { text: 'x'.repeat(100) }),
  );
  const raw = await rawWrites(registers);
  await Promise.all(tables.map(({ close }) => close()));
  return {
    commitMedianMs: round(median(commit)),
    commitP99Ms: round(quantile(commit, 0.99)),
    rawTwoWritesMedianMs: round(median(raw)),
    commitOverRaw: round(median(commit) / median(raw)),
  };
}

/** Baseline: the leader's write, then one follower's, of registers of the same size. */
async function rawWrites(registers: readonly RegisterPort[]): Promise<readonly number[]> {
  const [first, second] = registers;
  if (first === undefined || second === undefined) {
    throw new Error('needs two registers');
  }
  return millisecondsOf(COMMITS, async () => {
    for (const register of [first, second]) {
      const read = cached.get(register) ?? (await register.read());
      if (read.kind === 'found') {
        const { revision, server } = read.copy;
        await register.compareAndSet(revision, server);
        cached.set(register, { kind: 'found', copy: { revision: revision + 1, server } });
      }
    }
  });
}

const cached = new Map<RegisterPort, Awaited<ReturnType<RegisterPort['read']>>>();

function commandOf(i: number): Command {
  return { id: commandId(`command-${i}`), basis: logIndex(0), body: { text: 'x'.repeat(100) } };
}

function leading(region: RegionId): Server {
  return {
    identity: identityOf(region),
    term: term(1),
    votedFor: regionId('us-east-1'),
    leaderOf: term(1),
    base: { index: logIndex(0), term: term(0) },
    entries: [],
    commitIndex: logIndex(0),
  };
}

function identityOf(region: RegionId) {
  return { clusterId: 'bench', region, members: REGIONS };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
