/**
 * How far the data of a standby is behind: log-normal around a usual lag, drawn anew each second, and
 * growing with the time since the way between the sites was cut or the other side was lost. When it
 * flows again, what was missed is caught up with many times as fast as it was written.
 */
import type { Random } from '../../base/clock.ts';
import type { World } from '../world.ts';
import { ASSUMED, logNormal } from './assumptions.ts';

const DRAWN_EACH_MS = 1000;
const CATCH_UP_RATE = 20;

export class ReplicationLag {
  readonly #world: World;
  readonly #random: Random;
  #usualMs: number;
  #drawnAt = 0;
  /** Since when nothing is replicated; null = it flows. */
  #stoppedAt: number | null = null;
  /** What was missed when it began to flow again. */
  #backlog = { ms: 0, at: 0 };
  /** What a scenario adds. */
  extraMs = 0;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#usualMs = ASSUMED.lagMedianMs;
  }

  /** Milliseconds of writes that a standby does not have. */
  get now(): number {
    const { now } = this.#world;
    if (now - this.#drawnAt >= DRAWN_EACH_MS) {
      this.#drawnAt = now;
      this.#usualMs = logNormal(this.#random, ASSUMED.lagMedianMs, ASSUMED.lagSigma);
    }
    const missedMs =
      this.#stoppedAt === null
        ? Math.max(0, this.#backlog.ms - CATCH_UP_RATE * (now - this.#backlog.at))
        : now - this.#stoppedAt;
    return Math.round(this.#usualMs + this.extraMs + missedMs);
  }

  stop(): void {
    this.#stoppedAt ??= this.#world.now;
  }

  resume(): void {
    const { now } = this.#world;
    this.#backlog = { ms: now - (this.#stoppedAt ?? now), at: now };
    this.#stoppedAt = null;
  }
}
