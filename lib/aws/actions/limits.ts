/** Bounds of the calls that steps make, and why they are what they are. */

/**
 * Control planes of AWS answer within a second or two, and slower in an event. One call must end well
 * before the claim of its worker does.
 */
export const ACTION_TIMEOUTS = { requestTimeoutMs: 4000, connectionTimeoutMs: 1500 } as const;

/** Between looking and changing: twice what a look may take, and less than a claim stands. */
export const CHANGE_STALE_MS: number = 2 * ACTION_TIMEOUTS.requestTimeoutMs;

/**
 * A function is waited for no longer than this: its step is claimed for not much more. One that takes
 * longer answers `{"status":"pending"}` and is asked again.
 */
export const INVOKE_TIMEOUTS = { requestTimeoutMs: 10_000, connectionTimeoutMs: 1500 } as const;

/** A table's items come in pages of a megabyte. */
export const TABLE_TIMEOUTS = { requestTimeoutMs: 4000, connectionTimeoutMs: 1500 } as const;

/** Hooks and webhooks: somebody else's server. */
export const HTTP_TIMEOUT_MS = 4000;

/** Of an answer that is read at all; the rest is thrown away unread. */
export const ANSWER_BYTES_MAX: number = 64 * 1024;

/** Of what an outside system says, as it goes into the log. */
export const DETAIL_CHARACTERS_MAX = 300;

/** Connections to one endpoint. */
export const ACTION_SOCKETS_MAX = 8;

/** How long one call goes on copying or restoring before it says how far it is. */
export const TABLE_BUDGET_MS = 6000;

/** Parallel scans of one table. More cost memory: a page of a megabyte each, several times over. */
export const TABLE_SEGMENTS = 4;

/** Pages of one segment: as many as one listing of the store can show. 40 GB in all. */
export const PARTS_PER_SEGMENT_MAX = 10_000;

/** Of an unpacked part: a page of a megabyte, grown by base64 and names. */
export const PART_BYTES_MAX: number = 16 * 1024 * 1024;

/** What BatchWriteItem takes. */
export const BATCH_ITEMS_MAX = 25;

/** Batches under way for one segment. */
export const BATCHES_AT_ONCE = 4;

/** Tries for what a batch left unprocessed, and the first pause between two, which doubles. */
export const BATCH_TRIES_MAX = 6;
export const BATCH_PAUSE_MS = 50;
