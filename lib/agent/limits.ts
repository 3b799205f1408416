/** Upper and lower bounds of everything the agent waits for, sends or repeats (style rule 10). */

export const INTERVAL_MS_MIN = 100;
export const INTERVAL_MS_MAX = 86_400_000;
/** Regions that one site may beat to. Tripoint runs in three or five. */
export const ENDPOINTS_MAX = 7;
export const REQUEST_TIMEOUT_MS_MIN = 50;
export const REQUEST_TIMEOUT_MS_MAX = 30_000;
/** Long enough for a cold Lambda behind a slow link; short enough to hear a black hole soon. */
export const REQUEST_TIMEOUT_MS_DEFAULT = 3000;
/** A failing region is tried at least this often (or at each beat, where beats are rarer). */
export const BACKOFF_MS_MAX = 5000;
/** A region may ask for beats this many times faster or slower than configured, no more. */
export const PACE_FACTOR_MAX = 4;
/** Beats move by up to this part of the interval, so that a fleet does not beat in step. */
export const JITTER_FRACTION = 0.05;
