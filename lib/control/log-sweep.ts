/**
 * One pass over a log that lies in pieces, in several places at once: each entry is checked against the
 * link before it, in every copy that there is of it.
 *
 * ```text
 * us-east-1   [1 ····· 100][101 ····· 200]            at each index: which copies are the entry that
 * us-east-2   [1 ·· 60][61 ····· 160]                 the link before it leads to? One is enough to go
 * us-west-2                    [161 ····· 260]        on; a copy that is not is named and left behind.
 * ```
 *
 * Invariant: what is called intact begins at a known link and has one copy of each entry that hashes to
 * the next. Somebody who rewrites all that follows an entry, in every place, is found only by a link that
 * was kept elsewhere; so copies of the state, and links that people wrote down, are compared too.
 */
import type { Sha256 } from '../base/json.ts';
import { CHAIN_START } from '../consensus/replica.ts';
import type { LogEntryView } from './control-plane.ts';
import { decodeLogLine, linkAfter } from './log-line.ts';
import type { LogPiece, PieceEvent, PieceFault } from './log-piece.ts';

/** A copy of an entry that is not what it must be. */
export interface LogBreak {
  readonly index: number;
  readonly source: string;
  readonly piece: string;
  readonly sentence: string;
  /** The link that should stand there, and the one that does; null where it is not about links. */
  readonly expected: string | null;
  readonly found: string | null;
  /** Where a copy stands that is as it must be; null = nowhere that was looked at. */
  readonly intactIn: string | null;
}

/** Entries that no place has. */
export interface LogGap {
  readonly from: number;
  readonly to: number;
}

/** A piece that could not be read, or not to its end. */
export interface LogDamage {
  readonly index: number;
  readonly source: string;
  readonly piece: string;
  readonly fault: Exclude<PieceFault, 'corrupt'>;
  readonly detail: string;
}

export interface LogSweep {
  /** The last entry up to which there is no break without another copy, and no gap. */
  readonly intactUpTo: number;
  /** The link there; null when nothing is intact. */
  readonly chain: string | null;
  readonly breaks: readonly LogBreak[];
  readonly gaps: readonly LogGap[];
  readonly damages: readonly LogDamage[];
  /** How many copies of entries were checked, by source. */
  readonly checked: ReadonlyMap<string, number>;
}

/** A link that is known from somewhere else than the log. */
export interface Anchor {
  readonly index: number;
  readonly chain: string;
  /** As it is named in a sentence. */
  readonly origin: string;
}

export interface SweepOptions {
  readonly sha256: Sha256;
  /** Where to begin: the entry behind this one. Default: the beginning of the log. */
  readonly after?: { readonly index: number; readonly chain: string };
  /** Where to end. Default: the end of the log. */
  readonly upTo?: number;
  readonly anchors?: readonly Anchor[];
  /** Called with each entry, in order, as long as all is intact; the sweep waits for it. */
  readonly onEntry?: (entry: LogEntryView) => Promise<void> | void;
}

/** Problems of one kind that are told; of a log that is all wrong, the beginning is enough. */
const TOLD_MAX = 100;

export async function sweepLog(
  pieces: readonly LogPiece[],
  options: SweepOptions,
): Promise<LogSweep> {
  const sweep = new Sweep(pieces, options);
  await sweep.run();
  return sweep.findings;
}

interface Reader {
  readonly piece: LogPiece;
  readonly events: AsyncIterator<PieceEvent>;
}

interface Held {
  readonly reader: Reader;
  readonly entry: LogEntryView;
}

/** Guards where the sweep is: the next index, the link before it, and who is being read. */
class Sweep {
  readonly #options: SweepOptions;
  readonly #anchors: ReadonlyMap<number, readonly Anchor[]>;
  #waiting: readonly LogPiece[];
  #readers: readonly Reader[] = [];
  #next: number;
  /** Null behind a gap: what comes next begins a chain that nothing vouches for. */
  #link: string | null;
  #term = 0;
  #intact: { readonly index: number; readonly chain: string | null };
  #isIntact = true;
  readonly #breaks: LogBreak[] = [];
  readonly #gaps: LogGap[] = [];
  readonly #damages: LogDamage[] = [];
  readonly #checked = new Map<string, number>();

