/**
 * An instant as RFC 3339 text in UTC with milliseconds, e.g. `2026-11-23T09:40:42.000Z`, without the
 * ambient `Date`, so that pure rooms can write reports. Civil date from days: Hinnant, "chrono-
 * Compatible Low-Level Date Algorithms", `civil_from_days`.
 */
import type { EpochMillis } from './identifiers.ts';

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
