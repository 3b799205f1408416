/**
 * A client that writes notes while processes die, and keeps book of what it was told.
 *
 * Every note has its own Idempotency-Key. An answer is acknowledged (with an index), refused for
 * certain, or unknown. An unknown note is sent again under the same key, or looked up by it, until
 * its fate is known. A note is only ever "absent" when each of its attempts certainly wrote nothing.
 */
import type { LocalCluster } from './cluster.ts';
import { REGIONS, SERVICE } from './cluster.ts';
import type { SeededRandom } from './random.ts';
import { sleep } from './wait.ts';

const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 80;
const RETRY_PAUSE_MS = 150;
const ATTEMPTS_MAX = 200;
const LOOK_UP_CHANCE = 0.4;
const ASK_AGAIN_CHANCE = 0.1;

export interface NoteRecord {
  readonly key: string;
  readonly text: string;
  /** Index of every acknowledgement that was received; they must all agree. */
  readonly indexes: readonly number[];
  readonly fate: 'acknowledged' | 'absent' | 'unknown';
  readonly attempts: number;
}

export interface NoteClient {
  /** Finishes the note at hand and resolves with all of them. */
  readonly stop: () => Promise<readonly NoteRecord[]>;
  readonly count: () => number;
}

export interface NoteClientOptions {
  readonly cluster: LocalCluster;
  /** Its own: chance that several clients share would depend on the network. */
  readonly random: SeededRandom;
  /** Beginning of every key, unique in the run. */
  readonly name: string;
}

export function startNoteClient({ cluster, random, name }: NoteClientOptions): NoteClient {
  const records: NoteRecord[] = [];
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      const text = `${name}-${records.length}`;
      records.push(await writeNote(cluster, random, { key: text, text: `note ${text}` }));
      await sleep(random.between(PAUSE_MS_MIN, PAUSE_MS_MAX));
    }
    return records;
  };
  const done = work();
  return {
    stop: () => {
      isOver = true;
      return done;
    },
    count: () => records.length,
  };
}

type Reply =
  | { readonly kind: 'acknowledged'; readonly index: number }
  | { readonly kind: 'nothing-written' }
  | { readonly kind: 'unknown' };

/** What the attempts so far add up to. */
interface Book {
  readonly indexes: readonly number[];
  readonly isInDoubt: boolean;
}

async function writeNote(
  cluster: LocalCluster,
  random: SeededRandom,
  note: { readonly key: string; readonly text: string },
): Promise<NoteRecord> {
  let book: Book = { indexes: [], isInDoubt: false };
  for (let attempts = 1; attempts <= ATTEMPTS_MAX; attempts += 1) {
    const region = random.pick(REGIONS);
    const isLookUp = book.isInDoubt && random.next() < LOOK_UP_CHANCE;
    const reply = await (isLookUp
      ? lookUp(cluster, region, note.key)
      : send(cluster, region, note));
    if (reply.kind === 'nothing-written' && !book.isInDoubt && book.indexes.length === 0) {
      return { ...note, indexes: [], fate: 'absent', attempts };
    }
    book = bookAfter(book, reply);
    // Asks again after an answer now and then: it must be the same answer.
    const isEnough = book.indexes.length > 1 || random.next() >= ASK_AGAIN_CHANCE;
    if (reply.kind === 'acknowledged' && isEnough) {
      return { ...note, indexes: book.indexes, fate: 'acknowledged', attempts };
    }
    await sleep(RETRY_PAUSE_MS);
  }
  return { ...note, indexes: book.indexes, fate: 'unknown', attempts: ATTEMPTS_MAX };
}

function bookAfter({ indexes, isInDoubt }: Book, reply: Reply): Book {
  return {
    indexes: reply.kind === 'acknowledged' ? [...indexes, reply.index] : indexes,
    isInDoubt: isInDoubt || reply.kind === 'unknown',
  };
}

/** What the answer proves, by its status and code alone. */
async function send(
  cluster: LocalCluster,
  region: string,
  { key, text }: { readonly key: string; readonly text: string },
): Promise<Reply> {
  const answer = await cluster.post(region, `/v1/services/${SERVICE}/notes`, {
    body: { text },
    key,
  });
  if (answer === null) {
    return { kind: 'unknown' };
  }
  const { index, code } = answer.body as { readonly index?: number; readonly code?: string };
  if (answer.status === 200 && index !== undefined) {
    return { kind: 'acknowledged', index };
  }
  const isCertain = answer.status < 500 || (code !== 'outcome-unknown' && code !== 'internal');
  return { kind: isCertain ? 'nothing-written' : 'unknown' };
}

async function lookUp(cluster: LocalCluster, region: string, key: string): Promise<Reply> {
  const answer = await cluster.get(region, `/v1/commands/${encodeURIComponent(`key:${key}`)}`);
  const { index } = (answer?.body ?? {}) as { readonly index?: number };
  return answer?.status === 200 && index !== undefined
    ? { kind: 'acknowledged', index }
    : { kind: 'unknown' };
}
