/**
 * Durations as people read them: one form in every sentence, table and report. Pure.
 */

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

/** `8.6`: where several are held against each other and the unit is named once, after the last. */
export function inSeconds(durationMs: number): string {
  return (durationMs / SECOND_MS).toFixed(1);
}
