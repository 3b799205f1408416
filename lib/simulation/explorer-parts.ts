/** What the makers of moves share: the rules, the tables, and how a move is told. */
import type { Checks } from './explorer-checks.ts';
import type { Exchanges } from './explorer-exchanges.ts';
import type { Rules, Scope } from './explorer-scope.ts';
import type { State } from './explorer-state.ts';
import type { Catalogues } from './explorer-symmetry.ts';

export interface Parts {
  readonly rules: Rules;
  readonly scope: Scope;
  readonly catalogues: Catalogues;
  readonly checks: Checks;
  readonly exchanges: Exchanges;
}

/** Takes a state that can follow. The row is the visitor's own. */
export type Visit = (next: State) => void;

export interface MoveMaker {
  /** The move that was being made when `visit` was called, or a check failed; in words. */
  readonly move: string;
  /** Calls `visit` with each state that can follow, some more than once. */
  readonly successors: (state: State, visit: Visit) => void;
}
