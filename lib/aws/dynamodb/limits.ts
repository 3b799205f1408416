/**
 * Every bound of the DynamoDB adapter, and the relations between them (docs/style.md rule 10).
 *
 * The wall is the service's: 400 KB an item, 1 MB a page of a query, one write unit per KB of the
 * whole item even when one attribute changes. All sizes are bytes; KB means 1,024 bytes, as in the
 * service's own limits page.
 */
import { invariant } from '../../base/invariant.ts';

const KB = 1024;

/** The service refuses a larger item with a ValidationException. */
export const ITEM_BYTES_WALL: number = 400 * KB;

/** A register above this is refused here, before a request is spent on it. 5 % below the wall. */
export const REGISTER_BYTES_MAX: number = 380 * KB;

/** Payload of one snapshot chunk. Its item adds a key and four small attributes. */
export const SNAPSHOT_CHUNK_BYTES: number = 300 * KB;

/** Chunks of one snapshot: 1,000 × 300 KB is 293 MB of state. Sort keys have room for 9,999. */
export const SNAPSHOT_CHUNKS_MAX = 1_000;

/** Chunk requests under way at once, for one snapshot. */
export const SNAPSHOT_PARALLEL_REQUESTS = 4;

/** Snapshots forgotten by one call of `dropSnapshotsBelow`; the next call takes the rest. */
export const SNAPSHOTS_DROPPED_MAX = 32;

/** Keys in one batch of reads: the service takes no more. */
export const BATCH_KEYS_MAX = 100;

/** Times that a batch is sent for what the service left undone. */
export const BATCH_REQUESTS_MAX = 4;

/** Batches of one `readMany` that are under way at once. */
export const PARALLEL_BATCHES_MAX = 4;

/** Pages of callers' reports that one look reads: some 4,000 sites each. */
export const REPORT_PAGES_MAX = 5;

/** A site record must cost one write unit. */
export const SITE_BYTES_MAX: number = KB;

/** Sockets per endpoint. A call beyond waits, and its wait counts against its timeout. */
export const SOCKETS_MAX = 50;

/** Looks at a table that is being made, and the pause between two looks. */
export const TABLE_POLLS_MAX = 200;
export const TABLE_POLL_INTERVAL_MS = 50;

invariant(REGISTER_BYTES_MAX < ITEM_BYTES_WALL, 'register-limit-above-wall');
invariant(SNAPSHOT_CHUNK_BYTES + KB < ITEM_BYTES_WALL, 'chunk-limit-above-wall');
