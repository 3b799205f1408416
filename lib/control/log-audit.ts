/**
 * Is the log what it was? Checks every archived entry against the hash chain, without a running cluster.
 *
 * The chain alone finds whoever changes an entry and not all that follow. The copies of the state, in
 * the same stores, and links that people kept, find also who rewrote the rest, or cut it off: each copy
 * names an index that the log had reached, and the link that it had there.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Sha256 } from '../base/json.ts';
import { CONTROL_LIMITS } from './limits.ts';
import type { LogPiece, PiecesFound } from './log-piece.ts';
import { type Anchor, type LogSweep, sweepLog } from './log-sweep.ts';
import { readStateCopy, stateCopiesOf } from './state-copies.ts';

/** Where a log may lie: the store of a region, or a file. */
export interface LogPlace {
  readonly name: string;
  readonly pieces: () => Promise<PiecesFound>;
  /** Where copies of the state lie beside it; null = a file has none. */
  readonly store: SnapshotStore | null;
}

export interface LogAudit extends LogSweep {
  /** `empty`: no place holds a single entry. */
  readonly outcome: 'intact' | 'broken' | 'incomplete' | 'empty';
  readonly places: readonly {
    readonly name: string;
    readonly pieces: number;
    readonly entries: number;
  }[];
  /** Places that did not say what they hold. */
  readonly silent: readonly { readonly name: string; readonly cause: string }[];
  /** Entries that somebody knew of, and that are not, or no longer, in the archive. */
  readonly missingTail: { readonly upTo: number; readonly origin: string } | null;
  /** Links from elsewhere that were compared. */
  readonly anchors: readonly Anchor[];
}

export interface AuditOptions {
  readonly sha256: Sha256;
  /** Links that somebody kept. */
  readonly known: readonly Anchor[];
}

export async function auditLog(
  places: readonly LogPlace[],
  { sha256, known }: AuditOptions,
): Promise<LogAudit> {
  const { pieces, silent, counts } = await gather(places);
  const end = Math.max(0, ...pieces.map(({ last }) => last ?? 0));
  const anchors = [...known, ...(await stateAnchors(places, end))];
  const sweep = await sweepLog(pieces, { sha256, anchors });
  const missingTail = await findMissingTail(places, known, sweep);
  const report = places.map(({ name }) => ({
    name,
    pieces: counts.get(name) ?? 0,
    entries: sweep.checked.get(name) ?? 0,
  }));
  const isWhole =
    sweep.gaps.length + sweep.damages.length + silent.length === 0 && missingTail === null;
  const { intactUpTo, breaks, gaps, damages } = sweep;
  const isEmpty = intactUpTo + breaks.length + gaps.length + damages.length === 0;
  const found = isEmpty && silent.length === 0 ? 'empty' : null;
  const outcome = found ?? (sweep.breaks.length > 0 ? 'broken' : isWhole ? 'intact' : 'incomplete');
  return { ...sweep, outcome, places: report, silent, missingTail, anchors };
}

export interface Gathered {
  readonly pieces: readonly LogPiece[];
  readonly silent: readonly { readonly name: string; readonly cause: string }[];
  /** How many pieces each place holds. */
  readonly counts: ReadonlyMap<string, number>;
}

export async function gather(places: readonly LogPlace[]): Promise<Gathered> {
  const pieces: LogPiece[] = [];
  const silent: { name: string; cause: string }[] = [];
  const counts = new Map<string, number>();
  for (const { name, pieces: find } of places) {
    const outcome = await find();
    if (outcome.kind === 'found') {
      pieces.push(...outcome.pieces);
      counts.set(name, outcome.pieces.length);
    } else {
      silent.push({ name, cause: outcome.cause });
    }
  }
  return { pieces, silent, counts };
}

/** What the newest copy within the archive says of the chain, for each place. */
async function stateAnchors(places: readonly LogPlace[], end: number): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  for (const { name, store } of places) {
    const replica = store === null ? null : await readStateCopy(store, end);
    if (replica !== null) {
      const { applied, chain } = replica;
      const origin = `the copy of the state at ${applied.index} in ${name}`;
      anchors.push({ index: applied.index, chain, origin });
    }
  }
  return anchors;
}

/**
 * A region archives full segments. So a copy of the state may be ahead of the archive, but not by a
 * whole segment, or only for a moment.
 */
async function findMissingTail(
  places: readonly LogPlace[],
  known: readonly Anchor[],
  { intactUpTo, gaps, breaks }: LogSweep,
): Promise<LogAudit['missingTail']> {
  if (gaps.length > 0 || breaks.length > 0) {
    return null;
  }
  const kept = known.find(({ index }) => index > intactUpTo);
  if (kept !== undefined) {
    return { upTo: kept.index, origin: kept.origin };
  }
  for (const { name, store } of places) {
    const newest = store === null ? undefined : (await stateCopiesOf(store)).at(-1);
    if (newest !== undefined && newest - intactUpTo >= CONTROL_LIMITS.segmentEntries) {
      return { upTo: newest, origin: `the copy of the state at ${newest} in ${name}` };
    }
  }
  return null;
}
