/**
 * Durations as people write them in the configuration: a whole number and a unit, `500ms`, `30s`,
 * `5m`, `1h`. One unit only: `90s` instead of `1m30s`, so that one duration has few spellings.
 */

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Source of the pattern, shared with the JSON Schema for editors. */
export const DURATION_PATTERN: RegExp = /^(0|[1-9][0-9]{0,11})(ms|s|m|h)$/;

/** Whole milliseconds; null when the text is not a duration. */
export function parseDuration(text: string): number | null {
  const match = DURATION_PATTERN.exec(text);
  const unit = UNITS.find(([name]) => name === match?.[2]);
  return match === null || unit === undefined ? null : Number(match[1]) * unit[1];
}

/** The shortest exact spelling: 90,000 gives `90s`, 0 gives `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) {
    return '0s';
  }
  const [name, unitMs] = UNITS.find(([, size]) => durationMs % size === 0) ?? UNITS[3];
  return `${durationMs / unitMs}${name}`;
}
