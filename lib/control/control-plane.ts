/**
 * What one control region offers to the API, the CLI and the functions: the use cases, as types.
 *
 * Reads (`status`, `routing`, `role`) answer from the state this region last applied and never wait
 * for a quorum: static stability. Everything that changes something goes through the log and comes
 * back as done, refused, or unknown with the command id to ask about.
 */
import type { CommandId, EpochMillis, LogIndex, RegionId, Term } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import type { Configuration } from '../consensus/membership.ts';
import type { CallerReport } from '../detection/caller-reports.ts';
import type { JobEvent, JobRecord } from '../detection/job.ts';
import type { Run } from '../recovery/run.ts';
import type { Epoch, RecoveryState } from '../recovery/state.ts';
import type { ReportOutcome } from './caller-reports.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import type { RecordRead, ReportedStatus, SiteName } from './health-store.ts';
import type { Preparation } from './preparation.ts';

export interface Heartbeat {
  readonly service: string;
  readonly site: string;
  /** Rises with every beat of one boot; from 1. null = a ping, which has none. */
  readonly sequence: number | null;
  /** Random id of the sender's process. */
  readonly bootId: string;
  readonly status: ReportedStatus;
  readonly replicationLagMs: number | null;
  /** Writes that the site does not have yet; default: not counted. */
  readonly replicationLagWrites?: number | null;
  /** The site has given up its role, and knows that this grant (or an older one) took it; default: nothing is said. */
  readonly acknowledgedEpoch?: Epoch | null;
  /** The site holds no role, because no answer that renews one reaches it; default: nothing is said. */
  readonly fenced?: boolean;
  /** Ingress clock of this region. A sender's clock never enters. */
  readonly receivedAt: EpochMillis;
  /** What the beat says of a run, where the site has a schedule; default: it ended. */
  readonly job?: JobEvent;
}

export type IngestOutcome =
  | {
      readonly kind: 'accepted';
      readonly role: 'active' | 'standby' | 'unknown';
      readonly epoch: Epoch | null;
      readonly nextBeatMs: number;
      /**
       * How long the site may believe its role without a further answer, counted from when it sent the
       * beat that is answered here. Shorter than the silence that can fail it. null = no role, no lease;
       * 0 = the role is the last one known here, and nobody vouches for it now.
       */
      readonly leaseMs: number | null;
      /** false = repeated or overtaken: the beat changed nothing. */
      readonly isNew: boolean;
    }
  | { readonly kind: 'unknown-site' }
  /** The table did not answer; the beat may be lost. The sender simply beats again. */
  | { readonly kind: 'unavailable'; readonly cause: string };

export type CommandOutcome =
  | {
      readonly kind: 'committed';
      readonly id: CommandId;
      readonly index: LogIndex;
      readonly term: Term;
      readonly result: CommandResult;
    }
  /** This call wrote nothing. An earlier call with the same id may have. */
  | {
      readonly kind: 'rejected';
      readonly id: CommandId;
      readonly code: string;
      readonly hint: string;
    }
  /** May be in the log, now or later: ask about the id, or send the same id again. */
  | { readonly kind: 'unknown'; readonly id: CommandId; readonly hint: string };

/** What this region knows of the log, from its last applied entry. */
export interface LogPosition {
  readonly appliedIndex: LogIndex;
  readonly appliedTerm: Term;
  /** Hash chain over all applied entries (hex SHA-256). */
  readonly chain: string;
  readonly leader: RegionId | null;
  readonly term: Term;
  /** Whether a majority of registers answered lately; without it nothing can be committed. */
  readonly quorum: boolean;
  /** Registers that answered at the last contact. */
  readonly reachable: readonly RegionId[];
}

