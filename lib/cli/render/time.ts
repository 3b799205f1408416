/** Spans between instants, and instants as people read them. */

/** Milliseconds between two RFC 3339 instants; null when one is missing. */
export function elapsedBetween(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Date.parse(to) - Date.parse(from);
}

/** `2026-11-23 09:40:00Z`. */
export function formatInstant(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)}Z`;
}
