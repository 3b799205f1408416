/**
 * Timings and limits of the log, with the relations between them checked at load.
 *
 * No timing is part of safety: a wrong clock or a wrong setting costs an election, never an entry.
 */
import { AppError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { writeUnits } from './size.ts';

export interface ConsensusTimings {
  /** Time between two beats of the leading region. */
  readonly beatMs: number;
  /** A region that saw no beat for a random time between these two asks for an election. */
  readonly electionTimeoutMsMin: number;
  readonly electionTimeoutMsMax: number;
  /** How often a region looks for entries that others appended to the log. */
  readonly followMs: number;
  /** After this a command whose fate is open comes back as unknown. */
  readonly proposeTimeoutMs: number;
  /**
   * How long the nearest followers have the leader's entries for themselves. Those that the quorum
   * does not need get theirs when these have answered, or after this time. 0 = all at once.
   */
  readonly headStartMs: number;
}

/** One machine (specification: beats each 50 ms, election timeouts of 150 to 300 ms). */
export const LOCAL_TIMINGS: ConsensusTimings = checkTimings({
  beatMs: 50,
  electionTimeoutMsMin: 150,
  electionTimeoutMsMax: 300,
  followMs: 200,
  proposeTimeoutMs: 5000,
  headStartMs: 10,
});

/** Three AWS regions: round trips of up to 100 ms, and a beat that costs a write. */
export const AWS_TIMINGS: ConsensusTimings = checkTimings({
  beatMs: 1000,
  electionTimeoutMsMin: 4000,
  electionTimeoutMsMax: 8000,
  followMs: 1000,
  proposeTimeoutMs: 8000,
  headStartMs: 40,
});

export function checkTimings(timings: ConsensusTimings): ConsensusTimings {
  const { beatMs, electionTimeoutMsMin, electionTimeoutMsMax, headStartMs } = timings;
  const isSound =
    beatMs > 0 &&
    electionTimeoutMsMin >= 3 * beatMs &&
    electionTimeoutMsMax > electionTimeoutMsMin &&
    headStartMs >= 0 &&
    headStartMs < beatMs;
  if (!isSound) {
    throw new AppError('consensus timings contradict each other', {
      code: 'timings-unsound',
      hint:
        'Set electionTimeoutMsMin to at least 3 beats, electionTimeoutMsMax above it, and ' +
        'headStartMs below a beat.',
      retryable: false,
    });
  }
  return timings;
}

export interface LogLimits {
  /** Tries of one message at one register before its outcome is left unknown. */
  readonly exchangeAttemptsMax: number;
  readonly batchCommandsMax: number;
  readonly batchBytesMax: number;
  /** Commands waiting in one process; more are refused as busy. */
  readonly queuedCommandsMax: number;
  /** One command's body as JSON, in bytes of UTF-8. */
  readonly commandBytesMax: number;
  /** A register above either is compacted. */
  readonly tailEntriesMax: number;
  readonly tailBytesMax: number;
  /** Entries that stay behind a new base, so that a region a little behind needs no snapshot. */
  readonly entriesKept: number;
  /**
   * A follower's register above this has no process that compacts it: the leader installs its own
   * base there, so that a region without processes stays a useful voter.
   */
  readonly abandonedEntriesMax: number;
  /** Entries beyond the commit index that a leader may hold; more are refused: no quorum. */
  readonly uncommittedEntriesMax: number;
  /** A leader's register takes no command beyond this: elections still find room for their no-ops. */
  readonly registerBytesMax: number;
  /** What the store serves one partition in write units a second; DynamoDB throttles what is above. */
  readonly partitionUnitsPerSecond: number;
  /** The part of it that batches leave to votes, beats, compaction, and to what is not known yet. */
  readonly reservedUnitsPerSecond: number;
  /** What batches may spend at once on a register that rested (`write-budget.ts`). */
  readonly burstUnits: number;
  /** How long a store that throttles is left alone: from here, twice as long each time, to there. */
  readonly throttleWaitMsMin: number;
  readonly throttleWaitMsMax: number;
  /** How many entries a command id is remembered for (`sessions.ts`). */
  readonly sessionWindowEntries: number;
}

export const LOG_LIMITS: LogLimits = {
  exchangeAttemptsMax: 8,
  batchCommandsMax: 64,
  batchBytesMax: 128 * 1024,
  queuedCommandsMax: 1024,
  commandBytesMax: 64 * 1024,
  tailEntriesMax: 200,
  tailBytesMax: 96 * 1024,
  entriesKept: 32,
  abandonedEntriesMax: 480,
  uncommittedEntriesMax: 256,
  registerBytesMax: 360 * 1024,
  partitionUnitsPerSecond: 1000,
  reservedUnitsPerSecond: 100,
  burstUnits: 400,
  throttleWaitMsMin: 25,
  throttleWaitMsMax: 1000,
  sessionWindowEntries: 2048,
};

invariant(LOG_LIMITS.entriesKept < LOG_LIMITS.tailEntriesMax, 'limits-keep-more-than-tail');
invariant(
  LOG_LIMITS.abandonedEntriesMax > 2 * (LOG_LIMITS.tailEntriesMax + LOG_LIMITS.entriesKept),
  'limits-abandon-healthy-follower',
);
invariant(LOG_LIMITS.commandBytesMax <= LOG_LIMITS.batchBytesMax, 'limits-command-over-batch');
invariant(
  LOG_LIMITS.tailBytesMax + 2 * LOG_LIMITS.batchBytesMax < LOG_LIMITS.registerBytesMax,
  'limits-tail-over-register-size',
);
/** A new leader's no-op takes about 10 bytes: 20 KiB are room for 2,000 elections. */
invariant(LOG_LIMITS.registerBytesMax + 20 * 1024 <= 380 * 1024, 'limits-no-room-for-elections');
invariant(
  LOG_LIMITS.reservedUnitsPerSecond > 0 &&
    LOG_LIMITS.reservedUnitsPerSecond < LOG_LIMITS.partitionUnitsPerSecond,
  'limits-reserve-not-a-part',
);
invariant(
  LOG_LIMITS.burstUnits >= writeUnits(380 * 1024) &&
    LOG_LIMITS.burstUnits < LOG_LIMITS.partitionUnitsPerSecond,
  'limits-largest-register-never-affordable',
);
invariant(
  LOG_LIMITS.throttleWaitMsMin > 0 &&
    LOG_LIMITS.throttleWaitMsMax > LOG_LIMITS.throttleWaitMsMin &&
    LOG_LIMITS.throttleWaitMsMax < LOCAL_TIMINGS.proposeTimeoutMs,
  'limits-throttle-wait-beyond-patience',
);
