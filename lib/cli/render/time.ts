/** Durations and instants as people read them. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `85 ms`, `2.31 s`, `4 min 10 s`, `3 h 12 min`, `2 d 5 h`. Below zero keeps its sign. */
export function formatElapsed(durationMs: number): string {
  const sign = durationMs < 0 ? '-' : '';
  const lengthMs = Math.abs(durationMs);
  if (lengthMs < SECOND_MS) {
    return `${sign}${Math.round(lengthMs)} ms`;
  }
  if (lengthMs < MINUTE_MS) {
    return `${sign}${(Math.floor(lengthMs / 10) / 100).toFixed(2)} s`;
  }
  if (lengthMs < HOUR_MS) {
    return `${sign}${pair(lengthMs, [MINUTE_MS, 'min'], [SECOND_MS, 's'])}`;
  }
  return lengthMs < DAY_MS
    ? `${sign}${pair(lengthMs, [HOUR_MS, 'h'], [MINUTE_MS, 'min'])}`
    : `${sign}${pair(lengthMs, [DAY_MS, 'd'], [HOUR_MS, 'h'])}`;
}

type Unit = readonly [sizeMs: number, name: string];

function pair(lengthMs: number, [majorMs, major]: Unit, [minorMs, minor]: Unit): string {
  const whole = Math.floor(lengthMs / majorMs);
  return `${whole} ${major} ${Math.floor((lengthMs - whole * majorMs) / minorMs)} ${minor}`;
}

/** Milliseconds between two RFC 3339 instants; null when one is missing. */
export function elapsedBetween(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Date.parse(to) - Date.parse(from);
}

/** `2026-11-23 09:40:00Z`. */
export function formatInstant(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)}Z`;
}
