/**
 * Cron expressions in a time zone: is this one, and when is its next instant?
 *
 * Functions of expression, zone and instant: no clock, no timer. Over changes of the clock croner
 * keeps what cron users expect: a job at 02:30 runs once on the night that has no 02:30, and once
 * on the night that has two; a job of each hour runs each hour that passes. Five fields only, so
 * that nothing is expected more than once a minute; `?` is refused, because it would mean "now".
 */
import { Cron } from 'croner';
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { CONFIG_LIMITS } from './limits.ts';

export interface CronSchedule {
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
}

export type CronCheck =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid'; readonly message: string; readonly fix: string };

const FIX = 'write five fields such as `0 3 * * *`: minute, hour, day, month, day of week';
const NICKNAME = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/;
const FIVE_FIELDS = /^[0-9A-Za-z*,/#-]+( +[0-9A-Za-z*,/#-]+){4}$/;
/** Whether an expression ever fires is asked from here on: the answer must not depend on today. */
const REFERENCE = new Date(Date.UTC(2024, 0, 1));

/** Whether an expression can be used, in a zone that exists. */
export function checkCron(cron: string): CronCheck {
  const isFormed = cron.length <= CONFIG_LIMITS.cronCharactersMax;
  if (!isFormed || !(NICKNAME.test(cron) || FIVE_FIELDS.test(cron))) {
    return { kind: 'invalid', message: 'is no cron expression of five fields', fix: FIX };
  }
  const parsed = parse({ cron, timezone: 'UTC' });
  if (parsed === null) {
    return { kind: 'invalid', message: 'is no cron expression', fix: FIX };
  }
  return parsed.nextRun(REFERENCE) === null
    ? { kind: 'invalid', message: 'never fires', fix: 'name a day that exists in some year' }
    : { kind: 'valid' };
}

export function isTimezone(name: string): boolean {
  if (name.length > CONFIG_LIMITS.timezoneCharactersMax || !/^[A-Za-z]/.test(name)) {
    return false;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Parsed expressions, least recently made first: parsing costs more than asking. */
const KNOWN = new Map<string, Cron>();

/** The first instant after `after`; null = none ever, or the expression is no expression. */
export function nextOccurrence(schedule: CronSchedule, after: EpochMillis): EpochMillis | null {
  const key = `${schedule.timezone} ${schedule.cron}`;
  const cron = KNOWN.get(key) ?? parse(schedule);
  if (cron === null) {
    return null;
  }
  remember(key, cron);
  const next = cron.nextRun(new Date(after));
  return next === null ? null : epochMillis(next.getTime());
}

function remember(key: string, cron: Cron): void {
  if (KNOWN.has(key)) {
    return;
  }
  KNOWN.set(key, cron);
  const [oldest] = KNOWN.keys();
  if (KNOWN.size > CONFIG_LIMITS.cronsParsedMax && oldest !== undefined) {
    KNOWN.delete(oldest);
  }
}

/** A zone shows only when it is used that this machine does not know it. */
function parse({ cron, timezone }: CronSchedule): Cron | null {
  try {
    const parsed = new Cron(cron, { timezone, paused: true });
    parsed.nextRun(REFERENCE);
    return parsed;
  } catch {
    return null;
  }
}
