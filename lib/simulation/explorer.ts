/**
 * Visits every state that the log's real code can reach within a scope, once, breadth first.
 *
 * `explorer-callers.ts` and `explorer-crowd.ts` say what can happen, `explorer-checks.ts` what must hold, `explorer-symmetry.ts`
 * which states count as one. A state's place in the order of visits is its number; the shortest way to
 * a violation is told as a trace, by walking it again from the first state.
 *
 * Sources: explicit-state model checking with hash compaction and symmetry, as in Murφ and TLC; here
 * the transition relation is not a model of the code but the code.
 */
import { InvariantError, invariant } from '../base/invariant.ts';
import { pristineServer, type Server } from '../consensus/server.ts';
import { CallerMoves } from './explorer-callers.ts';
import { IDENTITIES, REGIONS, serverText } from './explorer-catalogue.ts';
import { Checks } from './explorer-checks.ts';
import { CrowdMoves } from './explorer-crowd.ts';
import { Exchanges } from './explorer-exchanges.ts';
import type { MoveMaker } from './explorer-parts.ts';
import { checkScope, type Rules, type Scope } from './explorer-scope.ts';
import { at, layoutOf, REGION_COUNT, type State } from './explorer-state.ts';
import { newCatalogues, Symmetry } from './explorer-symmetry.ts';
import { Rows, Visited } from './explorer-visited.ts';

export interface ExplorationOptions {
  readonly rules: Rules;
  readonly scope: Scope;
  /** More states than this end the exploration with an error: bounds the memory. */
  readonly statesMax: number;
  /** Called with the registers of each state that is met. */
  readonly onState?: (registers: readonly Server[]) => unknown;
}

export interface Exploration {
  /** Distinct states, up to renaming. */
  readonly states: number;
  /** Moves made, each to a state that may be known. */
  readonly transitions: number;
  /** Moves on the longest of the shortest ways to a state. */
  readonly depth: number;
  /** Distinct contents of a register. */
  readonly servers: number;
  /** Distinct writes by the kind of message that made them. */
  readonly writes: { readonly [kind: string]: number };
  readonly violation: Violation | null;
}

export interface Violation {
  readonly code: string;
  /** One line per move, and what the registers hold after it. */
  readonly trace: readonly string[];
}

export function explore(options: ExplorationOptions): Exploration {
  checkScope(options.scope);
  return new Explorer(options).run();
}

class Explorer {
  readonly #width: number;
  readonly #catalogues = newCatalogues();
  readonly #checks: Checks;
  readonly #exchanges: Exchanges;
  readonly #moves: MoveMaker;
  readonly #symmetry: Symmetry;
  readonly #visited: Visited;
  readonly #first: State;
  readonly #onState: (registers: readonly Server[]) => unknown;
  #waiting: Rows;
  #found: Rows;
  #transitions = 0;
  #depth = 0;

  constructor({ rules, scope, statesMax, onState }: ExplorationOptions) {
    const layout = layoutOf(scope);
    const catalogues = this.#catalogues;
    this.#width = layout.width;
    this.#checks = new Checks(catalogues, layout);
    const exchanges = new Exchanges(rules, catalogues, this.#checks);
    this.#exchanges = exchanges;
    const parts = { rules, scope, catalogues, checks: this.#checks, exchanges };
    this.#moves = scope.callers === 'any' ? new CrowdMoves(parts) : new CallerMoves(parts);
    this.#symmetry = new Symmetry(catalogues, scope);
    this.#visited = new Visited(statesMax);
    this.#onState = onState ?? (() => undefined);
    const registers = IDENTITIES.map((identity) =>
      catalogues.servers.numberOf(pristineServer(identity)),
    );
    this.#first = [...registers, ...new Array<number>(this.#width - REGION_COUNT).fill(0)];
    this.#waiting = new Rows(this.#width);
    this.#found = new Rows(this.#width);
  }

  run(): Exploration {
    this.#meet(this.#first, null);
    let number = 0;
    while (this.#found.count > 0) {
      this.#waiting = this.#found;
      this.#found = new Rows(this.#width);
      for (let place = 0; place < this.#waiting.count; place += 1) {
        const violation = this.#expand(this.#waiting.rowAt(place), number);
        if (violation !== null) {
          return this.#result(violation);
        }
        number += 1;
      }
      this.#depth += this.#found.count > 0 ? 1 : 0;
    }
    return this.#result(null);
  }

  #expand(state: State, number: number): Violation | null {
    try {
      this.#moves.successors(state, (next) => {
        this.#transitions += 1;
        this.#meet(next, number);
      });
      return null;
    } catch (thrown) {
      if (thrown instanceof InvariantError && thrown.code !== 'scope-too-large') {
        const last = `${this.#moves.move} → ${thrown.message}`;
        return { code: thrown.code, trace: [...this.#traceTo(number), last] };
      }
      throw thrown;
    }
  }

  #meet(state: State, parent: number | null): void {
    this.#symmetry.fingerprint(state);
    if (this.#visited.add(this.#symmetry.high, this.#symmetry.low, parent)) {
      this.#checks.state(state);
      this.#found.push(state);
      this.#onState(this.#registers(state));
    }
  }

  #result(violation: Violation | null): Exploration {
    return {
      states: this.#visited.count,
      transitions: this.#transitions,
      depth: this.#depth,
      servers: this.#catalogues.servers.size,
      writes: Object.fromEntries(this.#exchanges.writes),
      violation,
    };
  }

  // ── Traces ─────────────────────────────────────────────────────────────────────────────────────

  /** Walks again, under the names that came first, to a state that counts as this one. */
  #traceTo(number: number): readonly string[] {
    const lines: string[] = [];
    let state = this.#first;
    for (const step of this.#visited.pathTo(number).slice(1)) {
      const [move, next] = this.#towards(state, step);
      lines.push(`${move} → ${this.#describe(next)}`);
      state = next;
    }
    return lines;
  }

  #towards(state: State, number: number): readonly [string, State] {
    let found: readonly [string, State] | null = null;
    this.#moves.successors(state, (next) => {
      this.#symmetry.fingerprint(next);
      const isIt = this.#visited.isState(number, this.#symmetry.high, this.#symmetry.low);
      found ??= isIt ? [this.#moves.move, next] : null;
    });
    invariant(found !== null, 'trace-lost', { number });
    return found;
  }

  #describe(state: State): string {
    return this.#registers(state).map(serverText).join(' | ');
  }

  #registers(state: State): readonly Server[] {
    return REGIONS.map((_, region) => this.#catalogues.servers.valueOf(at(state, region)));
  }
}
