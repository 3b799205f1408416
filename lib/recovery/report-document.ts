/**
 * The report of a run as it lies in its file: `report-<run>.json`.
 *
 * Type aliases and not interfaces, because a document is JSON and must be assignable to it. Instants
 * are RFC 3339 texts in UTC with milliseconds, durations whole milliseconds. `lib/config/report-schema.ts`
 * is the strict schema that whoever reads a file checks it by.
 */
import type { JsonValue } from '../base/json.ts';

/** Rises with every change that a reader of an older format would misread. */
export const REPORT_FORMAT = 'tripoint-run-report/2' as const;

export type Shares = { readonly [site: string]: number };

export type ReportedTimes = {
  readonly detectMs: number | null;
  readonly decideMs: number | null;
  readonly actMs: number;
  readonly propagateMs: number;
  readonly verifyMs: number;
  readonly totalMs: number;
};

export type ReportedStep = {
  readonly name: string;
  readonly kind: string;
  readonly stage: number;
  readonly essential: boolean;
  readonly isUndo: boolean;
  readonly attempts: number;
  readonly waits: number;
  readonly worker: string | null;
  readonly openedAt: string | null;
  readonly epoch: { readonly term: number; readonly index: number } | null;
  readonly state: 'waiting' | 'claimed' | 'done' | 'failed' | 'skipped';
  readonly at: string | null;
  /** Evidence of what is done, the code of what is not. */
  readonly detail: JsonValue;
};

export type ReportedMove = {
  readonly step: string;
  readonly shares: Shares;
  readonly authorisedAt: string | null;
  readonly doneAt: string | null;
};

export type ReportedDrill = {
  /** The run that took the traffic away, and the one that takes it back; null = not yet begun. */
  readonly away: string;
  readonly back: string | null;
  readonly site: string;
  readonly home: Shares;
  readonly durationMs: number;
  readonly revertAt: string | null;
  /** Why it went home; null while it is away. */
  readonly endedBy: string | null;
  /** How long it took until the traffic was there, and home again; null = it is not, or not yet. */
  readonly awayMs: number | null;
  readonly backMs: number | null;
  /** Whether the traffic came there within the objective, and where it went home came home. */
  readonly passed: boolean;
};

/** An entry as the archive of the log holds it, with the link of the chain after it. */
export type ReportedEntry = {
  readonly index: number;
  readonly term: number;
  readonly id: string | null;
  readonly basis: number | null;
  readonly body: JsonValue;
  readonly configuration?: JsonValue | undefined;
  readonly chain: string;
};

/** Entries without a gap, and the link before the first of them. */
export type ReportedSpan = {
  readonly after: string;
  readonly entries: readonly ReportedEntry[];
};

export type ReportedLog = {
  /** Place in the log up to which the report looks, and the link there. */
  readonly index: number;
  readonly chain: string;
  /** The regions that the log was founded with: whoever replays it must know. */
  readonly founders: readonly string[];
  /** Whether every entry that names the run is here. */
  readonly complete: boolean;
  readonly spans: readonly ReportedSpan[];
};

export type ReportedOutcome = {
  readonly state: 'done' | 'failed';
  readonly code: string | null;
  readonly exceptions: readonly string[];
  /** null = only this report was left to do. */
  readonly at: string | null;
};

export type ReportContent = {
  readonly format: typeof REPORT_FORMAT;
  readonly run: string;
  readonly service: string;
  readonly kind: string;
  readonly mode: string;
  readonly trigger: string;
  readonly from: string;
  readonly to: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly analysis: string;
  readonly epoch: { readonly term: number; readonly index: number };
  readonly lastBeatAt: string | null;
  readonly firstFailedVerdictAt: string | null;
  readonly authorisedAt: string;
  readonly outcome: ReportedOutcome;
  readonly rto: {
    readonly objectiveMs: number;
    readonly actual: ReportedTimes | null;
    readonly met: boolean | null;
    /** On path A, where the service has a name there and the run saw it turn. */
    readonly dataPlane?: ReportedTimes | undefined;
  };
  readonly rpo: {
    readonly objectiveMs: number;
    readonly actualMs: number | null;
    readonly met: boolean | null;
  };
  readonly traffic: {
    readonly before: Shares;
    readonly wanted: Shares;
    readonly moves: readonly ReportedMove[];
  };
  readonly loss: {
    readonly lagMs: number | null;
    readonly writes: number | null;
    readonly measuredAt: string | null;
    readonly acceptedBy: string | null;
  } | null;
  readonly approvals: readonly {
    readonly step: string;
    readonly by: string;
    readonly verdict: 'approve' | 'reject';
    readonly reason: string;
    readonly at: string;
  }[];
  readonly undo: {
    readonly code: string;
    readonly at: string;
    readonly steps: readonly string[];
  } | null;
  readonly parent: string | null;
  readonly children: readonly string[];
  readonly drill: ReportedDrill | null;
  readonly steps: readonly ReportedStep[];
  readonly log: ReportedLog;
  readonly generatedAt: string;
  readonly generatedBy: string;
};

/** With the SHA-256 of the canonical JSON of all the rest. */
export type ReportDocument = ReportContent & {
  readonly digest: { readonly method: 'sha256-canonical-json'; readonly value: string };
};
