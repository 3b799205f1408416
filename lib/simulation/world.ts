/**
 * The simulated world's time: an event queue in virtual milliseconds.
 *
 * The code under test is ordinary asynchronous code. It only ever waits for things that the world
 * resolves (a sleep, a register's answer), so running one event and then everything that follows
 * from it, until nothing moves, is deterministic: same seed, same trace.
 */
import type { Clock } from '../base/clock.ts';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';

interface ScheduledEvent {
  readonly at: number;
  /** Null when it was called off. */
  run: (() => void) | null;
}

export class World {
  #now = 0;
  #events = 0;
  readonly #queue: ScheduledEvent[] = [];

  get now(): number {
    return this.#now;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  /** Events of one instant run in the order in which they were scheduled. Returns how to call it off. */
  after(delayMs: number, run: () => void): () => void {
    invariant(delayMs >= 0, 'event-in-the-past', { delayMs });
    const event: ScheduledEvent = { at: this.#now + delayMs, run };
    this.#insert(event);
    return () => {
      event.run = null;
    };
  }

  /** Runs events until `until`, calling `check` after each one and all that followed from it. */
  async run(until: number, check: () => void): Promise<void> {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.at > until) {
        this.#now = until;
        return;
      }
      this.#queue.shift();
      this.#now = next.at;
      if (next.run !== null) {
        this.#events += 1;
        next.run();
        await settled();
        check();
      }
    }
  }

  /** Binary search from the end: most events are near the end of the queue. */
  #insert(event: ScheduledEvent): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#queue[middle];
      const isAfter = other !== undefined && other.at <= event.at;
      low = isAfter ? middle + 1 : low;
      high = isAfter ? high : middle;
    }
    this.#queue.splice(low, 0, event);
  }
}

/** Lets every promise that can settle do so: the queue of microtasks is empty afterwards. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface ClockFault {
  /** Wall clock minus true time, milliseconds. */
  readonly skewMs: number;
  /** How fast this process's clock runs; 1 = true. */
  readonly rate: number;
}

/** What holds a process back: nothing reaches a dead one, a frozen one hears it when it thaws. */
export class Vitality {
  #state: 'alive' | 'frozen' | 'dead' = 'alive';
  #held: (() => void)[] = [];

  get isAlive(): boolean {
    return this.#state === 'alive';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  deliver(run: () => void): void {
    if (this.#state === 'alive') {
      run();
    } else if (this.#state === 'frozen') {
      this.#held.push(run);
    }
  }

  freeze(): void {
    this.#state = this.#state === 'dead' ? 'dead' : 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') {
      return;
    }
    this.#state = 'alive';
    const held = this.#held;
    this.#held = [];
    for (const run of held) {
      run();
    }
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }
}

/** A process's clock: skewed, drifting, and silent for ever once the process is dead. */
export function simulatedClock(world: World, fault: ClockFault, vitality: Vitality): Clock {
  return {
    wallNow: () => epochMillis(1_700_000_000_000 + world.now * fault.rate + fault.skewMs),
    monotonicNow: () => monotonicMillis(world.now * fault.rate),
    sleep: (durationMs) =>
      new Promise((resolve) => {
        world.after(durationMs / fault.rate, () => vitality.deliver(resolve));
      }),
  };
}
