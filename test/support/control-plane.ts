/**
 * One control region without a network: the real reducer, replica, ingest and observer over memory,
 * with a log that commits at once.
 *
 * What it leaves out is consensus. Faults that only consensus has (no quorum, an open outcome) are
 * switched on by the test.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/base/clock.ts';
import {
  type CommandId,
  commandId,
  type LogIndex,
  logIndex,
  regionId,
  type Term,
  term,
} from '../../lib/base/identifiers.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import { ownValue } from '../../lib/base/own-value.ts';
import { applyEntries, bodyDigest, emptyReplica } from '../../lib/consensus/replica.ts';
import type { Base } from '../../lib/consensus/server.ts';
import type { CommandResult, ControlCommand } from '../../lib/control/commands.ts';
import type {
  CommandLookup,
  CommandOutcome,
  ControlPlane,
  LogEntryView,
  LogPage,
} from '../../lib/control/control-plane.ts';
import { Ingest } from '../../lib/control/ingest.ts';
import { createControlMachine, reduce } from '../../lib/control/machine.ts';
import { Observer } from '../../lib/control/observe.ts';
import { MemoryHealthTable, memoryHealthStore } from '../../lib/simulation/memory-health-store.ts';

export const REGIONS = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);

export type LogFault = 'none' | 'no-quorum' | 'outcome-open' | 'throws';

export interface MemoryPlane extends ControlPlane {
  /** What happens to commands from now on. */
  readonly setFault: (fault: LogFault) => void;
  /** Heartbeats are not stored from now on. */
  readonly setHealthDown: (isDown: boolean) => void;
  /** Entries up to here are forgotten by this plane's log. */
  readonly compact: (upTo: number) => void;
  readonly writeReport: (run: string, report: { json: string; markdown: string }) => void;
  /** One round of the observer of this region; its verdicts are committed. */
  readonly observe: () => Promise<void>;
  readonly commit: (command: ControlCommand) => Promise<CommandResult>;
  readonly listenerCount: () => number;
  readonly entryCount: () => number;
}

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const TERM: Term = term(3);

export function createMemoryPlane(clock: Clock): MemoryPlane {
  const [region = regionId('us-east-1')] = REGIONS;
  const machine = createControlMachine(REGIONS);
  const listeners = new Set<() => void>();
  const reports = new Map<string, { json: string; markdown: string }>();
  const entries: LogEntryView[] = [];
  let replica = emptyReplica(machine);
  let fault: LogFault = 'none';
  let isHealthDown = false;
  let compactedUpTo = 0;
  let commands = 0;
  const store = memoryHealthStore(new MemoryHealthTable());
  const health = {
    ...store,
    write: (...args: Parameters<typeof store.write>) =>
      isHealthDown
        ? Promise.resolve({ kind: 'unknown' as const, cause: 'table is down' })
        : store.write(...args),
  };
  const ingest = new Ingest(health, () => replica.state);
  const observer = new Observer({ region, health, clock, takeStoreErrors: () => 0 });
  const next = (): Base => ({ index: logIndex(replica.applied.index + 1), term: TERM });

  const apply = (id: CommandId, command: ControlCommand): CommandOutcome => {
    const body = JSON.parse(JSON.stringify(command)) as JsonValue;
    const known = replica.sessions.get(id);
    if (known !== undefined && known.digest !== bodyDigest(withoutStamp(body), sha256)) {
      return { kind: 'rejected', id, code: 'command-id-reused', hint: 'Use a new key.' };
    }
    if (known === undefined) {
      const entry = { ...next(), command: { id, basis: replica.applied.index, body } };
      const stepped = applyEntries(replica, [entry], { machine, sha256 });
      const session = stepped.replica.sessions.get(id);
      const digest = bodyDigest(withoutStamp(body), sha256);
      const sessions = new Map(stepped.replica.sessions);
      replica = session
        ? { ...stepped.replica, sessions: sessions.set(id, { ...session, digest }) }
        : stepped.replica;
      const basis = entry.command.basis;
      entries.push({ ...next(), index: entry.index, id, basis, body, chain: replica.chain });
      for (const listener of [...listeners]) {
        listener();
      }
    }
    const session = replica.sessions.get(id);
    if (session === undefined) {
      throw new Error(`no session for ${id}`);
    }
    const result = session.result as unknown as CommandResult;
    return { kind: 'committed', id, index: session.index, term: TERM, result };
  };

  const lookUp = (id: CommandId): CommandLookup => {
    const session = replica.sessions.get(id);
    return session === undefined
      ? { kind: 'not-found' }
      : {
          kind: 'committed',
          index: session.index,
          result: session.result as unknown as CommandResult,
        };
  };

  const readLog = (after: LogIndex, limit: number): LogPage =>
    after < compactedUpTo
      ? { kind: 'gap', firstAvailable: logIndex(compactedUpTo + 1) }
      : {
          kind: 'page',
          entries: entries.filter(({ index }) => index > after).slice(0, limit),
          appliedIndex: replica.applied.index,
        };

  const commit = async (command: ControlCommand): Promise<CommandResult> => {
    commands += 1;
    const outcome = apply(commandId(`test-${commands}`), command);
    return outcome.kind === 'committed' ? outcome.result : Promise.reject(outcome);
  };

  return {
    region,
    ingest: (beat) => ingest.ingest(beat),
    status: () => ({
      region,
      at: clock.wallNow(),
      position: {
        appliedIndex: replica.applied.index,
        appliedTerm: replica.applied.term,
        chain: replica.chain,
        leader: fault === 'no-quorum' ? null : region,
        term: TERM,
        quorum: fault !== 'no-quorum',
        reachable: fault === 'no-quorum' ? [region] : REGIONS,
      },
      state: replica.state,
      observations: observer.observations(replica.state),
    }),
    routing: (service, site) => {
      const known = ownValue(replica.state.services, service);
      return known === undefined || !known.policy.sites.some((policy) => policy.site === site)
        ? 'unknown-site'
        : known.activeSite === site
          ? 'active'
          : 'standby';
    },
    propose: async (id, command) => {
      switch (fault) {
        case 'none':
          return apply(id, command);
        case 'no-quorum':
          return { kind: 'rejected', id, code: 'no-quorum', hint: 'Two regions do not answer.' };
        case 'outcome-open':
          return { kind: 'unknown', id, hint: 'Ask about the id.' };
        case 'throws':
          throw new Error('the register answered nonsense');
      }
    },
    dryRun: (command) => reduce(replica.state, command, next()).result,
    lookUp: async (id) =>
      fault === 'none' ? lookUp(id) : { kind: 'unknown', cause: 'no majority answers' },
    readLog: async (after, limit) => readLog(after, limit),
    report: async (run) => reports.get(run) ?? null,
    onChange: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    setFault: (next) => {
      fault = next;
    },
    setHealthDown: (isDown) => {
      isHealthDown = isDown;
    },
    compact: (upTo) => {
      compactedUpTo = upTo;
    },
    writeReport: (run, report) => {
      reports.set(run, report);
    },
    observe: async () => {
      for (const command of await observer.observe(replica.state)) {
        await commit(command);
      }
    },
    commit,
    listenerCount: () => listeners.size,
    entryCount: () => entries.length,
  };
}

/** A repeat of a command carries a later stamp and is the same command all the same. */
function withoutStamp(body: JsonValue): JsonValue {
  return { ...(body as { readonly [name: string]: JsonValue }), at: null };
}
