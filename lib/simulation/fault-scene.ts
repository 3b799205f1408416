/** What every fault needs: whom it can hit, how long it lasts, and a way to end that healing undoes. */
import type { Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { integerBetween } from './random.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { World } from './world.ts';

export interface SceneOptions {
  readonly cluster: SimulatedCluster;
  readonly world: World;
  readonly random: Random;
  /** How long one fault lasts, at most. */
  readonly faultMs: number;
}

/** Who leads is worth more to an adversary than the others. */
const LEADER_CHANCE = 0.4;
const DURATION_MS_MIN = 40;

export class FaultScene {
  readonly cluster: SimulatedCluster;
  readonly random: Random;
  readonly world: World;
  readonly #faultMs: number;
  #isOver = false;

  constructor({ cluster, world, random, faultMs }: SceneOptions) {
    this.cluster = cluster;
    this.world = world;
    this.random = random;
    this.#faultMs = faultMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on nothing begins or ends by itself. */
  close(): void {
    this.#isOver = true;
  }

  later(delayMs: number, run: () => void): void {
    this.world.after(
      delayMs,
      () => {
        if (!this.#isOver) {
          run();
        }
      },
      'fault',
    );
  }

  /** Mostly short. */
  durationMs(): number {
    return DURATION_MS_MIN + this.random() ** 2 * this.#faultMs;
  }

  victim(): RegionId {
    const { leader } = this.cluster;
    return leader !== null && this.random() < LEADER_CHANCE ? leader : this.anyRegion();
  }

  anyRegion(): RegionId {
    const { regions } = this.cluster;
    const region = regions[integerBetween(this.random, 0, regions.length - 1)];
    invariant(region !== undefined, 'no-region');
    return region;
  }
}
