/**
 * Every number that bounds or shapes detection, by name, with the relations between them checked
 * when the module is loaded. Shares are fractions of 1; names that end in `Intervals…` count
 * nominal heartbeat intervals (Δ, `policy.intervalMs`).
 *
 * Sources: Hayashibara et al., "The φ accrual failure detector", SRDS 2004; the two-window idea of
 * 2W-FD (IPDPS 2015). Departures from both are explained where a number is used.
 */
import { invariant } from '../base/invariant.ts';

/** Intervals that the long window keeps, and that the short window looks at. */
export const INTERVALS_MAX = 200;
export const SHORT_INTERVALS = 20;
/** Largest interval in quanta: what 16 bits hold. Longer ones saturate, they never wrap. */
export const QUANTA_MAX = 65_535;
/** The quantum is 2^e milliseconds, 0 <= e <= this. */
export const QUANTUM_EXPONENT_MAX = 20;

/** A new site starts with this many pseudo-samples at Δ, of this spread; each real one evicts one. */
export const PRIOR_SAMPLES = 20;
export const PRIOR_SPREAD_SHARE = 0.25;

/**
 * The shape of the suspicion model, see `suspicion.ts` and docs/detection.md. Shares are of Δ.
 * Chosen on seeded traces so that no deadline is worse than one timeout for all, then checked on
 * other seeds and on recorded traces; `npm run evaluate` repeats the check.
 */
/** A median within this share of Δ is taken for Δ. */
export const PACE_TOLERANCE_SHARE = 0.35;
/** What a sender's schedule may slip (standard deviation; at least one quantum). */
export const SCHEDULE_SPREAD_SHARE = 0.067;
/** Part of the samples that the exponential tail describes. */
export const TAIL_SHARE = 0.05;
/** The mean excess is shrunk towards 0.02 Δ, as if that many excesses of that size had been seen. */
export const TAIL_PRIOR_WEIGHT = 5;
export const TAIL_PRIOR_MEAN_SHARE = 0.02;
/** From the end of the schedule to the start of the tail, before anything measured is added. */
export const PATH_START_SHARE = 0.02;
/** The first part of the tail spans this many units of φ, at this mean for all sites alike. */
export const PATH_DECADES = 0.65;
export const PATH_MEAN_SHARE = 0.05;
/**
 * How much of what was measured enters where: lateness (the 95th percentile over the pace) and the
 * mean excess over that percentile.
 */
export const TAIL_WEIGHTS: {
  readonly start: { readonly lateness: number };
  readonly pathMean: { readonly lateness: number; readonly excess: number };
  readonly lossMean: { readonly lateness: number; readonly excess: number };
} = {
  start: { lateness: 0.3 },
  pathMean: { lateness: 1 / 6, excess: 0.6 },
  lossMean: { lateness: 1 / 12, excess: 0.1 },
};
/** The last 20 intervals count with this weight beside all 200, where they are longer. */
export const SHORT_WEIGHT = 0.4;
/** A beat that came early delays the next deadline by at most this (or the usual lateness). */
export const EARLINESS_SHARE_MAX = 0.25;

/** Loss is believed to be 1 in 200 until counted otherwise, and never below or above these. */
export const LOSS_PRIOR_LOST = 1;
export const LOSS_PRIOR_SENT = 200;
export const LOSS_SHARE_MIN = 0.002;
export const LOSS_SHARE_MAX = 0.5;
/** Both counters are halved when this many beats are counted, so that old losses fade. */
export const LOSS_MEMORY_BEATS = 4_096;
/** One gap counts for at most this many losses: beyond it, it is an outage, not a lossy path. */
export const LOSSES_PER_GAP_MAX = 12;

/** Arrivals closer than this share of Δ were delivered together and carry no timing. */
export const BATCH_SHARE = 0.2;

/** Hard bounds of both deadlines: one lost beat never suspects; no pace is learnt without end. */
export const SUSPECT_INTERVALS_MIN = 2.2;
export const FAIL_INTERVALS_MIN = 3.2;
export const FAIL_INTERVALS_MAX = 12;
/** The shortest maximum silence a policy may ask for: no policy fails a site before this. */
export const SILENCE_INTERVALS_MIN = 4;
/** How long a site may believe its role without an answer: it stops before it can be failed. */
export const LEASE_INTERVALS = 3;
/**
 * A site whose beats say for so many intervals that no answer reaches it has given up its role. After a
 * start or an outage of ours the first answer needs one or two; on a bad network a lapse takes longer,
 * and is over before this.
 */
