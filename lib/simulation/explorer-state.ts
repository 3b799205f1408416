/**
 * One state of the world as a row of numbers:
 *
 *     registers │ late writes │ callers │ copies │ candidacies │ judged │ leaders
 *
 * Registers, leaders' copies, candidacies and what was judged committed are numbers of a catalogue.
 * A caller is all that a process remembers: the latest copy of the latest leader that it saw (as old
 * as you like), how far it knows the log to be committed, for whom it is collecting votes, and what
 * it has read for a linearizable read. Copies (one a term) and candidacies (three a term) are what
 * some caller remembers, where callers are not counted; there the one caller is the one who reads.
 */
import { REGIONS } from './explorer-catalogue.ts';
import type { Scope } from './explorer-scope.ts';

export type State = readonly number[];

export const REGION_COUNT: number = REGIONS.length;

/** Places within one caller's part. */
export const LEADER = 0;
export const COMMIT = 1;
export const CANDIDACY = 2;
export const READING = 3;
export const CALLER_WIDTH = 4;

export interface Layout {
  readonly lateWrites: number;
  readonly lateWritesEnd: number;
  readonly callers: number;
  readonly callersEnd: number;
  readonly copies: number;
  readonly copiesEnd: number;
  readonly candidacies: number;
  readonly candidaciesEnd: number;
  /** What was judged committed. */
  readonly judged: number;
  /** Which region led in each term: two bits a term. */
  readonly leaders: number;
  readonly width: number;
}

export function layoutOf(scope: Scope): Layout {
  const lateWritesEnd = REGION_COUNT + scope.lateWrites;
  const isCrowd = scope.callers === 'any';
  const callersEnd = lateWritesEnd + (isCrowd ? 1 : Number(scope.callers)) * CALLER_WIDTH;
  const copiesEnd = callersEnd + (isCrowd ? scope.terms : 0);
  const candidaciesEnd = copiesEnd + (isCrowd ? scope.terms * REGION_COUNT : 0);
  return {
    lateWrites: REGION_COUNT,
    lateWritesEnd,
    callers: lateWritesEnd,
    callersEnd,
    copies: callersEnd,
    copiesEnd,
    candidacies: copiesEnd,
    candidaciesEnd,
    judged: candidaciesEnd,
    leaders: candidaciesEnd + 1,
    width: candidaciesEnd + 2,
  };
}

/** Reads of a row within its width; a hole would be a bug of the layout, and reads as 0. */
export function at(state: State, place: number): number {
  return state[place] ?? 0;
}

// ── A late write: its region, and the server it would leave there ────────────────────────────────

export function packLate(region: number, server: number): number {
  return server * REGION_COUNT + region;
}

export function lateRegion(packed: number): number {
  return packed % REGION_COUNT;
}

export function lateServer(packed: number): number {
  return Math.floor(packed / REGION_COUNT);
}

// ── A read under way: the server it read first, and what was judged committed when it began ──────

const FLOORS = 8;

export function packReading(server: number, floor: number): number {
  return server * FLOORS + floor;
}

export function readingServer(packed: number): number {
  return Math.floor(packed / FLOORS);
}

export function readingFloor(packed: number): number {
  return packed % FLOORS;
}

// ── Leaders of each term ─────────────────────────────────────────────────────────────────────────

/** The region that led in `term`; null = none did. */
export function leaderIn(leaders: number, term: number): number | null {
  const bits = (leaders >>> (2 * term)) & 3;
  return bits === 0 ? null : bits - 1;
}

export function withLeader(leaders: number, term: number, region: number): number {
  return leaders | ((region + 1) << (2 * term));
}
