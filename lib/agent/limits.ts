/** Upper and lower bounds of everything the agent waits for, sends or repeats (style rule 10). */

export const INTERVAL_MS_MIN = 100;
export const INTERVAL_MS_MAX = 86_400_000;
/** Regions that one site may beat to. Tripoint runs in three or five. */
export const ENDPOINTS_MAX = 7;
export const REQUEST_TIMEOUT_MS_MIN = 50;
export const REQUEST_TIMEOUT_MS_MAX = 30_000;
/**
 * Unless the host says otherwise a request may take this part of the interval: the next beat must
 * not find the socket still waiting in a black hole. Never below or above these, for a cold Lambda
 * and a slow link; a region that answers later has the beat all the same.
 */
export const REQUEST_TIMEOUT_SHARE = 0.9;
export const REQUEST_TIMEOUT_MS_LEAST = 500;
export const REQUEST_TIMEOUT_MS_MOST = 3000;
/** A failing region is tried at least this often (or at each beat, where beats are rarer). */
export const BACKOFF_MS_MAX = 5000;
/** A region may ask for beats this many times faster or slower than configured, no more. */
export const PACE_FACTOR_MAX = 4;
/** Beats move by up to this part of the interval, so that a fleet does not beat in step. */
export const JITTER_FRACTION = 0.05;

/** What a region lends that says nothing of a lease (an older one), in times until the next beat. */
export const LEASE_INTERVALS_ABSENT = 3;
/** No answer makes a site believe its role for longer than this many beats. */
export const LEASE_INTERVALS_MAX = 12;
/** A margin never shortens a lease below this many beats: the role would lapse without any fault. */
export const LEASE_INTERVALS_BELIEVED_MIN = 1.5;
/** Beats without an answer after which every region is asked, also those left alone for a while. */
export const LEASE_RISK_INTERVALS = 1.5;
/** A lease is looked at this often at least, so that a sleep of the machine is noticed soon. */
export const LEASE_LOOK_MS_MAX = 500;
export const LEASE_MARGIN_MS_MAX = 3_600_000;
/** Clocks that differ by more than this slept differently; less is their resolution. */
export const SUSPENSION_MS_MIN = 1100;

/** What a check or a hook may print before the rest is dropped. */
export const OUTPUT_BYTES_MAX = 8192;
/** Between asking a child to end and killing it, and then between killing and giving it up. */
export const KILL_GRACE_MS = 500;
/** How long the last words of a child that has ended are waited for. */
export const OUTPUT_GRACE_MS = 200;
export const COMMAND_TIMEOUT_MS_MIN = 50;
export const COMMAND_TIMEOUT_MS_MAX = 600_000;
/** Unless said otherwise a check may take this long, and never longer than the time between two. */
export const CHECK_TIMEOUT_MS_DEFAULT = 5000;
/** Back-off of a hook that failed: a site that must stop serving is not left alone for long. */
export const HOOK_RETRY_MS_MIN = 250;
export const HOOK_RETRY_MS_MAX = 5000;
/** Beats after the start in which a role must have been heard; else the site is demoted. */
export const UNHEARD_INTERVALS_MAX = 3;
/** A line about the state is logged this often though nothing happens. */
export const STATE_LINE_MS = 60_000;
