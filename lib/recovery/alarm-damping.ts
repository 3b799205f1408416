/**
 * Whether a message about an alarm is worth an entry in the log. Pure.
 *
 * A storm must not fill the log, and what it ends in must stand there all the same. So a message that
 * says nothing new is dropped; one that was overtaken is dropped; and an alarm that comes and goes has
 * its changes counted: after four at once, one more each half minute. A change that is held back is
 * not lost, it is to be brought again: whoever delivers it (a queue, a caller) keeps it until then.
 *
 * The trap: a word that repeats what stands is dropped only while the alarm is calm. While it flaps an
 * older, opposite word may be waiting, and the newest one has to be known to overtake it.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { CommittedAlarm } from './state.ts';

/** What a message says. */
export interface AlarmWord {
  readonly name: string;
  readonly state: CommittedAlarm['state'];
  readonly at: EpochMillis;
  /** When it changed by the clock of the one monitor that counts; absent where it comes without. */
  readonly changedAt?: EpochMillis;
}

export type AlarmNews =
  /** `flaps` is the count after it. */
  | { readonly kind: 'news'; readonly flaps: number }
  | { readonly kind: 'known' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'damped'; readonly retryMs: number };

/** One change is forgotten after so long. */
export const FLAP_DECAY_MS = 30_000;
/** Changes of one alarm that are taken at once, and of all the alarms of a site. */
const FLAPS_MAX = 4;
const SITE_FLAPS_MAX = 24;

export function alarmNews(alarms: readonly CommittedAlarm[], word: AlarmWord): AlarmNews {
  const standing = alarms.find(({ name }) => name === word.name);
  if (standing !== undefined && isOvertaken(standing, word)) {
    return { kind: 'superseded' };
  }
  const flaps = standing === undefined ? 0 : flapsAt(standing, word.at);
  const isSame = standing?.state === word.state;
  if (isSame && (flaps <= 1 || standing.changedAt === word.changedAt)) {
    return { kind: 'known' };
  }
  const ofSite = alarms.reduce((sum, alarm) => sum + flapsAt(alarm, word.at), 0);
  // The first alarm against a site is what all this is for: it waits for no other one.
  const isFirst = word.state === 'alarm' && !alarms.some(({ state }) => state === 'alarm');
  const over = Math.max(flaps - FLAPS_MAX, isFirst ? -SITE_FLAPS_MAX : ofSite - SITE_FLAPS_MAX) + 1;
  return over > 0
    ? { kind: 'damped', retryMs: Math.max(1000, Math.ceil(over * FLAP_DECAY_MS)) }
    : { kind: 'news', flaps: flaps + 1 };
}

/** Two words of one clock; where there is none they count in the order of the log. */
function isOvertaken({ changedAt: standing }: CommittedAlarm, { changedAt }: AlarmWord): boolean {
  return standing !== undefined && changedAt !== undefined && changedAt < standing;
}

function flapsAt({ flaps = 0, at }: CommittedAlarm, now: EpochMillis): number {
  return Math.max(0, flaps - Math.max(0, now - at) / FLAP_DECAY_MS);
}
