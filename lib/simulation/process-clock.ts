/**
 * A process's clocks: the wall clock skewed and jumping, the monotonic one drifting, both silent for
 * ever once the process is dead.
 *
 * Invariant: the monotonic clock never goes back, whatever its rate does. The wall clock may show
 * anything; nothing in the log may depend on it.
 */
import type { Clock } from '../base/clock.ts';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';
import type { Vitality } from './vitality.ts';
import type { World } from './world.ts';

export interface ClockFault {
  /** Wall clock minus true time, milliseconds. */
  readonly skewMs: number;
  /** How fast this process's clocks run; 1 = true. */
  readonly rate: number;
}

const WALL_ORIGIN_MS = 1_700_000_000_000;

export class ProcessClock implements Clock {
  readonly #world: World;
  readonly #vitality: Vitality;
  readonly #usualRate: number;
  #skewMs: number;
  #rate: number;
  /** True time, and what the monotonic clock showed then, when the rate was last set. */
  #anchor = { trueMs: 0, shownMs: 0 };

  constructor(world: World, vitality: Vitality, { skewMs, rate }: ClockFault) {
    this.#world = world;
    this.#vitality = vitality;
    this.#skewMs = skewMs;
    this.#rate = rate;
    this.#usualRate = rate;
  }

  readonly wallNow: Clock['wallNow'] = () =>
    epochMillis(WALL_ORIGIN_MS + this.#shown() + this.#skewMs);

  readonly monotonicNow: Clock['monotonicNow'] = () => monotonicMillis(this.#shown());

  readonly sleep = (durationMs: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = () => this.#vitality.deliver(resolve);
      this.#world.after(durationMs / this.#rate, wake, 'wake');
    });

  /** Somebody sets the wall clock. */
  jump(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** From now on both clocks run at another rate. */
  drift(rate: number): void {
    this.#anchor = { trueMs: this.#world.now, shownMs: this.#shown() };
    this.#rate = rate;
  }

  /** Back to the rate it was made with. */
  steady(): void {
    this.drift(this.#usualRate);
  }

  #shown(): number {
    const { trueMs, shownMs } = this.#anchor;
    return shownMs + (this.#world.now - trueMs) * this.#rate;
  }
}
