/**
 * Timings and limits of the log, with the relations between them checked at load.
 *
 * No timing is part of safety: a wrong clock or a wrong setting costs an election, never an entry.
 */
import { AppError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';

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
}

/** One machine (specification: beats each 50 ms, election timeouts of 150 to 300 ms). */
export const LOCAL_TIMINGS: ConsensusTimings = checkTimings({
  beatMs: 50,
  electionTimeoutMsMin: 150,
  electionTimeoutMsMax: 300,
  followMs: 200,
  proposeTimeoutMs: 5000,
});

/** Three AWS regions: round trips of up to 100 ms, and a beat that costs a write. */
export const AWS_TIMINGS: ConsensusTimings = checkTimings({
  beatMs: 1000,
  electionTimeoutMsMin: 4000,
  electionTimeoutMsMax: 8000,
  followMs: 1000,
  proposeTimeoutMs: 8000,
});

export function checkTimings(timings: ConsensusTimings): ConsensusTimings {
  const { beatMs, electionTimeoutMsMin, electionTimeoutMsMax } = timings;
  const isSound =
    beatMs > 0 && electionTimeoutMsMin >= 3 * beatMs && electionTimeoutMsMax > electionTimeoutMsMin;
  if (!isSound) {
    throw new AppError('consensus timings contradict each other', {
      code: 'timings-unsound',
      hint: 'Set electionTimeoutMsMin to at least 3 beats, and electionTimeoutMsMax above it.',
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
  sessionWindowEntries: 2048,
};

invariant(LOG_LIMITS.entriesKept < LOG_LIMITS.tailEntriesMax, 'limits-keep-more-than-tail');
invariant(
  LOG_LIMITS.abandonedEntriesMax > 2 * (LOG_LIMITS.tailEntriesMax + LOG_LIMITS.entriesKept),
  'limits-abandon-healthy-follower',
);
invariant(LOG_LIMITS.commandBytesMax <= LOG_LIMITS.batchBytesMax, 'limits-command-over-batch');
invariant(
  LOG_LIMITS.tailBytesMax + 2 * LOG_LIMITS.batchBytesMax < 380 * 1024,
  'limits-tail-over-item-size',
);
