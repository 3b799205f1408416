/**
 * One seeded life of a log: processes that propose, read, beat and elect; faults of every kind that
 * the network and the processes know; safety checked after every event. Then the faults end, and the
 * cluster must come back to work, become equal, and at last be quiet.
 */
import type { Random } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import type { Sha256 } from '../base/json.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import { isLeader } from '../consensus/server.ts';
import { FaultSchedule, type ProcessFaultCounts } from './fault-schedule.ts';
import type { FaultCounts } from './network.ts';
import { integerBetween, seededRandom } from './random.ts';
import { SafetyChecks } from './safety-checks.ts';
import { type ClientCounts, SimulatedClients } from './simulated-clients.ts';
import { SimulatedCluster, type SimulatedProcess } from './simulated-cluster.ts';
import { World } from './world.ts';

const FAULTY_MS = 6500;
/** After the faults end, everything must work again within this time. */
const HEALING_MS = 3000;
/** A command and a read through every process of a healthy cluster, all at once. */
const HEALTHY_MS = 1500;
/** Time to notice that a leader is gone and to elect another one; and to take the lost one in again. */
const RECOVERY_MS = 2000;
/** After the clients stop: what is under way ends, who is frozen thaws. */
const SETTLING_MS = 1500;
const QUIET_MS = 1000;
/** Looks of one process in quiet: each follow reads one register, a function reads none. */
const QUIET_READS_MAX = 8;

const CLIENTS_PER_CONTROLLER = 2;
const CLIENT_PAUSE_MS = 20;
/** One life in four has five regions, where a majority is not just "one more". */
const FIVE_MEMBERS_EVERY = 4;

export interface ConsensusRunOptions {
  readonly seed: number;
  readonly sha256: Sha256;
  /** What stands between the network and each store; for twins that must fail. */
  readonly sabotage?: (port: RegisterPort) => RegisterPort;
}

export interface ConsensusRunResult {
  readonly seed: number;
  readonly events: number;
  readonly committed: number;
  readonly acknowledged: number;
  readonly faults: FaultCounts & ProcessFaultCounts;
  /** What the life came past: a path that no life of a campaign takes is not tested. */
  readonly paths: ClientCounts & {
    readonly elections: number;
    readonly compactions: number;
    readonly installs: number;
    readonly snapshotLoads: number;
  };
  /** Hash chain at the end: equal for equal seeds. */
  readonly chain: string;
}

/** @throws InvariantError or AppError at the first violation of safety or liveness. */
export function runConsensus(options: ConsensusRunOptions): Promise<ConsensusRunResult> {
  return new ConsensusRun(options).play();
}

class ConsensusRun {
  readonly #seed: number;
  readonly #random: Random;
  readonly #world = new World();
  readonly #cluster: SimulatedCluster;
  readonly #checks: SafetyChecks;
  readonly #clients: SimulatedClients;
  readonly #faults: FaultSchedule;
  #failure: { readonly thrown: unknown } | null = null;
  #areClientsActive = true;
  #snapshotLoads = 0;

