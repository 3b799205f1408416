/**
 * The hunt for one mutant: seeded lives, one after the other, until one of them finds it out; or the
 * unit tests that it names.
 */
import { runInWorker } from '../worker.ts';
import type { Mutant } from './mutant.ts';
import type { FailingTests } from './test-hunt.ts';

export interface HuntOrder {
  readonly mutant: Mutant;
  readonly firstSeed: number;
  /** How many lives may go by. */
  readonly seeds: number;
}

export type Hunt = CaughtByLife | CaughtByTest | Survived;

export interface CaughtByLife {
  readonly kind: 'caught-by-life';
  readonly name: string;
  readonly seed: number;
  /** Code of what was violated. */
  readonly violation: string;
  /** The message that the life ended with. */
  readonly cause: string;
}

interface CaughtByTest {
  readonly kind: 'caught-by-test';
  readonly name: string;
  /** The first test that fails. */
  readonly test: string;
}

interface Survived {
  readonly kind: 'survived';
  readonly name: string;
  /** Lives, or files of tests. */
  readonly tries: number;
}

/**
 * By lives, in a thread of its own, which alone runs the mutated code. Rejects when the mutant's text
 * is not in the source.
 */
export function hunt(order: HuntOrder): Promise<Hunt> {
  const entry = new URL('./hunt-main.ts', import.meta.url);
  return runInWorker<Hunt>({ entry, order, onProgress: () => undefined });
}

/** What the unit tests that a mutant names made of it. */
export function huntOf({ name }: Mutant, failing: FailingTests): Hunt {
  const [test] = failing.get(name) ?? [];
  return test === undefined
    ? { kind: 'survived', name, tries: 1 }
    : { kind: 'caught-by-test', name, test };
}
