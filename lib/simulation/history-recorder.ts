/**
 * Writes down what the simulated clients asked and were told, on the world's one true clock.
 *
 * An operation that nobody answered (its process died, or the life ended first) is `unknown`: it may
 * take effect at any time after it began, or never.
 */
import type { HistoryOperation, RegisterOperation } from './history.ts';

type Answer = Pick<HistoryOperation, 'outcome' | 'result'>;

interface OpenOperation {
  readonly client: number;
  readonly op: RegisterOperation;
  readonly invoke: number;
}

export class HistoryRecorder {
  readonly #now: () => number;
  readonly #operations: HistoryOperation[] = [];
  readonly #open = new Set<OpenOperation>();

  /** `nowMs` is the world's time. */
  constructor(nowMs: () => number) {
    this.#now = () => Math.round(nowMs() * 1000);
  }

  /** Returns how to complete it. */
  begin(client: number, op: RegisterOperation): (answer: Answer) => void {
    const operation: OpenOperation = { client, op, invoke: this.#now() };
    this.#open.add(operation);
    return (answer) => {
      this.#open.delete(operation);
      this.#operations.push({ ...operation, complete: this.#now(), ...answer });
    };
  }

  /** Lets go of what was answered, where nobody will ask for the whole. */
  forget(): void {
    this.#operations.length = 0;
  }

  /** All of them, as they stand now. */
  operations(): readonly HistoryOperation[] {
    const complete = this.#now();
    const open = [...this.#open].map(
      (operation): HistoryOperation => ({
        ...operation,
        complete,
        outcome: 'unknown',
        result: null,
      }),
    );
    return [...this.#operations, ...open];
  }
}
