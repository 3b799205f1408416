/** The use cases of one region (`control-plane.ts`), over the log host and its companions. */

import { findKeyFault } from '../backup/object-key.ts';
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock } from '../base/clock.ts';
import { type CommandId, logIndex, type RegionId } from '../base/identifiers.ts';
import { assertNever } from '../base/invariant.ts';
import type { JsonValue } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import type { LogHost } from '../consensus/log-host.ts';
import type { ProposeOutcome } from '../consensus/proposals.ts';
import { sessionOf } from '../consensus/sessions.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { shareOf } from '../recovery/traffic.ts';
import type { Archive } from './archive.ts';
import type { CallerReports } from './caller-reports.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import type {
  CommandLookup,
  CommandOutcome,
  ControlPlane,
  DryRun,
  LogPosition,
  RoutingAnswer,
} from './control-plane.ts';
import type { Ingest } from './ingest.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { reduce } from './machine.ts';
import type { Observer } from './observe.ts';
import type { Preparation } from './preparation.ts';
import { reportKeys } from './step-effects/report.ts';

export interface PlaneOptions {
  readonly region: RegionId;
  readonly host: LogHost<RecoveryState>;
  readonly ingest: Ingest;
  readonly observer: Observer;
  readonly reports: CallerReports;
  readonly archive: Archive;
  /** Where reports may be, this region's own store first. */
  readonly stores: readonly SnapshotStore[];
  readonly clock: Clock;
  readonly preparation: Preparation;
  readonly position: () => LogPosition;
  readonly onChange: (listener: () => void) => () => void;
}

export function createPlane(options: PlaneOptions): ControlPlane {
  const { region, host, ingest, observer, archive, clock } = options;
  return {
    region,
    ingest: (beat) => ingest.ingest(beat),
    ingestBatch: (beats) => ingest.ingestBatch(beats),
    look: () => observer.look(),
    readSite: (service, site) => observer.readSite(service, site),
    reportCalls: (site, report) => options.reports.add(site, report),
    status: () => {
      const { state } = host.replica;
      return {
        region,
        at: clock.wallNow(),
        position: options.position(),
        state,
        // Computes φ of the whole fleet: only for whoever wants to see it.
        get observations() {
          return observer.observations(state);
        },
      };
    },
    routing: (service, site) => routingOf(host.replica.state, service, site),
    propose: async (id, command) =>
      outcomeOf(id, await host.propose(id, command as unknown as JsonValue)),
    dryRun: (command) => dryRun(host, command),
    lookUp: (id) => lookUp(host, id),
    answerOf: (id) =>
      (sessionOf(host.replica.sessions, id)?.result ?? null) as unknown as CommandResult | null,
    readLog: (after, limit) => {
      const bounded = Math.min(Math.max(1, limit), CONTROL_LIMITS.logPageMax);
      return archive.read(after, bounded, host.replica.applied.index);
    },
    preparation: options.preparation,
    report: (run) => findReport(options.stores, run),
    onChange: options.onChange,
  };
}

function routingOf({ services }: RecoveryState, service: string, site: string): RoutingAnswer {
  const standing = ownValue(services, service);
  if (standing === undefined || ownValue(standing.sites, site) === undefined) {
    return 'unknown-site';
  }
  // By the shares, never by who holds the role: while that changes hands nobody does, and a no to every
  // health check would make the data plane give the traffic to all sites at once.
  return shareOf(standing.traffic, site) > 0 ? 'active' : 'standby';
}

function dryRun({ replica }: LogHost<RecoveryState>, command: ControlCommand): DryRun {
  const { index, term } = replica.applied;
  const { state, result } = reduce(replica.state, command, { index: logIndex(index + 1), term });
  const id = result.kind === 'accepted' ? result.run : undefined;
  return { result, run: state.runs.find((run) => run.id === id) ?? null };
}

async function lookUp(host: LogHost<RecoveryState>, id: CommandId): Promise<CommandLookup> {
  const isCurrent = await host.confirmLeadership();
  if (!isCurrent) {
    return { kind: 'unknown', cause: 'no majority of registers answers' };
  }
  const session = sessionOf(host.replica.sessions, id);
  return session === null
    ? { kind: 'not-found' }
    : {
        kind: 'committed',
        index: session.index,
        result: session.result as unknown as CommandResult,
      };
}

async function findReport(
  stores: readonly SnapshotStore[],
  run: string,
): Promise<{ json: string; markdown: string } | null> {
  const keys = reportKeys(run);
  if (findKeyFault(keys.json) !== null) {
    return null;
  }
  const decoder = new TextDecoder();
  for (const store of stores) {
    const [json, markdown] = await Promise.all([store.get(keys.json), store.get(keys.markdown)]);
    if (json.kind === 'found' && markdown.kind === 'found') {
      return { json: decoder.decode(json.bytes), markdown: decoder.decode(markdown.bytes) };
    }
  }
  return null;
}

/** The log's answer in the words of the control plane. */
export function outcomeOf(id: CommandId, outcome: ProposeOutcome): CommandOutcome {
  switch (outcome.kind) {
    case 'committed': {
      const { index, term } = outcome;
      return {
        kind: 'committed',
        id,
        index,
        term,
        result: outcome.result as unknown as CommandResult,
      };
    }
    case 'rejected':
      return { kind: 'rejected', id, code: outcome.code, hint: REJECTION_HINTS[outcome.code] };
    case 'unknown':
      return {
        kind: 'unknown',
        id,
        hint: `Ask GET /v1/commands/${encodeURIComponent(id)}, or send the same id again: it takes effect at most once.`,
      };
    default:
      return assertNever(outcome);
  }
}

const REJECTION_HINTS: {
  readonly [Code in Extract<ProposeOutcome, { kind: 'rejected' }>['code']]: string;
} = {
  'no-leader': 'No region leads right now; an election takes about a second. Send it again.',
  'no-quorum':
    'Fewer than a majority of regions answer. This call wrote nothing. Send it again later.',
  'too-large': 'One command may be 64 KiB of JSON. Split it.',
  busy:
    'Too many commands wait in this region, or its tables take no more writes just now. Send it ' +
    'again in a moment, or to another region.',
  'log-full':
    'The log of the leading region is full because it cannot be compacted; see the runbook.',
  'command-id-reused': 'This id was used for another command. Use a new one for a new command.',
};
