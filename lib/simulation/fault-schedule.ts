/**
 * What goes wrong in a simulated life, and when: chance decides both.
 *
 * Each kind is counted when it takes hold, so that a campaign can tell that it met all of them.
 */
import type { Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { FaultCounts } from './network.ts';
import { integerBetween } from './random.ts';
import type { ProcessKind, SimulatedCluster, SimulatedProcess } from './simulated-cluster.ts';
import type { Vitality, World } from './world.ts';

export interface ProcessFaultCounts {
  crashes: number;
  freezes: number;
  regionsDown: number;
  waysCut: number;
  partitions: number;
  outages: number;
  storms: number;
  ambushes: number;
}

const PAUSE_MS_MIN = 30;
const PAUSE_MS_SPREAD = 500;
const DURATION_MS_MIN = 50;
const DURATION_MS_SPREAD = 2500;
const LEADER_CHANCE = 0.4;
/** Of one request, while somebody lies in wait. */
const AMBUSH_CHANCE = 0.04;

export class FaultSchedule {
  readonly #cluster: SimulatedCluster;
  readonly #world: World;
  readonly #random: Random;
  readonly #counts: ProcessFaultCounts = {
    crashes: 0,
    freezes: 0,
    regionsDown: 0,
    waysCut: 0,
    partitions: 0,
    outages: 0,
    storms: 0,
    ambushes: 0,
  };
  #isOver = false;

  constructor(cluster: SimulatedCluster, world: World, random: Random) {
    this.#cluster = cluster;
    this.#world = world;
    this.#random = random;
  }

  get counts(): FaultCounts & ProcessFaultCounts {
    return { ...this.#cluster.network.counts, ...this.#counts };
  }

  begin(): void {
    this.#world.after(PAUSE_MS_MIN + this.#random() * PAUSE_MS_SPREAD, () => {
      if (!this.#isOver) {
        this.#inject();
        this.begin();
      }
    });
  }

  /** Nothing goes wrong any more; who is frozen thaws, who is dead comes back. */
  end(): void {
    this.#isOver = true;
    this.#cluster.network.heal();
    this.#cluster.network.onAct = () => undefined;
    for (const process of this.#cluster.processes) {
      process.vitality.thaw();
      this.#revive(process);
    }
  }

  #revive({ kind, region }: SimulatedProcess): void {
    if (this.#cluster.processAt(kind, region).vitality.isDead) {
      this.#cluster.start(kind, region);
    }
  }

  #inject(): void {
    const durationMs = DURATION_MS_MIN + this.#random() ** 2 * DURATION_MS_SPREAD;
    const kind: ProcessKind = this.#random() < 0.6 ? 'controller' : 'function';
    const [region, other] = [this.#victim(), this.#anyRegion()];
    const faults = [
      () => this.#crash(kind, region, durationMs),
      () => this.#freeze(this.#cluster.processAt(kind, region).vitality, durationMs),
      () => this.#down(region, durationMs),
      () => this.#cut(`${region}>${other}`, durationMs),
      () => this.#partition(durationMs),
      () => this.#outage(region, durationMs * 2),
      () => this.#storm(durationMs),
      () => this.#ambush(durationMs),
    ];
    faults[integerBetween(this.#random, 0, faults.length - 1)]?.();
  }

  #crash(kind: ProcessKind, region: RegionId, durationMs: number): void {
    const process = this.#cluster.processAt(kind, region);
    if (!process.vitality.isDead) {
      this.#counts.crashes += 1;
      process.vitality.kill();
      this.#world.after(durationMs, () => this.#revive(process));
    }
  }

  #freeze(vitality: Vitality, durationMs: number): void {
    if (vitality.isAlive) {
      this.#counts.freezes += 1;
      vitality.freeze();
      this.#world.after(durationMs, () => vitality.thaw());
    }
  }

  #down(region: RegionId, durationMs: number): void {
    const { down } = this.#cluster.network;
    this.#counts.regionsDown += 1;
    down.add(region);
    this.#world.after(durationMs, () => down.delete(region));
  }

  #cut(way: string, durationMs: number): void {
    this.#counts.waysCut += 1;
    this.#cutFor(way, durationMs);
  }

  #cutFor(way: string, durationMs: number): void {
    const { cutWays } = this.#cluster.network;
    cutWays.add(way);
    this.#world.after(durationMs, () => cutWays.delete(way));
  }

  /** Two groups of regions that hear nothing of each other. */
  #partition(durationMs: number): void {
    this.#counts.partitions += 1;
    const side = new Map(this.#cluster.regions.map((region) => [region, this.#random() < 0.5]));
    for (const from of this.#cluster.regions) {
      for (const to of this.#cluster.regions) {
        if (side.get(from) !== side.get(to)) {
          this.#cutFor(`${from}>${to}`, durationMs);
        }
      }
    }
  }

  /** The whole region is gone: its table, and its processes. */
  #outage(region: RegionId, durationMs: number): void {
    this.#counts.outages += 1;
    this.#down(region, durationMs);
    this.#crash('controller', region, durationMs);
    this.#crash('function', region, durationMs);
  }

  /** Processes freeze just when a store has taken their request: between any two of their steps. */
  #ambush(durationMs: number): void {
    const { network } = this.#cluster;
    network.onAct = ({ vitality }) => {
      if (this.#random() < AMBUSH_CHANCE) {
        this.#counts.ambushes += 1;
        this.#freeze(vitality, this.#random() * 1500);
      }
    };
    this.#world.after(durationMs, () => {
      network.onAct = () => undefined;
    });
  }

  #storm(durationMs: number): void {
    this.#counts.storms += 1;
    this.#cluster.network.storm({
      lossChance: this.#random() * 0.3,
      lateChance: this.#random() * 0.2,
      duplicateChance: this.#random() * 0.2,
      refusalChance: this.#random() * 0.1,
    });
    this.#world.after(durationMs, () => this.#cluster.network.calm());
  }

  /** Who leads is worth more to an adversary than the others. */
  #victim(): RegionId {
    const { leader } = this.#cluster;
    return leader !== null && this.#random() < LEADER_CHANCE ? leader : this.#anyRegion();
  }

  #anyRegion(): RegionId {
    const { regions } = this.#cluster;
    const region = regions[integerBetween(this.#random, 0, regions.length - 1)];
    invariant(region !== undefined, 'no-region');
    return region;
  }
}