/** One row of services × sites × observers as this region sees it now, fresher than the log. */
export interface LiveObservation {
  readonly service: string;
  readonly site: string;
  readonly phi: number;
  readonly silentMs: number | null;
  readonly lastBeatAt: EpochMillis | null;
  readonly suspectAt: EpochMillis | null;
  readonly failAt: EpochMillis | null;
  readonly replicationLagMs: number | null;
  readonly sentence: string;
  /** Of a site with a schedule; else null. */
  readonly job: JobObservation | null;
}

export interface JobObservation extends JobRecord {
  /** When the next run is expected; null = no instant is known. */
  readonly expectedAt: EpochMillis | null;
}

export interface StatusView {
  readonly region: RegionId;
  readonly at: EpochMillis;
  readonly position: LogPosition;
  readonly state: RecoveryState;
  readonly observations: readonly LiveObservation[];
}

export interface LogEntryView {
  readonly index: LogIndex;
  readonly term: Term;
  /** `id`, `basis` and `body` are null for the no-op of a new leader. */
  readonly id: CommandId | null;
  readonly basis: LogIndex | null;
  readonly body: JsonValue;
  /** Who votes from here on; left out where that does not change. */
  readonly configuration?: Configuration;
  readonly chain: string;
}

export type LogPage =
  | {
      readonly kind: 'page';
      readonly entries: readonly LogEntryView[];
      readonly appliedIndex: LogIndex;
    }
  /** The range was compacted and no archive that answers holds it. */
  | { readonly kind: 'gap'; readonly firstAvailable: LogIndex };

export type CommandLookup =
  | { readonly kind: 'committed'; readonly index: LogIndex; readonly result: CommandResult }
  /** Not among the committed commands that are remembered. Not a proof that it never will be. */
  | { readonly kind: 'not-found' }
  /** No quorum to ask: nothing can be said. */
  | { readonly kind: 'unknown'; readonly cause: string };

export type RoutingAnswer = 'active' | 'standby' | 'unknown-site';

export interface DryRun {
  readonly result: CommandResult;
  /** The run that would begin, as it would be at first; null = none would. */
  readonly run: Run | null;
}

export interface ControlPlane {
  readonly region: RegionId;
  readonly ingest: (beat: Heartbeat) => Promise<IngestOutcome>;
  /** Up to 500 beats: one write for all of a site. An outcome for each beat, in their order. */
  readonly ingestBatch: (beats: readonly Heartbeat[]) => Promise<readonly IngestOutcome[]>;
  /** Reads what this region sees now, unless it did a moment ago. `status` then shows that. */
  readonly look: () => Promise<void>;
  /** What this region keeps of one site, as stored. */
  readonly readSite: (service: string, site: string) => Promise<RecordRead>;
  /** What a caller of a site met there. */
  readonly reportCalls: (site: SiteName, report: CallerReport) => Promise<ReportOutcome>;
  /** From what is at hand: call `look` before, where the observations matter. */
  readonly status: () => StatusView;
  /** Whether this site should take traffic, from the last applied state. */
  readonly routing: (service: string, site: string) => RoutingAnswer;
  readonly propose: (id: CommandId, command: ControlCommand) => Promise<CommandOutcome>;
  /** What a command would do, decided on the last applied state; changes nothing. */
  readonly dryRun: (command: ControlCommand) => DryRun;
  /** Linearizable: asks the quorum. */
  readonly lookUp: (id: CommandId) => Promise<CommandLookup>;
  /**
   * What the entry of a command was answered, as this region applied it; null = it is not here, or so
   * long ago that the log remembers it no more.
   */
  readonly answerOf: (id: CommandId) => CommandResult | null;
  /** Entries with index above `after`, ascending, at most `limit` (1 to 500). */
  readonly readLog: (after: LogIndex, limit: number) => Promise<LogPage>;
  /** Plans, tabletops, evidence. */
  readonly preparation: Preparation;
  /** Report of an ended run; null while there is none. */
  readonly report: (run: string) => Promise<{ json: string; markdown: string } | null>;
  /** Called after each applied entry or change of leadership. Returns how to stop. */
  readonly onChange: (listener: () => void) => () => void;
}
