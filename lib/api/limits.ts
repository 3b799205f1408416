/** Upper limits of everything the API accepts, remembers or repeats (style rule 10). */
import { invariant } from '../base/invariant.ts';
import { CONTROL_LIMITS } from '../control/limits.ts';

export const API_LIMITS = {
  /** A body that one log entry could never hold is refused before it is parsed. */
  bodyBytesMax: 64 * 1024,
  /** A batch of 500 beats with the longest names. */
  batchBodyBytesMax: 256 * 1024,
  /** What of a ping's body is looked at; the rest is not read. */
  pingBodyBytesMax: 10_000,
  /** Of the first line of that body. */
  pingMessageBytesMax: 200,
  beatsPerBatchMax: CONTROL_LIMITS.batchBeatsMax,
  /** Longer credentials are wrong without being hashed. */
  tokenCharactersMax: 512,
  requestIdCharactersMax: 128,
  nameCharactersMax: 63,
  /** `service-index`, see `startRun`. */
  runIdCharactersMax: 128,
  /** `key:` in front must still fit a command id of 128 characters. */
  idempotencyKeyCharactersMax: 120,
  reasonCharactersMax: 500,
  actorCharactersMax: 100,
  alarmNameCharactersMax: 255,
  logPageMax: CONTROL_LIMITS.logPageMax,
  logPageDefault: 100,
  /** Problems that one answer lists; the rest is counted. */
  problemErrorsMax: 50,
  /** Heartbeat senders whose rate is remembered. */
  trackedSendersMax: 10_000,
  /** How long a status view waits for the sites to be read; then it shows what was known. */
  lookPatienceMs: 500,
} as const;

invariant(
  'key:'.length + API_LIMITS.idempotencyKeyCharactersMax <= 128,
  'limits-idempotency-key-over-command-id',
);
invariant(API_LIMITS.logPageDefault <= API_LIMITS.logPageMax, 'limits-log-page');
