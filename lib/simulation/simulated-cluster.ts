/**
 * The simulated cluster: one register a region, and the processes that lend them their CPU.
 *
 * In each region a controller (it beats, elects, compacts) and a function (it only answers requests,
 * and is frozen in between), as on AWS. They are two threads of one Raft server, and share nothing but
 * its register. The code they run is the production code; only the register, the clock and chance
 * are simulated.
 */
import type { Clock, Random } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import { type RegionId, regionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Sha256 } from '../base/json.ts';
import { type Cluster, createCluster, leaderAmong } from '../consensus/cluster.ts';
import { Compactor } from '../consensus/compactor.ts';
import { LogHost } from '../consensus/log-host.ts';
import { Pulse } from '../consensus/pulse.ts';
import type { Copy, RegisterPort } from '../consensus/register-port.ts';
import { type Base, type ClusterIdentity, pristineServer } from '../consensus/server.ts';
import {
  type ConsensusTimings,
  LOCAL_TIMINGS,
  LOG_LIMITS,
  type LogLimits,
} from '../consensus/settings.ts';
import { LEDGER_MACHINE, type Ledger } from './ledger.ts';
import { MemoryRegister, memoryRegisterPort } from './memory-register.ts';
import { Network, simulatedRegisterPort } from './network.ts';
import { simulatedClock, Vitality, type World } from './world.ts';

const REGION_NAMES = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1'] as const;

/** Short enough that clients meet unknown outcomes and take them elsewhere. */
const TIMINGS: ConsensusTimings = { ...LOCAL_TIMINGS, proposeTimeoutMs: 1500 };

/** Small enough that a life of seconds compacts, installs, fills up and forgets. */
export const SIMULATED_LIMITS: LogLimits = {
  ...LOG_LIMITS,
  batchCommandsMax: 8,
  tailEntriesMax: 40,
  entriesKept: 8,
  abandonedEntriesMax: 100,
  uncommittedEntriesMax: 60,
  sessionWindowEntries: 120,
};

const COMPACTION_PERIOD_MS = 300;

export type ProcessKind = 'controller' | 'function';

export interface SimulatedProcess {
  readonly kind: ProcessKind;
  readonly region: RegionId;
  readonly vitality: Vitality;
  readonly clock: Clock;
  readonly host: LogHost<Ledger>;
  /** Reads this region's beat and catches up, as a function does before it answers. */
  readonly lookUp: () => Promise<void>;
}

export interface ClusterSetup {
  readonly world: World;
  readonly random: Random;
  readonly sha256: Sha256;
  /** 3 or 5. */
  readonly memberCount: number;
  /** What stands between the network and each store; for twins that must fail. */
  readonly sabotage: (port: RegisterPort) => RegisterPort;
  /** Called for each process that starts, before it does anything. */
  readonly onStart: (process: SimulatedProcess) => void;
  /** Called with whatever a process met that it may not meet. */
  readonly onFailure: (thrown: unknown) => void;
}

export class SimulatedCluster {
  readonly regions: readonly RegionId[];
  readonly network: Network;
  readonly #setup: ClusterSetup;
  readonly #stores = new Map<RegionId, MemoryRegister>();
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #eventCounts = new Map<string, number>();

  constructor(setup: ClusterSetup) {
    this.#setup = setup;
    this.regions = REGION_NAMES.slice(0, setup.memberCount).map(regionId);
    this.network = new Network(setup.world, setup.random);
    for (const region of this.regions) {
      const store = new MemoryRegister();
      store.compareAndSet(0, pristineServer({ ...this.#identityOf(region), incarnation: 1 }));
      this.#stores.set(region, store);
    }
  }

  /** The registers as they stand now. */
  get copies(): readonly Copy[] {
    return [...this.#stores.values()].map(({ copy }) => copy).filter((copy) => copy !== null);
  }

  /** Whether the region's table holds the snapshot at `base`. */
  hasSnapshot(region: RegionId, base: Base): boolean {
    return this.#stores.get(region)?.readSnapshot(base) !== null;
  }

  /** The region that leads in the highest term; null when that term has no leader. */
  get leader(): RegionId | null {
    return leaderAmong(this.copies.map(({ server }) => server))?.identity.region ?? null;
  }

  get processes(): readonly SimulatedProcess[] {
    return [...this.#processes.values()];
  }

  processAt(kind: ProcessKind, region: RegionId): SimulatedProcess {
    const process = this.#processes.get(`${kind}@${region}`);
    invariant(process !== undefined, 'process-not-started', { kind, region });
    return process;
  }

  /** How often any process logged this event. */
  logged(event: string): number {
    return this.#eventCounts.get(event) ?? 0;
  }

  /** A new process, in the place of one that died. */
  start(kind: ProcessKind, region: RegionId): void {
    const { world, random, sha256 } = this.#setup;
    const vitality = new Vitality();
    const fault = { skewMs: (random() - 0.5) * 20_000, rate: 0.7 + random() * 0.7 };
    const cluster = createCluster({
      identity: this.#identityOf(region),
      registers: this.regions.map((to) => this.#portTo(to, { region, vitality })),
      timings: TIMINGS,
      limits: SIMULATED_LIMITS,
      clock: simulatedClock(world, fault, vitality),
      random,
      log: (level, event, fields) => this.#take(level, event, fields),
    });
    const host = new LogHost({ cluster, machine: LEDGER_MACHINE, sha256 });
    const lookUp = () => catchUp(cluster, host);
    const process = { kind, region, vitality, clock: cluster.clock, host, lookUp };
    this.#processes.set(`${kind}@${region}`, process);
    this.#setup.onStart(process);
    if (kind === 'controller') {
      this.#control(cluster, host);
    }
  }

  #control(cluster: Cluster, host: LogHost<Ledger>): void {
    const pulse = new Pulse(cluster, host);
    const compactor = new Compactor(cluster, host);
    this.repeat(cluster.clock, TIMINGS.beatMs, () => pulse.tick());
    this.repeat(cluster.clock, COMPACTION_PERIOD_MS, () =>
      compactor.tick(host.replica.applied.index),
    );
  }

  /** For ever, or until its process is dead: a dead process's sleep never ends. */
  repeat(clock: Clock, periodMs: number, round: () => Promise<void>): void {
    const rounds = async () => {
      for (;;) {
        await round();
        await clock.sleep(periodMs);
      }
    };
    rounds().catch(this.#setup.onFailure);
  }

  #portTo(to: RegionId, caller: { region: RegionId; vitality: Vitality }): RegisterPort {
    const store = this.#stores.get(to);
    invariant(store !== undefined, 'no-store', { to });
    const port = this.#setup.sabotage(memoryRegisterPort(store, this.#identityOf(to)));
    return simulatedRegisterPort(this.network, caller, port);
  }

  /** Nothing that is logged as an error may happen, whatever the network does. */
  #take(level: string, event: string, fields: unknown): void {
    this.#eventCounts.set(event, (this.#eventCounts.get(event) ?? 0) + 1);
    if (level === 'error') {
      const cause = `${event} ${JSON.stringify(fields)}`;
      const hint = 'Replay the seed and look for what led to it.';
      this.#setup.onFailure(new AppError(cause, { code: 'error-logged', hint, retryable: false }));
    }
  }

  #identityOf(region: RegionId): ClusterIdentity {
    return { clusterId: 'simulated', region, founders: [...this.regions].sort() };
  }
}

async function catchUp({ clients, identity }: Cluster, host: LogHost<Ledger>): Promise<void> {
  const beat = await clients.get(identity.region)?.readBeat();
  await host.follow(beat?.kind === 'found' ? beat.beat.commit : null);
}
