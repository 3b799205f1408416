/**
 * Writes the parts of a copy into a table, and notes each one that is in it.
 *
 * Writing a part twice puts the same items again, so a worker that died between the write and the note
 * does no harm. A part is read as a link of its segment's chain: it must name the hash of the part
 * before it, and the last one must be the part that the manifest names.
 */
import { BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import {
  type CopyManifest,
  partKey,
  readPart,
  type SegmentEnd,
  segmentFolder,
} from '../../../backup/table-copy.ts';
import { classifyActionFailure, refused } from '../errors.ts';
import {
  BATCH_ITEMS_MAX,
  BATCH_PAUSE_MS,
  BATCH_TRIES_MAX,
  BATCHES_AT_ONCE,
  PARTS_PER_SEGMENT_MAX,
} from '../limits.ts';
import { itemOfLine } from './item-codec.ts';
import { type Errand, type Failure, isOver, sha256Bytes, unpack } from './table-options.ts';

export interface WriteJob extends Errand {
  readonly tableName: string;
  readonly copy: string;
  readonly folder: string;
  readonly manifest: CopyManifest;
}

export type WriteProgress =
  | { readonly kind: 'complete' }
  | { readonly kind: 'under-way'; readonly items: number }
  | { readonly kind: 'stopped'; readonly failure: Failure };

/** The last part that is in the table. */
interface Written {
  readonly part: number;
  readonly hash: string;
  readonly items: number;
}

type Step =
  | { readonly kind: 'at'; readonly written: Written | null }
  | { readonly kind: 'stopped'; readonly failure: Failure };

export async function writeParts(job: WriteJob): Promise<WriteProgress> {
  const steps = await Promise.all(job.manifest.ends.map((end) => writeSegment(job, end)));
  const stopped = steps.find((step) => step.kind === 'stopped');
  if (stopped !== undefined) {
    return stopped;
  }
  const written = steps.map((step) => (step.kind === 'at' ? step.written : null));
  const isComplete = job.manifest.ends.every((end, position) => {
    return written[position]?.part === end.parts - 1;
  });
  const items = written.reduce((sum, place) => sum + (place?.items ?? 0), 0);
  return isComplete ? { kind: 'complete' } : { kind: 'under-way', items };
}

async function writeSegment(job: WriteJob, end: SegmentEnd): Promise<Step> {
  let step = await lastWritten(job, end.segment);
  // One part at least, or a call that comes late would never get on.
  for (let parts = 0; parts === 0 || !isOver(job); parts += 1) {
    if (step.kind === 'stopped' || (step.written?.part ?? -1) >= end.parts - 1) {
      return step;
    }
    step = await writePart(job, end, step.written);
  }
  return step;
}

async function lastWritten({ store, folder }: WriteJob, segment: number): Promise<Step> {
  const listing = await store.list(
    segmentFolder(`${folder}/written`, segment),
    PARTS_PER_SEGMENT_MAX,
  );
  const key = listing.kind === 'listed' ? listing.objects.at(-1)?.key : undefined;
  if (listing.kind === 'unknown' || key === undefined) {
    return listing.kind === 'unknown'
      ? { kind: 'stopped', failure: listing }
      : { kind: 'at', written: null };
  }
  const found = await store.get(key);
  if (found.kind !== 'found') {
    const failure: Failure =
      found.kind === 'unknown' ? found : refused('copy-damaged', `${key} cannot be read`);
    return { kind: 'stopped', failure };
  }
  const [part, hash = '', items] = new TextDecoder().decode(found.bytes).trim().split(' ');
  return { kind: 'at', written: { part: Number(part), hash, items: Number(items) } };
}

async function writePart(job: WriteJob, end: SegmentEnd, last: Written | null): Promise<Step> {
  const part = last === null ? 0 : last.part + 1;
  const key = partKey(job.copy, end.segment, part);
  const found = await job.store.get(key);
  if (found.kind === 'unknown') {
    return { kind: 'stopped', failure: found };
  }
  const text = found.kind === 'found' ? await unpack(found.bytes) : null;
  const content = text === null ? null : readPart(text);
  const hash = found.kind === 'found' ? sha256Bytes(found.bytes) : '';
  const isLink = content !== null && content.header.previous === (last?.hash ?? null);
  const isEnd = part < end.parts - 1 || hash === end.last;
  if (content === null || !isLink || !isEnd) {
    const failure = refused('copy-damaged', `${key} is not the part that the copy was made with`);
    return { kind: 'stopped', failure };
  }
  const failure = await writeLines(job, content.lines);
  if (failure !== null) {
    return { kind: 'stopped', failure };
  }
  const written: Written = { part, hash, items: content.header.tally.items };
  const note = new TextEncoder().encode(`${part} ${hash} ${written.items}\n`);
  const outcome = await job.store.put(partKey(`${job.folder}/written`, end.segment, part), note);
  return outcome.kind === 'unknown'
    ? { kind: 'stopped', failure: outcome }
    : { kind: 'at', written };
}

/** null = all of them are in the table. */
async function writeLines(job: WriteJob, lines: readonly string[]): Promise<Failure | null> {
  const step = BATCH_ITEMS_MAX * BATCHES_AT_ONCE;
  for (let start = 0; start < lines.length; start += step) {
    const some = lines.slice(start, start + step);
    const batches = Array.from({ length: Math.ceil(some.length / BATCH_ITEMS_MAX) }, (_, batch) =>
      some.slice(batch * BATCH_ITEMS_MAX, (batch + 1) * BATCH_ITEMS_MAX),
    );
    const failures = await Promise.all(batches.map((batch) => writeBatch(job, batch)));
    const failure = failures.find((outcome) => outcome !== null);
    if (failure !== undefined) {
      return failure;
    }
  }
  return null;
}

/** What the table had no capacity for comes back and is sent again, after a pause that doubles. */
async function writeBatch(
  { client, clock, tableName }: WriteJob,
  lines: readonly string[],
): Promise<Failure | null> {
  let left: WriteRequest[] = lines.map((line) => ({ PutRequest: { Item: itemOfLine(line) } }));
  for (let tries = 0; tries < BATCH_TRIES_MAX; tries += 1) {
    try {
      const { UnprocessedItems = {} } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }),
      );
      left = UnprocessedItems[tableName] ?? [];
    } catch (thrown) {
      return classifyActionFailure(thrown, `table ${tableName}`);
    }
    if (left.length === 0) {
      return null;
    }
    await clock.sleep(BATCH_PAUSE_MS * 2 ** tries);
  }
  return { kind: 'pending', code: 'throttled', evidence: { table: tableName } };
}
