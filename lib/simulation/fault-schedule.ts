/**
 * What goes wrong in a simulated life, and when: chance decides both.
 *
 * Each kind is counted when it takes hold, so that a campaign can tell that it met all of them.
 */
import type { Random } from '../base/clock.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import { FaultScene } from './fault-scene.ts';
import * as networkFaults from './network-faults.ts';
import * as processFaults from './process-faults.ts';
import { integerBetween } from './random.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { tableLost, transfer } from './table-loss.ts';
import type { World } from './world.ts';

export interface FaultCounts {
  readonly [kind: string]: number;
}

/** Every fault by its name in reports. Each tells whether it took hold: some find nobody to hit. */
const FAULTS = {
  crashes: processFaults.crash,
  freezes: processFaults.freeze,
  longFreezes: processFaults.longFreeze,
  outages: processFaults.outage,
  doubles: processFaults.double,
  stampedes: processFaults.stampede,
  duels: processFaults.duel,
  clockJumps: processFaults.clockJump,
  clockDrifts: processFaults.clockDrift,
  archivesAway: processFaults.archiveAway,
  regionsDown: networkFaults.regionDown,
  regionsSlow: networkFaults.slowRegion,
  regionsThrottled: networkFaults.throttledRegion,
  regionsReadOnly: networkFaults.readOnlyRegion,
  regionsFlapping: networkFaults.flappingRegion,
  majoritiesDown: networkFaults.majorityDown,
  regionsNarrow: networkFaults.narrowRegion,
  waysCut: networkFaults.wayCut,
  partitions: networkFaults.partition,
  bridges: networkFaults.bridge,
  storms: networkFaults.storm,
  tablesLost: tableLost,
  transfers: transfer,
} as const;

/** A storm and an ambush work at every request while they last: they come more often than the rest. */
const WEIGHTS: { readonly [kind: string]: number } = {
  storms: 3,
  crashes: 2,
  freezes: 2,
  duels: 2,
  regionsSlow: 2,
  tablesLost: 4,
};
const AMBUSH_WEIGHT = 3;

type FaultName = keyof typeof FAULTS | 'ambushes';

const DECK: readonly FaultName[] = [
  ...(Object.keys(FAULTS) as (keyof typeof FAULTS)[]).flatMap((name) =>
    Array<FaultName>(WEIGHTS[name] ?? 1).fill(name),
  ),
  ...Array<FaultName>(AMBUSH_WEIGHT).fill('ambushes'),
];

/** Where an ambush can catch a process: in the middle of any call of the port. */
const AMBUSHED: readonly (keyof RegisterPort)[] = [
  'read',
  'compareAndSet',
  'readBeat',
  'writeBeat',
  'readSnapshot',
  'writeSnapshot',
  'dropSnapshotsBelow',
];

const PAUSE_MS_MIN = 10;

export interface ScheduleOptions {
  readonly cluster: SimulatedCluster;
  readonly world: World;
  readonly random: Random;
  readonly faultMs: number;
  /** Between two faults, at most. */
  readonly faultPauseMs: number;
}

export class FaultSchedule {
  readonly #scene: FaultScene;
  readonly #pauseMs: number;
  readonly #counts: Map<string, number>;

  constructor({ faultPauseMs, ...options }: ScheduleOptions) {
    this.#scene = new FaultScene(options);
    this.#pauseMs = faultPauseMs;
    const kinds = [...Object.keys(FAULTS), 'ambushes', ...AMBUSHED.map(ambushAt)];
    this.#counts = new Map(kinds.map((kind) => [kind, 0]));
  }

  get counts(): FaultCounts {
    return Object.fromEntries(this.#counts);
  }

  begin(): void {
    this.#scene.later(PAUSE_MS_MIN + this.#scene.random() * this.#pauseMs, () => {
      this.#inject();
      this.begin();
    });
  }

  /** Nothing goes wrong any more; who is frozen thaws, who is dead comes back, doubles go. */
  end(): void {
    const { cluster } = this.#scene;
    this.#scene.close();
    cluster.network.heal();
    cluster.network.onAct = () => undefined;
    cluster.archivedUpTo = Number.POSITIVE_INFINITY;
    for (const region of cluster.regions) {
      cluster.storeAt(region).bytesMax = cluster.storeBytesMax;
    }
    for (const process of cluster.processes) {
      if (process.kind === 'double') {
        cluster.remove(process);
      } else {
        process.clock.steady();
        process.vitality.thaw();
        processFaults.revive(this.#scene, process);
      }
    }
  }

  #inject(): void {
    const name = DECK[integerBetween(this.#scene.random, 0, DECK.length - 1)] ?? 'ambushes';
    this.#scene.world.note(name);
    if (name === 'ambushes') {
      processFaults.ambush(this.#scene, (method) => this.#count(ambushAt(method)));
      this.#count(name);
    } else if (FAULTS[name](this.#scene)) {
      this.#count(name);
    }
  }

  #count(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }
}

function ambushAt(method: keyof RegisterPort): string {
  return `ambush at ${method}`;
}
