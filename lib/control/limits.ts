/** Upper limits of the control room, with the relations between them checked at load. */
import { invariant } from '../base/invariant.ts';
import { LOG_LIMITS } from '../consensus/settings.ts';

export interface ControlTimings {
  /** Time between two evaluations of all sites. */
  readonly tickMs: number;
  /** How long a region that is not nearest to the target leaves a free step to the nearer ones. */
  readonly deferMs: number;
  /** After this a claimed step whose worker says nothing may be claimed again. */
  readonly claimTimeoutMs: number;
  /** The same, while the region of that worker does not answer. */
  readonly lostClaimMs: number;
  /** Longest wait between two attempts of one step. */
  readonly stepBackoffMsMax: number;
  /** Time between two snapshots of the state, if it changed. */
  readonly snapshotMs: number;
}

export const CONTROL_TIMINGS: ControlTimings = {
  tickMs: 1000,
  deferMs: 2000,
  claimTimeoutMs: 15_000,
  lostClaimMs: 3000,
  stepBackoffMsMax: 30_000,
  snapshotMs: 60_000,
};

interface ControlLimits {
  /** Tries of one heartbeat's conditional write against other writers of the same site. */
  readonly ingestAttemptsMax: number;
  /** Beats of one site that may wait for their turn in one process. */
  readonly beatsWaitingMax: number;
  /** Sites whose record is cached between beats. */
  readonly cachedSitesMax: number;
  /** Applied entries kept in memory for readers of the log. */
  readonly recentEntriesMax: number;
  /** The same, while the store takes none of them; beyond it only other regions have the oldest. */
  readonly unarchivedEntriesMax: number;
  /**
   * A register whose log is larger forgets entries even where its archive did not take them. A store
   * that is away may cost a piece of the audit log, it may not stop recovery.
   */
  readonly unarchivedLogBytesMax: number;
  /** Entries of one archived segment. */
  readonly segmentEntries: number;
  readonly logPageMax: number;
  /** How long the `propagate` step watches before it hands the step back. */
  readonly propagateWatchMs: number;
  readonly propagatePollMs: number;
}

export const CONTROL_LIMITS: ControlLimits = {
  ingestAttemptsMax: 4,
  beatsWaitingMax: 32,
  cachedSitesMax: 10_000,
  recentEntriesMax: 2000,
  unarchivedEntriesMax: 20_000,
  unarchivedLogBytesMax: 160 * 1024,
  segmentEntries: 100,
  logPageMax: 500,
  propagateWatchMs: 5000,
  propagatePollMs: 100,
};

invariant(
  CONTROL_LIMITS.propagateWatchMs * 2 < CONTROL_TIMINGS.claimTimeoutMs,
  'limits-step-outlives-claim',
);
invariant(
  CONTROL_LIMITS.unarchivedLogBytesMax > LOG_LIMITS.tailBytesMax &&
    CONTROL_LIMITS.unarchivedLogBytesMax + LOG_LIMITS.batchBytesMax < 380 * 1024,
  'limits-archive-stops-log',
);
invariant(
  CONTROL_LIMITS.unarchivedEntriesMax >= CONTROL_LIMITS.recentEntriesMax,
  'limits-unarchived-too-few',
);
invariant(
  CONTROL_LIMITS.recentEntriesMax > CONTROL_LIMITS.segmentEntries + CONTROL_LIMITS.logPageMax,
  'limits-recent-too-few',
);
