/** Upper limits of one switch and of one change batch, with the relations checked at load. */
import { invariant } from '../base/invariant.ts';

export const SWITCH_LIMITS: {
  readonly attemptsMax: number;
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  readonly recordsPerBatchMax: number;
  readonly valueCharactersPerBatchMax: number;
  readonly ttlSecondsMax: number;
  readonly shareMax: number;
  readonly weightMax: number;
} = {
  /** Reads, each followed by at most one change, before the switch is `unknown`. */
  attemptsMax: 8,
  /** First wait after `busy` or `unknown`; doubles up to the maximum, with full jitter above it. */
  backoffMsMin: 50,
  backoffMsMax: 2000,
  /** Route 53: ResourceRecord elements in one request. */
  recordsPerBatchMax: 1000,
  /** Route 53: characters in all Value elements of one request. */
  valueCharactersPerBatchMax: 32_000,
  ttlSecondsMax: 86_400,
  /** Shares of traffic are per cent. */
  shareMax: 100,
  /** Route 53: weight of one set. */
  weightMax: 255,
};

invariant(
  SWITCH_LIMITS.backoffMsMin > 0 && SWITCH_LIMITS.backoffMsMin <= SWITCH_LIMITS.backoffMsMax,
  'limits-backoff-order',
);
invariant(SWITCH_LIMITS.shareMax <= SWITCH_LIMITS.weightMax, 'limits-share-above-weight');
/** Two attempts are needed to find out what became of one lost answer. */
invariant(SWITCH_LIMITS.attemptsMax >= 2, 'limits-attempts-too-few');
