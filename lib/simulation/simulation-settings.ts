/**
 * Timings and limits of a simulated life: the production ones, made so small that a life of seconds
 * compacts, installs, fills up and forgets. The relations between them are those of `LOG_LIMITS`.
 */
import { invariant } from '../base/invariant.ts';
import {
  type ConsensusTimings,
  LOCAL_TIMINGS,
  LOG_LIMITS,
  type LogLimits,
} from '../consensus/settings.ts';

/** Short enough that clients meet unknown outcomes and take them elsewhere. */
export const LIFE_TIMINGS: ConsensusTimings = { ...LOCAL_TIMINGS, proposeTimeoutMs: 1000 };

export const LIFE_LIMITS: LogLimits = {
  ...LOG_LIMITS,
  batchCommandsMax: 4,
  batchBytesMax: 1536,
  commandBytesMax: 640,
  tailEntriesMax: 10,
  tailBytesMax: 3 * 1024,
  entriesKept: 3,
  abandonedEntriesMax: 28,
  uncommittedEntriesMax: 16,
  registerBytesMax: 7 * 1024,
  sessionWindowEntries: 32,
};

/** Where DynamoDB's 400 KB stand, on the scale of these limits. */
export const LIFE_STORE_BYTES_MAX = 8 * 1024;

invariant(
  LIFE_LIMITS.tailBytesMax + 2 * LIFE_LIMITS.batchBytesMax < LIFE_LIMITS.registerBytesMax,
  'limits-tail-over-item-size',
);
invariant(LIFE_LIMITS.registerBytesMax < LIFE_STORE_BYTES_MAX, 'limits-no-room-for-elections');
invariant(
  LIFE_LIMITS.abandonedEntriesMax > 2 * (LIFE_LIMITS.tailEntriesMax + LIFE_LIMITS.entriesKept),
  'limits-abandon-healthy-follower',
);

export const COMPACTION_PERIOD_MS = 200;
