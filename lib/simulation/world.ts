/**
 * The simulated world's time: an event queue in virtual milliseconds.
 *
 * The code under test is ordinary asynchronous code. It only ever waits for things that the world
 * resolves (a sleep, a register's answer), so running one event and then everything that follows
 * from it, until nothing moves, is deterministic: same seed, same trace.
 *
 * "Until nothing moves" is a property of the language: the queue of microtasks runs until it is
 * empty, and Node looks at `process.nextTick` only then. So the next event waits behind a microtask
 * that asks for a tick, and no turn of the event loop, with its system call, is spent on it.
 */
import { invariant } from '../base/invariant.ts';
import { EventQueue, type ScheduledEvent } from './event-queue.ts';
import { TraceHash } from './trace-hash.ts';

export interface RunOptions {
  /** When to stop at the latest. */
  readonly until: number;
  /** Called after each event and all that followed from it; what it throws ends the run. */
  readonly check: () => void;
  /** Asked after each check; the run ends as soon as it is so. */
  readonly isDone?: () => boolean;
}

const SETTLED = Promise.resolve();

export class World {
  readonly trace: TraceHash = new TraceHash();
  readonly #queue = new EventQueue();
  readonly #tell: ((line: string) => void) | null;
  #now = 0;
  #events = 0;

  /** `tell` hears of each event as a line of text, for whoever wants to read a life. */
  constructor(tell: ((line: string) => void) | null = null) {
    this.#tell = tell;
  }

  get now(): number {
    return this.#now;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  /** Events of one instant run in the order in which they were scheduled. Returns how to call it off. */
  after(delayMs: number, run: () => void, label = ''): () => void {
    invariant(delayMs >= 0, 'event-in-the-past', { delayMs });
    const event = this.#queue.push(this.#now + delayMs, run, label);
    return () => {
      event.run = null;
    };
  }

  /** What happened within an event, beyond that it ran. */
  note(what: string, ...figures: readonly number[]): void {
    this.trace.text(what);
    for (const figure of figures) {
      this.trace.number(figure);
    }
    this.#tell?.(`${this.#now} ${what} ${figures.join(' ')}`);
  }

  /** Resolves true when it was done, false when its time was over. */
  run({ until, check, isDone = () => false }: RunOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        try {
          check();
          if (isDone()) {
            resolve(true);
          } else if (this.#runNext(until)) {
            void SETTLED.then(nextTurn);
          } else {
            resolve(false);
          }
        } catch (thrown) {
          reject(thrown);
        }
      };
      const nextTurn = () => process.nextTick(turn);
      // Once a run the real event loop gets its turn, so that a long life starves nobody.
      setImmediate(() => void SETTLED.then(nextTurn));
    });
  }

  /** False when there is none until then. */
  #runNext(until: number): boolean {
    let event = this.#queue.popUntil(until);
    while (event?.run === null) {
      event = this.#queue.popUntil(until);
    }
    if (event === null) {
      this.#now = until;
      return false;
    }
    this.#now = event.at;
    this.#events += 1;
    this.#record(event);
    event.run?.();
    return true;
  }

  #record({ at, label }: ScheduledEvent): void {
    this.trace.number(at);
    this.trace.text(label);
    this.#tell?.(`${at} ${label}`);
  }
}