  constructor({ seed, sha256, sabotage = (port) => port }: ConsensusRunOptions) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#cluster = new SimulatedCluster({
      world: this.#world,
      random: this.#random,
      sha256,
      memberCount: seed % FIVE_MEMBERS_EVERY === 0 ? 5 : 3,
      sabotage,
      onStart: (process) => this.#attend(process),
      onFailure: (thrown) => {
        this.#failure ??= { thrown };
      },
    });
    this.#checks = new SafetyChecks(this.#cluster);
    this.#clients = new SimulatedClients(this.#cluster, this.#checks, this.#random);
    this.#faults = new FaultSchedule(this.#cluster, this.#world, this.#random);
  }

  async play(): Promise<ConsensusRunResult> {
    for (const region of this.#cluster.regions) {
      this.#cluster.start('controller', region);
      this.#cluster.start('function', region);
    }
    this.#faults.begin();
    await this.#live(FAULTY_MS);
    this.#faults.end();
    await this.#live(HEALING_MS);
    this.#areClientsActive = false;
    await this.#live(SETTLING_MS);
    await this.#requireService(this.#cluster.processes);
    await this.#requireServiceWithoutLeader();
    await this.#requireQuiet();
    this.#requireEqual();
    this.#checks.finish();
    return this.#result();
  }

  async #live(durationMs: number): Promise<void> {
    await this.#world.run(this.#world.now + durationMs, () => this.#check());
  }

  #check(): void {
    if (this.#failure !== null) {
      throw this.#failure.thrown;
    }
    this.#checks.registers();
    for (const { host } of this.#cluster.processes) {
      this.#checks.replica(host.replica);
    }
  }

  /** What a process applies is checked as it does so: before anybody can hear of it. */
  #attend(process: SimulatedProcess): void {
    process.host.onApplied((entries) => {
      this.#snapshotLoads += entries.length === 0 ? 1 : 0;
      this.#checks.applied(entries);
    });
    if (process.kind === 'function') {
      this.#cluster.repeat(process.clock, CLIENT_PAUSE_MS, () => this.#invoke(process));
      return;
    }
    for (let clients = 0; clients < CLIENTS_PER_CONTROLLER; clients += 1) {
      this.#cluster.repeat(process.clock, CLIENT_PAUSE_MS, () => this.#serve(process));
    }
  }

  async #serve(process: SimulatedProcess): Promise<void> {
    if (this.#areClientsActive) {
      await this.#clients.act(process);
    }
  }

  /** One request; then the function is frozen, in the middle of whatever it still has under way. */
  async #invoke(process: SimulatedProcess): Promise<void> {
    if (!this.#areClientsActive) {
      return;
    }
    if (this.#random() < 0.5) {
      await process.lookUp();
    }
    await this.#clients.act(process);
    this.#world.after(integerBetween(this.#random, 0, 15), () => this.#freeze(process));
    this.#world.after(integerBetween(this.#random, 20, 600), () => process.vitality.thaw());
  }

  #freeze({ vitality }: SimulatedProcess): void {
    if (this.#areClientsActive) {
      vitality.freeze();
    }
  }

  // ── Liveness ───────────────────────────────────────────────────────────────────────────────────

  /** A fresh command commits and a read is confirmed, through each of these processes. */
  async #requireService(processes: readonly SimulatedProcess[]): Promise<void> {
    const done: boolean[] = [];
    for (const process of processes) {
      for (const request of [this.#clients.proposeNew(process), this.#clients.read(process)]) {
        request.then((isDone) => done.push(isDone), this.#fail);
      }
    }
    await this.#live(HEALTHY_MS);
    const served = done.filter((isDone) => isDone).length;
    invariant(served === 2 * processes.length, 'no-service-after-faults', { served });
  }

  /**
   * One region may always fail. The hard one is the leader's: its table is lost while its processes
   * live on, or its processes are lost while its table lives on.
   */
  async #requireServiceWithoutLeader(): Promise<void> {
    const { leader, network, processes } = this.#cluster;
    invariant(leader !== null, 'no-leader-in-quiet');
    const isTableLost = this.#random() < 0.5;
    if (isTableLost) {
      network.down.add(leader);
    } else {
      this.#cluster.processAt('controller', leader).vitality.kill();
    }
    await this.#live(RECOVERY_MS);
    await this.#requireService(processes.filter(({ region }) => region !== leader));
    network.heal();
    if (!isTableLost) {
      this.#cluster.start('controller', leader);
    }
    await this.#live(RECOVERY_MS);
  }

  readonly #fail = (thrown: unknown): void => {
    this.#failure ??= { thrown };
  };

  /** Nobody wants anything: no register is written, and each process looks only now and then. */
  async #requireQuiet(): Promise<void> {
    const { traffic } = this.#cluster.network;
    const before = { ...traffic };
    await this.#live(QUIET_MS);
    const writes = (traffic.compareAndSet ?? 0) - (before.compareAndSet ?? 0);
    const reads = (traffic.read ?? 0) - (before.read ?? 0);
    invariant(writes === 0, 'idle-log-is-written', { writes });
    const readsMax = QUIET_READS_MAX * this.#cluster.regions.length;
    invariant(reads <= readsMax, 'idle-log-is-read', { reads });
  }

  /** One leader, the same log in every register, the same replica in every controller. */
  #requireEqual(): void {
    const servers = this.#cluster.copies.map(({ server }) => server);
    const terms = new Set(servers.map(({ term }) => term));
    const leaders = servers.filter(isLeader);
    invariant(terms.size === 1 && leaders.length === 1, 'no-stable-leader', { terms: [...terms] });
    const controllers = this.#cluster.processes.filter(({ kind }) => kind === 'controller');
    const chains = new Set(controllers.map(({ host }) => host.replica.chain));
    invariant(chains.size === 1, 'region-left-behind', { chains: chains.size });
    const ends = new Set(servers.map((server) => server.base.index + server.entries.length));
    invariant(ends.size === 1, 'register-left-behind', { ends: [...ends] });
  }

  #result(): ConsensusRunResult {
    const [first] = this.#cluster.processes;
    return {
      seed: this.#seed,
      events: this.#world.events,
      committed: this.#checks.highestCommitted,
      acknowledged: this.#checks.acknowledgedCount,
      faults: this.#faults.counts,
      paths: {
        ...this.#clients.counts,
        elections: this.#checks.elections,
        compactions: this.#cluster.logged('log-compacted'),
        installs: this.#cluster.logged('snapshot-installed'),
        snapshotLoads: this.#snapshotLoads,
      },
      chain: first?.host.replica.chain ?? '',
    };
  }
}
