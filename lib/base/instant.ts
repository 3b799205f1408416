/**
 * An instant as RFC 3339 text in UTC with milliseconds, e.g. `2026-11-23T09:40:42.000Z`, without the
 * ambient `Date`, so that pure rooms can write reports. Civil date from days: Hinnant, "chrono-
 * Compatible Low-Level Date Algorithms", `civil_from_days`.
 */
import { type EpochMillis, epochMillis } from './identifiers.ts';

const DAY_MS = 86_400_000;

/** @param instant any finite instant of the years 0 to 9999. */
export function formatInstant(instant: EpochMillis): string {
  const wholeMs = Math.floor(instant);
  const days = Math.floor(wholeMs / DAY_MS);
  const inDayMs = wholeMs - days * DAY_MS;
  const { year, month, day } = civilFromDays(days);
  const hours = Math.floor(inDayMs / 3_600_000);
  const minutes = Math.floor(inDayMs / 60_000) % 60;
  const seconds = Math.floor(inDayMs / 1000) % 60;
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return `${date}T${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(inDayMs % 1000, 3)}Z`;
}

/** The same for sentences that people read, to the second: `2026-11-23 09:40:42Z`. */
export function instantWords(instant: EpochMillis): string {
  const text = formatInstant(instant);
  return `${text.slice(0, 10)} ${text.slice(11, 19)}Z`;
}

/** Inverse of `formatInstant`; null when the text is none of its texts. */
export function parseInstant(text: string): EpochMillis | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})\.(\d{3})Z$/.exec(text);
  if (match === null) {
    return null;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0] = match
    .slice(1)
    .map(Number);
  const inDayMs = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  const instant = epochMillis(daysFromCivil(year, month, day) * DAY_MS + inDayMs);
  return formatInstant(instant) === text ? instant : null;
}

/** Hinnant, `days_from_civil`. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + dayOfEra + dayOfYear - 719_468;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, day };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