  constructor(pieces: readonly LogPiece[], options: SweepOptions) {
    const { index, chain } = options.after ?? { index: 0, chain: CHAIN_START };
    this.#options = options;
    this.#anchors = Map.groupBy(options.anchors ?? [], ({ index: place }) => place);
    this.#next = index + 1;
    this.#link = chain;
    this.#intact = { index, chain: index === 0 ? null : chain };
    this.#waiting = pieces
      .filter(({ last }) => last === null || last >= this.#next)
      .toSorted((left, right) => left.first - right.first);
  }

  get findings(): LogSweep {
    return {
      intactUpTo: this.#intact.index,
      chain: this.#intact.chain,
      breaks: this.#breaks,
      gaps: this.#gaps,
      damages: this.#damages,
      checked: this.#checked,
    };
  }

  async run(): Promise<void> {
    let isMore = true;
    try {
      while (isMore) {
        isMore = await this.#advance();
      }
    } finally {
      for (const reader of this.#readers) {
        await this.#drop(reader);
      }
    }
  }

  /** Deals with the next index; false = there is nothing behind it, or nothing that can be checked. */
  async #advance(): Promise<boolean> {
    if (this.#next > (this.#options.upTo ?? Number.POSITIVE_INFINITY)) {
      return false;
    }
    await this.#openDue();
    const breaksBefore = this.#breaks.length;
    const held = await this.#readAll();
    const entry = await this.#judge(held);
    if (entry !== null) {
      await this.#goOn(entry);
      return true;
    }
    return this.#breaks.length === breaksBefore && this.#skipGap();
  }

