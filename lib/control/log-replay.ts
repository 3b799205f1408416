/**
 * The state as it was after an entry, made again from the archive by the machine that made it the first
 * time. What the log says is the only source; a copy of the state below only saves time, and its
 * link must be that of the log.
 */
import type { RegionId } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import {
  applyEntries,
  emptyReplica,
  type Replica,
  type StateMachine,
} from '../consensus/replica.ts';
import type { Entry } from '../consensus/server.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { LogEntryView } from './control-plane.ts';
import { type Gathered, gather, type LogPlace } from './log-audit.ts';
import { entryOf } from './log-line.ts';
import type { LogPiece } from './log-piece.ts';
import { type LogSweep, sweepLog } from './log-sweep.ts';
import { createControlMachine } from './machine.ts';
import { readStateCopy } from './state-copies.ts';

export interface StateAtOptions {
  readonly index: number;
  /**
   * The regions that the cluster was made with: a replay that begins with the first entry must know
   * whose verdicts count. Null = not known.
   */
  readonly founders: readonly RegionId[] | null;
  readonly sha256: Sha256;
}

export type StateAt =
  | {
      readonly kind: 'found';
      readonly entry: LogEntryView;
      readonly replica: Replica<RecoveryState>;
      /** Index of the copy that the replay began with; 0 = it began with the first entry. */
      readonly replayedAfter: number;
    }
  | { readonly kind: 'empty' }
  /** What the others hold is not enough. */
  | { readonly kind: 'silent'; readonly silent: Gathered['silent'] }
  /** The replay would begin with the first entry. */
  | { readonly kind: 'founders-unknown' }
  | { readonly kind: 'beyond'; readonly last: number }
  | { readonly kind: 'before'; readonly first: number }
  /** Something between the beginning of the replay and the entry is changed or lost. */
  | { readonly kind: 'broken'; readonly sweep: LogSweep };

/** Entries that are applied at once: remembering sessions costs the same for one and for many. */
const BATCH_ENTRIES = 64;

export async function stateAt(
  places: readonly LogPlace[],
  options: StateAtOptions,
): Promise<StateAt> {
  const { pieces, silent } = await gather(places);
  const outcome: StateAt =
    pieces.length === 0 ? { kind: 'empty' } : await replayTo(places, pieces, options);
  const isAnswer = outcome.kind === 'found' || outcome.kind === 'founders-unknown';
  return isAnswer || silent.length === 0 ? outcome : { kind: 'silent', silent };
}

async function replayTo(
  places: readonly LogPlace[],
  pieces: readonly LogPiece[],
  { index, founders, sha256 }: StateAtOptions,
): Promise<StateAt> {
  const machine = createControlMachine(founders ?? []);
  const start = (await newestCopy(places, index - 1)) ?? emptyReplica(machine);
  if (start.applied.index === 0 && founders === null) {
    return { kind: 'founders-unknown' };
  }
  const replay = new Replay(start, { machine, sha256 });
  const sweep = await sweepLog(pieces, {
    sha256,
    after: { index: start.applied.index, chain: start.chain },
    upTo: index,
    onEntry: (verified) => replay.take(verified),
  });
  const { entry, replica } = replay.finish();
  return entry !== null && sweep.intactUpTo === index
    ? { kind: 'found', entry, replica, replayedAfter: start.applied.index }
    : whyNot(pieces, index, sweep);
}

interface Application {
  readonly machine: StateMachine<RecoveryState>;
  readonly sha256: Sha256;
}

/** Guards the replica while entries come, and those that wait to be applied. */
class Replay {
  readonly #application: Application;
  #replica: Replica<RecoveryState>;
  #waiting: Entry[] = [];
  #last: LogEntryView | null = null;

  constructor(start: Replica<RecoveryState>, application: Application) {
    this.#replica = start;
    this.#application = application;
  }

  take(entry: LogEntryView): void {
    this.#last = entry;
    this.#waiting.push(entryOf(entry));
    if (this.#waiting.length === BATCH_ENTRIES) {
      this.finish();
    }
  }

  /** The state after the last entry that came. */
  finish(): { readonly entry: LogEntryView | null; readonly replica: Replica<RecoveryState> } {
    this.#replica = applyEntries(this.#replica, this.#waiting, this.#application).replica;
    this.#waiting = [];
    return { entry: this.#last, replica: this.#replica };
  }
}

async function newestCopy(
  places: readonly LogPlace[],
  index: number,
): Promise<Replica<RecoveryState> | null> {
  let newest: Replica<RecoveryState> | null = null;
  for (const { store } of places) {
    const copy = store === null ? null : await readStateCopy(store, index);
    if (copy !== null && copy.applied.index > (newest?.applied.index ?? 0)) {
      newest = copy;
    }
  }
  return newest;
}

function whyNot(pieces: readonly LogPiece[], index: number, sweep: LogSweep): StateAt {
  const first = Math.min(...pieces.map((piece) => piece.first));
  if (index < first) {
    return { kind: 'before', first };
  }
  const isClean = sweep.breaks.length + sweep.gaps.length + sweep.damages.length === 0;
  const last = Math.max(sweep.intactUpTo, ...pieces.map((piece) => piece.last ?? 0));
  return isClean || index > last ? { kind: 'beyond', last } : { kind: 'broken', sweep };
}
