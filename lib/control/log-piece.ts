/**
 * Pieces of a log that lie somewhere: segments in the store of a region, or a file that was exported.
 *
 * A piece is read line by line, so that a log of any length is checked in little memory. What keeps a
 * piece from being read to its end is part of what it says, never an exception: whoever checks a log
 * must tell a lost object from a changed one.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import { listSegments, type Segment } from './archive-keys.ts';
import { decodeTrailer, type LogTrailer } from './log-line.ts';

export type PieceFault =
  /** The bytes are not those that were stored, or no text. */
  | 'corrupt'
  /** It ends too early. */
  | 'cut'
  /** It was listed and is not there. */
  | 'absent'
  | 'unreadable';

export type PieceEvent =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'trailer'; readonly trailer: LogTrailer }
  /** Nothing comes after it. */
  | { readonly kind: 'fault'; readonly fault: PieceFault; readonly detail: string };

export interface LogPiece {
  /** The region or the file that it belongs to. */
  readonly source: string;
  /** Its own name there. */
  readonly name: string;
  readonly first: number;
  /** As its name says; null = as its trailer says. */
  readonly last: number | null;
  readonly read: () => AsyncIterable<PieceEvent>;
}

export type PiecesFound =
  | { readonly kind: 'found'; readonly pieces: readonly LogPiece[] }
  | { readonly kind: 'unknown'; readonly cause: string };

/** The segments of the log that a store holds. */
export async function segmentPieces(source: string, store: SnapshotStore): Promise<PiecesFound> {
  const segments = await listSegments(store);
  return segments.kind === 'unknown'
    ? segments
    : { kind: 'found', pieces: segments.found.map((segment) => pieceOf(source, store, segment)) };
}

function pieceOf(source: string, store: SnapshotStore, segment: Segment): LogPiece {
  const { key: name, first, last } = segment;
  return { source, name, first, last, read: () => readSegment(store, segment) };
}

async function* readSegment(store: SnapshotStore, { key }: Segment): AsyncGenerator<PieceEvent> {
  const object = await store.get(key);
  switch (object.kind) {
    case 'found':
      yield* linesOf([object.bytes]);
      return;
    case 'absent':
      yield { kind: 'fault', fault: 'absent', detail: 'the object is gone' };
      return;
    case 'corrupt':
      yield { kind: 'fault', fault: 'corrupt', detail: object.detail };
      return;
    default:
      yield { kind: 'fault', fault: 'unreadable', detail: object.cause };
  }
}

/**
 * The lines of a text that comes in chunks. A text that does not end with a line break was cut: half
 * a line says nothing.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<PieceEvent> {
  // A byte order mark is a byte too many, like any other.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  for await (const chunk of chunks) {
    const text = decoded(decoder, chunk);
    if (text === null) {
      yield { kind: 'fault', fault: 'corrupt', detail: 'not a text in UTF-8' };
      return;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX) {
      yield { kind: 'fault', fault: 'corrupt', detail: 'a line longer than any entry' };
      return;
    }
    for (const line of lines) {
      yield eventOf(line);
    }
  }
  if (rest !== '' || decoded(decoder, null) !== '') {
    yield { kind: 'fault', fault: 'cut', detail: 'the last line has no end' };
  }
}

/** A command takes 64 KiB at most; this leaves room for whatever stands beside it. */
const LINE_CHARACTERS_MAX = 1_048_576;

type Decoder = InstanceType<typeof TextDecoder>;

/** @param chunk null = the end. Null when these bytes are no text. */
function decoded(decoder: Decoder, chunk: Uint8Array | null): string | null {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (thrown) {
    if (thrown instanceof TypeError) {
      return null;
    }
    throw thrown;
  }
}

function eventOf(text: string): PieceEvent {
  const trailer = decodeTrailer(text);
  return trailer === null ? { kind: 'line', text } : { kind: 'trailer', trailer };
}
