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
  /** The same for a step that only waits: nothing is wrong, so it is looked at more often. */
  readonly stepWaitMsMax: number;
  /** Time between two snapshots of the state, if it changed. */
  readonly snapshotMs: number;
  /** How far ahead a round looks for timers: to the next one, and what that may be late. */
  readonly lookAheadMs: number;
  /** A timer is moved only so far or farther: for less, a look in each round costs less. */
  readonly timerMoveMsMin: number;
  /** A status view is made of records that were read at most so long ago. */
  readonly lookAgeMsMax: number;
  /** Time between two passes of the slow sweep over all sites. */
  readonly sweepMs: number;
  /**
   * After this a timer whose record never came is dropped: no request is under way for so long, not
   * even one that a network held back.
   */
  readonly timerAwaitMsMax: number;
  /** Within this after it was configured a site is probed for the first time. */
  readonly firstProbeMsMax: number;
  /** Shortest pause between two rounds of the prober. */
  readonly probePauseMsMin: number;
  /** Time between two looks at what callers reported. */
  readonly reportsMs: number;
  /** Time between two looks at the records that stand in DNS. */
  readonly driftReadMs: number;
  /**
   * After a site's rules changed its silence counts from here on: every region has applied them, and an
   * agent that was refused has tried again (its longest back-off).
   */
  readonly watchChangeMs: number;
  /** Time between two looks at the metrics of replication lag. */
  readonly lagMetricMs: number;
  /** Time between two looks of the leader at the plans of a service. */
  readonly readinessMs: number;
  /** How long a new leader waits with the first one. */
  readonly readinessFirstMs: number;
  /** Time between two looks when sites come up one after the other. */
  readonly readinessAgainMs: number;
}

export const CONTROL_TIMINGS: ControlTimings = {
  tickMs: 1000,
  deferMs: 2000,
  claimTimeoutMs: 15_000,
  lostClaimMs: 3000,
  stepBackoffMsMax: 30_000,
  stepWaitMsMax: 5000,
  snapshotMs: 60_000,
  lookAheadMs: 1250,
  timerMoveMsMin: 10_000,
  lookAgeMsMax: 500,
  sweepMs: 300_000,
  timerAwaitMsMax: 120_000,
  firstProbeMsMax: 10_000,
  probePauseMsMin: 50,
  reportsMs: 5000,
  driftReadMs: 60_000,
  watchChangeMs: 5000,
  lagMetricMs: 30_000,
  readinessMs: 300_000,
  readinessFirstMs: 30_000,
  readinessAgainMs: 2000,
};

/** Boot id of every ping: a sender without a memory has one boot for ever. */
export const PING_BOOT_ID = 'ping';

interface ControlLimits {
  /** Notices that one pass sends at once; what one entry tells is never split. */
  readonly noticesPerPassMax: number;
  /** Sends of one notice to one target until it is given up … */
  readonly noticeAttemptsMax: number;
  /** … and the wait before the second of them; each further wait is twice as long. */
  readonly noticeRetryMs: number;
  /** What is older is history, and nobody is woken for it. */
  readonly noticeAgeMsMax: number;
  /** Tries of one heartbeat's conditional write against other writers of the same site. */
  readonly ingestAttemptsMax: number;
  /** Beats of one site that may wait for their turn in one process. */
  readonly beatsWaitingMax: number;
  /** Sites whose record is cached between beats. */
  readonly cachedSitesMax: number;
  /** Heartbeats in one batch. */
  readonly batchBeatsMax: number;
  /** Sites of one batch that are written at once. */
  readonly batchSitesParallelMax: number;
  /** Services whose records are read in one round: two calls each, of what a DNS API allows. */
  readonly driftServicesPerRoundMax: number;
  /** Timers that one round of the observer looks after; what is left comes with the next one. */
  readonly timersPerRoundMax: number;
  /** Timers that are moved at once. */
  readonly timersParallelMax: number;
  /** Sites that the observer remembers, for when its table does not answer. */
  readonly observedSitesMax: number;
  /** Sites of one page when all are read, for a status view … */
  readonly lookPageSites: number;
  /** … and of one step of the slow sweep. */
  readonly sweepPageSites: number;
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
  /** How long the `fence` step watches before it hands the step back, and how often it looks. */
  readonly fenceWatchMs: number;
  readonly fencePollMs: number;
  /** Metrics that are asked for at once. */
  readonly metricsAtOnceMax: number;
  /** Probes under way at a time in one region. */
  readonly probesAtOnceMax: number;
  /** Tries of one caller's report against other writers of the same item. */
  readonly reportAttemptsMax: number;
}

export const CONTROL_LIMITS: ControlLimits = {
  ingestAttemptsMax: 4,
  beatsWaitingMax: 32,
  cachedSitesMax: 10_000,
  batchBeatsMax: 500,
  batchSitesParallelMax: 16,
  driftServicesPerRoundMax: 10,
  timersPerRoundMax: 5000,
  timersParallelMax: 32,
  observedSitesMax: 20_000,
  lookPageSites: 1000,
  sweepPageSites: 250,
  recentEntriesMax: 2000,
  unarchivedEntriesMax: 20_000,
  unarchivedLogBytesMax: 160 * 1024,
  segmentEntries: 100,
  logPageMax: 500,
  propagateWatchMs: 5000,
  propagatePollMs: 100,
  fenceWatchMs: 5000,
  fencePollMs: 200,
  metricsAtOnceMax: 8,
  probesAtOnceMax: 32,
  reportAttemptsMax: 4,
  noticesPerPassMax: 20,
  noticeAttemptsMax: 6,
  noticeRetryMs: 2000,
  noticeAgeMsMax: 3_600_000,
};

invariant(CONTROL_TIMINGS.lookAheadMs > CONTROL_TIMINGS.tickMs, 'limits-deadline-between-rounds');
invariant(
  CONTROL_TIMINGS.timerMoveMsMin > CONTROL_TIMINGS.lookAheadMs,
  'limits-timer-moves-within-round',
);
invariant(
  CONTROL_LIMITS.propagateWatchMs * 2 < CONTROL_TIMINGS.claimTimeoutMs,
  'limits-step-outlives-claim',
);
invariant(
  CONTROL_LIMITS.fenceWatchMs * 2 < CONTROL_TIMINGS.claimTimeoutMs,
  'limits-fence-outlives-claim',
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
