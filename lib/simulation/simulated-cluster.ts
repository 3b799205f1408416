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
import { logIndex, type RegionId, regionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import { type Cluster, createCluster, leaderAmong } from '../consensus/cluster.ts';
import { Compactor } from '../consensus/compactor.ts';
import { elect } from '../consensus/elector.ts';
import { transferLeadership } from '../consensus/leadership.ts';
import { LogHost } from '../consensus/log-host.ts';
import { Pulse } from '../consensus/pulse.ts';
import type { Copy, RegisterPort } from '../consensus/register-port.ts';
import { type Base, type Identity, pristineServer } from '../consensus/server.ts';
import type { ConsensusTimings, LogLimits } from '../consensus/settings.ts';
import { KEY_VALUE_MACHINE, type KeyValueState } from './key-value-machine.ts';
import { MemoryRegister, memoryRegisterPort } from './memory-register.ts';
import { Network, simulatedRegisterPort } from './network.ts';
import { ProcessClock } from './process-clock.ts';
import type { Errand } from './table-loss.ts';
import { traceDigest } from './trace-hash.ts';
import { Vitality } from './vitality.ts';
import type { World } from './world.ts';

const REGION_NAMES = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1'] as const;

/** `double`: a second controller of its region, as a platform starts one while the first still runs. */
export type ProcessKind = 'controller' | 'function' | 'double';

export interface SimulatedProcess {
  readonly kind: ProcessKind;
  readonly region: RegionId;
  readonly vitality: Vitality;
  readonly clock: ProcessClock;
  readonly host: LogHost<KeyValueState>;
  /** Reads this region's beat and catches up, as a function does before it answers. */
  readonly lookUp: () => Promise<void>;
  /** Stands for election at once, without asking whether anybody leads. */
  readonly contend: () => void;
  /** Hands the lead over to this region, if it can. */
  readonly handOver: (region: RegionId) => void;
}

/** A table that is gone for good. */
export interface LostTable {
  readonly region: RegionId;
  readonly isReplaced: boolean;
}

/**
 * What stands between the network and each store; for twins that must fail. `onStoreOf` gives the port
 * that this region would have if it were pointed at another region's table.
 */
export type Sabotage = (
  port: RegisterPort,
  onStoreOf: (region: RegionId) => RegisterPort,
) => RegisterPort;

export interface ClusterSetup {
  readonly world: World;
  readonly random: Random;
  /** 3 or 5. */
  readonly memberCount: number;
  readonly lateMsMax: number;
  readonly timings: ConsensusTimings;
  readonly limits: LogLimits;
  /** Where the wall of each register stands, bytes. */
  readonly storeBytesMax: number;
  readonly compactionPeriodMs: number;
  readonly sabotage: Sabotage;
  /** Called for each process that starts, before it does anything. */
  readonly onStart: (process: SimulatedProcess) => void;
  /** Called with whatever a process met that it may not meet. */
  readonly onFailure: (thrown: unknown) => void;
}

export class SimulatedCluster {
  readonly regions: readonly RegionId[];
  readonly network: Network;
  /** Up to where the archive has taken the log; no register forgets what lies above. */
  archivedUpTo: number = Number.POSITIVE_INFINITY;
  #lostTable: LostTable | null = null;
  readonly #setup: ClusterSetup;
  readonly #stores = new Map<RegionId, MemoryRegister>();
  readonly #identities = new Map<RegionId, Identity>();
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #eventCounts = new Map<string, number>();
  #running: readonly SimulatedProcess[] = [];
  #copies: readonly Copy[] = [];

  constructor(setup: ClusterSetup) {
    const { world, random, lateMsMax, memberCount } = setup;
    this.#setup = setup;
    this.regions = REGION_NAMES.slice(0, memberCount).map(regionId);
    this.network = new Network({ world, random, lateMsMax });
    const founders = this.regions.toSorted();
    for (const region of this.regions) {
      const identity: Identity = { clusterId: 'simulated', region, founders, incarnation: 1 };
      const store = new MemoryRegister(setup.storeBytesMax);
      store.compareAndSet(0, pristineServer(identity));
      this.#identities.set(region, identity);
      this.#stores.set(region, store);
    }
  }

  get storeBytesMax(): number {
    return this.#setup.storeBytesMax;
  }

  /** The registers as they stand now; the same list as before when none has changed. */
  get copies(): readonly Copy[] {
    let place = 0;
    for (const { copy } of this.#stores.values()) {
      if (copy !== this.#copies[place]) {
        return this.#look();
      }
      place += 1;
    }
    return this.#copies;
  }

  #look(): readonly Copy[] {
    const stores = [...this.#stores.values()];
    this.#copies = stores.map(({ copy }) => copy).filter((copy) => copy !== null);
    for (const { revision, server } of this.#copies) {
      const { term: inTerm, leaderOf, base, entries } = server;
      const figures = [revision, inTerm, leaderOf, base.index, entries.length, server.commitIndex];
      this.#setup.world.note(server.identity.region, ...figures);
    }
    return this.#copies;
  }

  storeAt(region: RegionId): MemoryRegister {
    const store = this.#stores.get(region);
    invariant(store !== undefined, 'no-store', { region });
    return store;
  }

  /** The one table that this life has lost; null = none yet. */
  get lostTable(): LostTable | null {
    return this.#lostTable;
  }

  loseTable(region: RegionId): void {
    this.#lostTable = { region, isReplaced: false };
    this.storeAt(region).lose();
  }

  noteReplaced(region: RegionId): void {
    this.#lostTable = { region, isReplaced: true };
  }

  get fail(): (thrown: unknown) => void {
    return this.#setup.onFailure;
  }

  /** Whether the region's table holds the snapshot at `base`. */
  hasSnapshot(region: RegionId, base: Base): boolean {
    return this.storeAt(region).readSnapshot(base) !== null;
  }

  /** The region that leads in the highest term; null when that term has no leader. */
  get leader(): RegionId | null {
    return leaderAmong(this.copies.map(({ server }) => server))?.identity.region ?? null;
  }

  /** The latest of each kind and region; some may be dead. */
  get processes(): readonly SimulatedProcess[] {
    return this.#running;
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
  start(kind: ProcessKind, region: RegionId): SimulatedProcess {
    const { cluster, vitality, clock } = this.#enter(region);
    const host = new LogHost({ cluster, machine: KEY_VALUE_MACHINE, sha256: traceDigest });
    const process: SimulatedProcess = {
      kind,
      region,
      vitality,
      clock,
      host,
      lookUp: () => catchUp(cluster, host),
      contend: () => {
        contend(cluster, host).catch(this.#setup.onFailure);
      },
      handOver: (to) => {
        transferLeadership({ cluster, host }, to).catch(this.#setup.onFailure);
      },
    };
    this.#processes.set(`${kind}@${region}`, process);
    this.#running = [...this.#processes.values()];
    this.#setup.onStart(process);
    if (kind !== 'function') {
      this.#control(cluster, host);
    }
    return process;
  }

  /** A process that comes for one command of the operator's. */
  errandFrom(region: RegionId): Errand {
    const { cluster, vitality, registers } = this.#enter(region);
    const host = new LogHost({ cluster, machine: KEY_VALUE_MACHINE, sha256: traceDigest });
    return { cluster, host, registers, vitality };
  }

  /** Whatever a new process is given: a clock of its own, and ways to all tables. */
  #enter(region: RegionId) {
    const { world, random, timings, limits } = this.#setup;
    const vitality = new Vitality();
    const fault = { skewMs: (random() - 0.5) * 20_000, rate: 0.7 + random() * 0.7 };
    const clock = new ProcessClock(world, vitality, fault);
    const registers = this.regions.map((to) => this.#portTo(to, { region, vitality }));
    const cluster = createCluster({
      identity: this.#identityOf(region),
      registers,
      timings,
      limits,
      clock,
      random,
      log: (level, event, fields) => this.#take(level, event, fields),
    });
    return { cluster, clock, registers, vitality };
  }

  /** A process that has no successor. */
  remove({ kind, region, vitality }: SimulatedProcess): void {
    vitality.kill();
    this.#processes.delete(`${kind}@${region}`);
    this.#running = [...this.#processes.values()];
  }

  #control(cluster: Cluster, host: LogHost<KeyValueState>): void {
    const pulse = new Pulse(cluster, host);
    const compactor = new Compactor(cluster, host);
    this.repeat(cluster.clock, cluster.timings.beatMs, () => pulse.tick());
    this.repeat(cluster.clock, this.#setup.compactionPeriodMs, () => {
      const archived = Math.min(host.replica.applied.index, this.archivedUpTo);
      return compactor.tick(logIndex(archived));
    });
  }

  /** Until a round resolves false, or its process is dead: a dead process's sleep never ends. */
  repeat(clock: Clock, periodMs: number, round: () => Promise<unknown>): void {
    const rounds = async () => {
      while ((await round()) !== false) {
        await clock.sleep(periodMs);
      }
    };
    rounds().catch(this.#setup.onFailure);
  }

  #portTo(to: RegionId, caller: { region: RegionId; vitality: Vitality }): RegisterPort {
    const onStoreOf = (region: RegionId) =>
      memoryRegisterPort(this.storeAt(region), this.#identityOf(to));
    const port = this.#setup.sabotage(onStoreOf(to), onStoreOf);
    return simulatedRegisterPort(this.network, caller, port);
  }

  /** Nothing that is logged as an error may happen, whatever the network does, but that a lost table is missed. */
  #take(level: string, event: string, fields: unknown): void {
    this.#eventCounts.set(event, (this.#eventCounts.get(event) ?? 0) + 1);
    const isMissed = event === 'register-halted' || event === 'register-absent';
    const isExpected =
      isMissed && this.#lostTable !== null && regionIn(fields) === this.#lostTable.region;
    if (level === 'error' && !isExpected) {
      const cause = `${event} ${JSON.stringify(fields)}`;
      const hint = 'Replay the seed and look for what led to it.';
      this.#setup.onFailure(new AppError(cause, { code: 'error-logged', hint, retryable: false }));
    }
  }

  #identityOf(region: RegionId): Identity {
    const identity = this.#identities.get(region);
    invariant(identity !== undefined, 'no-store', { region });
    return identity;
  }
}

async function catchUp(
  { clients, identity }: Cluster,
  host: LogHost<KeyValueState>,
): Promise<void> {
  const beat = await clients.get(identity.region)?.readBeat();
  await host.follow(beat?.kind === 'found' ? beat.beat.commit : null);
}

async function contend(cluster: Cluster, host: LogHost<KeyValueState>): Promise<void> {
  const election = await elect(cluster, { termSeen: host.highestTermSeen, region: null });
  if (election.kind === 'won') {
    await host.lead(election.leader);
  }
}

function regionIn(fields: unknown): unknown {
  return typeof fields === 'object' && fields !== null && 'region' in fields ? fields.region : null;
}