  async #openDue(): Promise<void> {
    const due = this.#waiting.filter(({ first }) => first <= this.#next);
    this.#waiting = this.#waiting.slice(due.length);
    for (const piece of due) {
      const reader = { piece, events: piece.read()[Symbol.asyncIterator]() };
      this.#readers = [...this.#readers, reader];
      for (let index = piece.first; index < this.#next; index += 1) {
        await reader.events.next();
      }
    }
  }

  /** The copies of the next entry that can be read. Readers without one are closed. */
  async #readAll(): Promise<readonly Held[]> {
    const held: Held[] = [];
    for (const reader of this.#readers) {
      const entry = await this.#read(reader);
      if (entry === null) {
        await this.#drop(reader);
      } else {
        held.push({ reader, entry });
      }
    }
    return held;
  }

  async #read(reader: Reader): Promise<LogEntryView | null> {
    const { value: event, done } = await reader.events.next();
    if (done === true) {
      this.#noteEnd(reader.piece);
      return null;
    }
    switch (event.kind) {
      case 'trailer':
        await this.#checkTrailer(reader, event.trailer);
        return null;
      case 'fault':
        this.#noteFault(reader.piece, event.fault, event.detail);
        return null;
      default:
        return this.#decode(reader.piece, event.text);
    }
  }

  #decode(piece: LogPiece, text: string): LogEntryView | null {
    const entry = decodeLogLine(text);
    const isBeyond = piece.last !== null && this.#next > piece.last;
    if (entry !== null && entry.index === this.#next && !isBeyond) {
      return entry;
    }
    const sentence = isBeyond
      ? `more stands there than its name says, which ends with ${piece.last}`
      : entry === null
        ? 'the line is not that of an entry, byte for byte'
        : `entry ${entry.index} stands in its place`;
    this.#noteBreak(piece, { sentence });
    return null;
  }

  /** A piece that is named by its range ends with it, a file ends with its trailer. */
  #noteEnd(piece: LogPiece): void {
    if (piece.last === null || piece.last >= this.#next) {
      const detail =
        piece.last === null ? 'its last line is missing' : `it should go on to ${piece.last}`;
      this.#noteFault(piece, 'cut', detail);
    }
  }

  #noteFault(piece: LogPiece, fault: PieceFault, detail: string): void {
    if (fault === 'corrupt') {
      this.#noteBreak(piece, { sentence: `at or behind this entry: ${detail}` });
    } else if (this.#damages.length < TOLD_MAX) {
      const { source, name } = piece;
      this.#damages.push({ index: this.#next, source, piece: name, fault, detail });
    }
  }

  async #checkTrailer(
    { piece, events }: Reader,
    trailer: { readonly first: number; readonly last: number; readonly chain: string },
  ): Promise<void> {
    const isTrue =
      piece.last === null &&
      trailer.first === piece.first &&
      trailer.last === this.#next - 1 &&
      (this.#link === null || trailer.chain === this.#link);
    const { done } = await events.next();
    if (!isTrue || done !== true) {
      const { chain: found } = trailer;
      const sentence = isTrue
        ? 'more stands behind its last line'
        : `its last line speaks of entries ${trailer.first} to ${trailer.last}, and of another end`;
      this.#noteBreak(piece, { sentence, expected: this.#link, found });
    }
  }

  #noteBreak(piece: LogPiece, what: Partial<LogBreak> & { readonly sentence: string }): void {
    if (this.#breaks.length < TOLD_MAX) {
      const { source, name } = piece;
      const nothing = { expected: null, found: null, intactIn: null };
      this.#breaks.push({ index: this.#next, source, piece: name, ...nothing, ...what });
    }
  }

  async #drop(reader: Reader): Promise<void> {
    this.#readers = this.#readers.filter((other) => other !== reader);
    await reader.events.return?.();
  }

  /** The entry that the copies agree on; null when none of them is what it must be. */
  async #judge(held: readonly Held[]): Promise<LogEntryView | null> {
    const judged = held.map((one) => ({ ...one, fault: this.#findFault(one.entry) }));
    const good = judged.filter(({ fault }) => fault === null);
    const [first] = good;
    const other = good.find(({ entry }) => entry.chain !== first?.entry.chain);
    if (first !== undefined && other !== undefined) {
      const { source } = first.reader.piece;
      const sentence = `another entry than in ${source}, and both hash`;
      const [expected, found] = [first.entry.chain, other.entry.chain];
      this.#noteBreak(other.reader.piece, { sentence, expected, found });
      return null;
    }
    for (const { reader, fault } of judged) {
      if (fault !== null) {
        this.#noteBreak(reader.piece, { ...fault, intactIn: first?.reader.piece.source ?? null });
        await this.#drop(reader);
      }
    }
    // Copies that broke before they could be compared may be made good by this one, too.
    this.#nameIntactCopy(first?.reader.piece.source ?? null);
    for (const { reader } of good) {
      const { source } = reader.piece;
      this.#checked.set(source, (this.#checked.get(source) ?? 0) + 1);
    }
    return first?.entry ?? null;
  }

  #findFault(entry: LogEntryView): Pick<LogBreak, 'sentence' | 'expected' | 'found'> | null {
    const { chain: found, term } = entry;
    const expected =
      this.#link === null ? found : linkAfter(this.#link, entry, this.#options.sha256);
    if (expected !== found) {
      return { sentence: 'it does not hash to its link', expected, found };
    }
    const anchor = this.#anchors.get(entry.index)?.find(({ chain }) => chain !== found);
    if (anchor !== undefined) {
      return { sentence: `another log than ${anchor.origin}`, expected: anchor.chain, found };
    }
    return term < this.#term
      ? { sentence: `its term ${term} is below ${this.#term}`, expected: null, found: null }
      : null;
  }

  #nameIntactCopy(source: string | null): void {
    this.#breaks.forEach((one, place) => {
      if (one.index === this.#next && one.intactIn === null && source !== null) {
        this.#breaks[place] = { ...one, intactIn: source };
      }
    });
  }

  async #goOn(entry: LogEntryView): Promise<void> {
    this.#link = entry.chain;
    this.#term = entry.term;
    this.#next = entry.index + 1;
    if (this.#isIntact) {
      this.#intact = { index: entry.index, chain: entry.chain };
      await this.#options.onEntry?.(entry);
    }
  }

  /** Nobody has the next entry: on to the next that somebody has. False = there is none. */
  #skipGap(): boolean {
    const [piece] = this.#waiting;
    if (piece === undefined) {
      return false;
    }
    if (piece.first > this.#next) {
      this.#gaps.push({ from: this.#next, to: piece.first - 1 });
      this.#isIntact = false;
      this.#link = null;
      this.#next = piece.first;
    }
    return true;
  }
}
