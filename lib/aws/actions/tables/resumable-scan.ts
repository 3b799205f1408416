/**
 * Reads a whole table, a page at a time, and leaves a part in the store for each page: whoever goes on,
 * in this process or another, reads where the last part of each segment ends and begins there.
 *
 * A part is written once. Of two workers at the same page one is told `conflict`, stops, and finds the
 * other's part at its next call; so a segment is one chain, whoever wrote its parts. With `isCopy` the
 * parts hold the items; without, only what was counted: that is how a restored table is checked.
 */
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import {
  EMPTY_TALLY,
  type PartHeader,
  partKey,
  partText,
  readPart,
  type SegmentEnd,
  segmentFolder,
  tallyWith,
} from '../../../backup/table-copy.ts';
import type { JsonValue } from '../../../base/json.ts';
import { classifyActionFailure, refused } from '../errors.ts';
import { PARTS_PER_SEGMENT_MAX } from '../limits.ts';
import { decodeItem, encodeItem, itemLine } from './item-codec.ts';
import {
  type Errand,
  type Failure,
  isOver,
  pack,
  sha256Bytes,
  sha256Text,
  unpack,
} from './table-options.ts';

export interface ScanJob extends Errand {
  readonly tableName: string;
  readonly folder: string;
  readonly segments: number;
  readonly isCopy: boolean;
}

export type ScanProgress =
  | { readonly kind: 'complete'; readonly ends: readonly SegmentEnd[] }
  | { readonly kind: 'under-way'; readonly items: number }
  | { readonly kind: 'stopped'; readonly failure: Failure };

interface Place {
  readonly header: PartHeader;
  /** SHA-256 of the part as stored. */
  readonly hash: string;
}

type SegmentProgress =
  | { readonly kind: 'at'; readonly place: Place | null }
  | { readonly kind: 'stopped'; readonly failure: Failure };

export async function advanceScan(job: ScanJob): Promise<ScanProgress> {
  const segments = await Promise.all(
    Array.from({ length: job.segments }, (_, segment) => advanceSegment(job, segment)),
  );
  const stopped = segments.find((progress) => progress.kind === 'stopped');
  if (stopped !== undefined) {
    return stopped;
  }
  const places = segments.flatMap((progress) =>
    progress.kind === 'at' && progress.place !== null ? [progress.place] : [],
  );
  const isComplete =
    places.length === job.segments && places.every(({ header }) => header.next === null);
  const items = places.reduce((sum, { header }) => sum + header.tally.items, 0);
  return isComplete ? { kind: 'complete', ends: places.map(endOf) } : { kind: 'under-way', items };
}

function endOf({ header, hash }: Place): SegmentEnd {
  return { segment: header.segment, parts: header.part + 1, last: hash, tally: header.tally };
}

async function advanceSegment(job: ScanJob, segment: number): Promise<SegmentProgress> {
  let progress = await lastPlace(job, segment);
  // One page at least, or a call that comes late would never get on.
  for (let pages = 0; pages === 0 || !isOver(job); pages += 1) {
    if (progress.kind === 'stopped' || progress.place?.header.next === null) {
      return progress;
    }
    const { place } = progress;
    const next = await writePart(job, segment, place);
    if (next === 'taken') {
      return progress;
    }
    progress = next;
  }
  return progress;
}

async function lastPlace({ store, folder }: ScanJob, segment: number): Promise<SegmentProgress> {
  const listing = await store.list(segmentFolder(folder, segment), PARTS_PER_SEGMENT_MAX);
  if (listing.kind === 'unknown') {
    return { kind: 'stopped', failure: listing };
  }
  const key = listing.objects.at(-1)?.key;
  if (key === undefined) {
    return { kind: 'at', place: null };
  }
  const found = await store.get(key);
  if (found.kind === 'unknown') {
    return { kind: 'stopped', failure: found };
  }
  const text = found.kind === 'found' ? await unpack(found.bytes) : null;
  const part = text === null ? null : readPart(text);
  return found.kind !== 'found' || part === null
    ? { kind: 'stopped', failure: refused('copy-damaged', `${key} cannot be read`) }
    : { kind: 'at', place: { header: part.header, hash: sha256Bytes(found.bytes) } };
}

/** Reads one page and stores it. `taken` = another worker stored this part. */
async function writePart(
  job: ScanJob,
  segment: number,
  last: Place | null,
): Promise<SegmentProgress | 'taken'> {
  const part = last === null ? 0 : last.header.part + 1;
  if (part >= PARTS_PER_SEGMENT_MAX) {
    const failure = refused('copy-too-large', `${job.tableName} has more pages than a copy holds`);
    return { kind: 'stopped', failure };
  }
  const page = await readPage(job, segment, last?.header.next ?? null);
  if (page.kind === 'stopped') {
    return page;
  }
  const header: PartHeader = {
    segment,
    part,
    previous: last?.hash ?? null,
    next: page.next,
    tally: tallyWith(last?.header.tally ?? EMPTY_TALLY, page.lines, sha256Text),
  };
  const bytes = await pack(partText(header, job.isCopy ? page.lines : []));
  const outcome = await job.store.put(partKey(job.folder, segment, part), bytes);
  if (outcome.kind === 'conflict') {
    return 'taken';
  }
  return outcome.kind === 'unknown'
    ? { kind: 'stopped', failure: outcome }
    : { kind: 'at', place: { header, hash: sha256Bytes(bytes) } };
}

async function readPage(
  { client, tableName, segments }: ScanJob,
  segment: number,
  from: JsonValue,
): Promise<
  | { readonly kind: 'page'; readonly lines: readonly string[]; readonly next: JsonValue }
  | { readonly kind: 'stopped'; readonly failure: Failure }
> {
  try {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        TotalSegments: segments,
        Segment: segment,
        ExclusiveStartKey: from === null ? undefined : decodeItem(from),
      }),
    );
    return { kind: 'page', lines: Items.map(itemLine), next: keyOrNull(LastEvaluatedKey) };
  } catch (thrown) {
    return { kind: 'stopped', failure: classifyActionFailure(thrown, `table ${tableName}`) };
  }
}

function keyOrNull(key: Record<string, AttributeValue> | undefined): JsonValue {
  return key === undefined || Object.keys(key).length === 0 ? null : encodeItem(key);
}