export const GAVE_UP_INTERVALS = 8;
/** Suspicion comes at the latest at this share of the longest allowed silence. */
export const SUSPECT_BOUND_SHARE: number = 2 / 3;
/** Below this many intervals a site fails by maximum silence only, never by φ. */
export const LEARNING_INTERVALS = 20;
/** Arrivals at normal pace before a site that failed is healthy again. */
export const RECOVERY_ARRIVALS = 3;

/** A job that ends at most this long before an expected instant ran for that instant. */
export const EARLY_MS_MAX = 60_000;

/** Printable ASCII, one byte a character. */
export const BOOT_ID_LENGTH_MAX = 64;
/** Boots remembered besides the one in force. */
export const FORMER_BOOTS_MAX = 8;
/** What `encodeWindow` may cost in a table item, attribute names included. */
export const ENCODED_BYTES_MAX = 700;

/** An evaluation later than this many periods convicts nobody in that round … */
export const LATE_PERIODS = 2;
/** … and later than this many, all silence before it is forgotten. */
export const GAP_PERIODS = 5;
/** Absence of an observer that the sender of a job bridges: `curl --retry 5` tries for 31 s. */
export const BRIDGED_GAP_MS_MAX = 30_000;

/** Flap damping, see `flapping.ts`. */
export const FLAP_LIMITS = {
  halfLifeMs: 600_000,
  suspicionPenalty: 1,
  failurePenalty: 2,
  statusPenalty: 1,
  /** From this penalty on a return has to be proven by arrivals. */
  provingPenalty: 2,
  penaltyMax: 60,
  /** The count of arrivals since the last return stops here: long ago, or never. */
  arrivalsMax: 61,
} as const;

/** An observer's doubt of itself, see `observer.ts`. */
export const DOUBT_LIMITS = {
  scoreMax: 7,
  /** Each point stretches both thresholds by this share. */
  stretchShare: 0.25,
  /** From this score on the observer convicts nobody at all. */
  abstainScore: 4,
  /** So many sites silent here alone, and more than half of them: the observer suspects itself. */
  silentAloneMax: 3,
  /** A site is silent here *alone* once the others have heard it for so many longest silences. */
  aloneSilences: 2,
} as const;

/** An arrival further ahead than this, as clocks of regions go, was stamped by a broken one. */
export const FUTURE_MS_MAX = 60_000;

/** φ is shown up to this; what is compared is never cut. */
export const DISPLAYED_PHI_MAX = 300;

/** Of probes and callers' reports: what lib/detection weighs beside the heartbeats. */
export const PROBE_LIMITS = {
  /** While somebody waits for a finding: between two probes that are to settle it … */
  urgentPauseMs: 500,
  /** … and between two that are to keep it fresh. */
  vigilPauseMs: 2500,
  /** Pace while a standing is in doubt or failing: this share of the interval, but not below … */
  hurriedShare: 0.25,
  hurriedPauseMsMin: 1000,
  /** Each pause varies by up to this share either way. */
  jitterShare: 0.1,
  /** Intervals without a result after which a standing is forgotten. */
  staleIntervals: 3,
} as const;

export const REPORT_LIMITS = {
  /** Callers' reports are counted by slots of this length … */
  slotMs: 10_000,
  /** … of which this many are kept, and looked at. */
  slotsMax: 7,
  /** Fewer reports than this are an anecdote. */
  reportsMin: 10,
  /** Failures must spread over this many slots: one burst is one incident. */
  failingSlotsMin: 2,
  /** Other sites that must report failures, where neither the operator nor the site itself does. */
  accusersMin: 2,
  /** Share of failures from which callers are troubled. */
  troubledShare: 0.5,
  /** What one report may count for, and one slot may hold. */
  countMax: 1000,
  slotCountMax: 1_000_000,
} as const;

