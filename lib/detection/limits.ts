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

/** Part of the samples that the exponential tail describes; the normal body describes the rest. */
export const TAIL_SHARE = 0.05;
/** The z at which a normal distribution leaves exactly `TAIL_SHARE` above it. */
export const TAIL_Z = 1.6448536269514722;
/** The mean excess is shrunk towards 0.02 Δ, as if that many excesses of that size had been seen. */
export const TAIL_PRIOR_WEIGHT = 5;
export const TAIL_PRIOR_MEAN_SHARE = 0.02;
/** The spread of the body is never below this share of Δ (nor below one quantum). */
export const SPREAD_SHARE_MIN = 0.01;

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
/** Suspicion comes at the latest at this share of the longest allowed silence. */
export const SUSPECT_BOUND_SHARE: number = 2 / 3;
/** Below this many intervals a site fails by maximum silence only, never by φ. */
export const LEARNING_INTERVALS = 20;
/** Arrivals at normal pace before a site that failed is healthy again. */
export const RECOVERY_ARRIVALS = 3;

/** Printable ASCII, one byte a character. */
export const BOOT_ID_LENGTH_MAX = 64;
/** What `encodeWindow` may cost in a table item, attribute names included. */
export const ENCODED_BYTES_MAX = 700;

/** An evaluation later than this many periods convicts nobody in that round … */
export const LATE_PERIODS = 2;
/** … and later than this many, all silence before it is forgotten. */
export const GAP_PERIODS = 5;

/** φ is shown up to this; what is compared is never cut. */
export const DISPLAYED_PHI_MAX = 300;

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
invariant(LOSS_SHARE_MIN < LOSS_PRIOR_LOST / LOSS_PRIOR_SENT, 'loss-prior-below-minimum');
invariant(LOSS_PRIOR_SENT * 2 < LOSS_MEMORY_BEATS, 'loss-memory-shorter-than-prior');
invariant(LATE_PERIODS < GAP_PERIODS, 'gap-before-late');
// The steepest tail the loss term allows, begun at once: at the lower suspect bound φ is still
// below 8, so with the default threshold that bound is a belt beside the braces.
invariant(
  -SUSPECT_INTERVALS_MIN * Math.log10(LOSS_SHARE_MIN) - Math.log10(TAIL_SHARE) < 8,
  'loss-term-too-steep',
);