/** Of the early warning, see `forecast.ts`. */
export const FORECAST_LIMITS = {
  /** Below so many intervals nothing is usual yet. */
  intervalsMin: 60,
  fastShare: 0.05,
  slowShare: 0.005,
  lossSlowShare: 0.001,
  /** Loss: raised above this share and this multiple of the usual; over below the lower share. */
  lossShare: 0.2,
  lossClearShare: 0.08,
  lossRatio: 3,
  /** Drift: raised above this share of the usual interval, over at half of it. */
  driftShare: 0.1,
  /** … and above so many spreads of the noise: 3.6 standard errors of a median of 20. */
  driftSpreads: 1,
  /** A pause is an interval of so many usual ones; the last of four is twice the first or more. */
  pauseRatio: 1.5,
  pauseGrowth: 2,
  /** Without a new pause for so long, the old ones say nothing any more. */
  pauseMemoryIntervals: 600,
  /** A longer gap is a silence, which has its own detector; here it would only echo. */
  lossesPerGapMax: 3,
  /** Lag: raised when the newest is twice the usual and this much more; over at a twentieth. */
  lagMsMin: 1000,
  lagRatio: 2,
  lagClearShare: 0.05,
  /** A warning stands at least so long, and so long nothing new is said after it. */
  standingIntervals: 40,
  quietIntervals: 20,
  changeMsMin: 60_000,
} as const;

invariant(SHORT_INTERVALS * TAIL_SHARE >= 1, 'short-window-has-no-tail');
invariant(PRIOR_SAMPLES === SHORT_INTERVALS, 'prior-does-not-fill-the-short-window');
invariant(LEARNING_INTERVALS >= PRIOR_SAMPLES, 'learning-ends-before-the-prior-fades');
invariant(LEARNING_INTERVALS < INTERVALS_MAX, 'learning-never-ends');
invariant(
  INTERVALS_MAX ** 2 * QUANTA_MAX ** 2 <= Number.MAX_SAFE_INTEGER,
  'window-variance-not-exact',
);
invariant(BATCH_SHARE < 1 && SUSPECT_INTERVALS_MIN > 2, 'one-lost-beat-could-suspect');
invariant(SUSPECT_INTERVALS_MIN < FAIL_INTERVALS_MIN, 'fail-bound-below-suspect-bound');
invariant(FAIL_INTERVALS_MIN < FAIL_INTERVALS_MAX, 'fail-bounds-crossed');
invariant(SUSPECT_INTERVALS_MIN < SILENCE_INTERVALS_MIN, 'silence-bound-below-suspect-bound');
// A site is failed at the lower bound of φ or at the maximum silence, whichever is first.
invariant(
  LEASE_INTERVALS < Math.min(FAIL_INTERVALS_MIN, SILENCE_INTERVALS_MIN),
  'lease-outlives-the-site',
);
invariant(GAVE_UP_INTERVALS > 1, 'one-late-answer-moves-traffic');
invariant(LOSS_SHARE_MIN < LOSS_PRIOR_LOST / LOSS_PRIOR_SENT, 'loss-prior-below-minimum');
invariant(LOSS_PRIOR_SENT * 2 < LOSS_MEMORY_BEATS, 'loss-memory-shorter-than-prior');
invariant(LATE_PERIODS < GAP_PERIODS, 'gap-before-late');
invariant(
  FLAP_LIMITS.arrivalsMax >= 1 + FLAP_LIMITS.penaltyMax && FLAP_LIMITS.arrivalsMax <= 255,
  'flapping-site-never-healthy',
);
invariant(
  1 + FLAP_LIMITS.failurePenalty <= RECOVERY_ARRIVALS &&
    FLAP_LIMITS.suspicionPenalty < FLAP_LIMITS.provingPenalty &&
    FLAP_LIMITS.provingPenalty <= FLAP_LIMITS.failurePenalty,
  'first-outage-damped',
);
invariant(DOUBT_LIMITS.abstainScore <= DOUBT_LIMITS.scoreMax, 'observer-never-abstains');
// The steepest tail the loss term allows, begun at once: at the lower suspect bound φ is still
// below 8, so with the default threshold that bound is a belt beside the braces.
invariant(
  -SUSPECT_INTERVALS_MIN * Math.log10(LOSS_SHARE_MIN) - Math.log10(TAIL_SHARE) + PATH_DECADES < 8,
  'loss-term-too-steep',
);
invariant(
  PROBE_LIMITS.urgentPauseMs < PROBE_LIMITS.hurriedPauseMsMin && PROBE_LIMITS.hurriedShare < 1,
  'urgent-probes-slower-than-calm-ones',
);
invariant(REPORT_LIMITS.failingSlotsMin < REPORT_LIMITS.slotsMax, 'report-slots-too-few');
invariant(REPORT_LIMITS.countMax >= REPORT_LIMITS.reportsMin, 'report-count-never-enough');
