/**
 * What must become true when the faults have ended: every process serves again; also after the next
 * region is lost; then all registers and replicas are equal; then nobody writes.
 *
 * "Within a bound" is a bound, not a duration: each phase ends as soon as it is reached. The bound
 * begins when the last late request has landed, for until then the faults have not ended.
 */
import { invariant } from '../base/invariant.ts';
import { isLeader } from '../consensus/server.ts';
import { DOWN } from './region-weather.ts';
import type { SimulatedProcess } from './simulated-cluster.ts';
import { type HealedCluster, requireStability } from './stability.ts';

/**
 * From the end of all faults to a command and a read through every process: some elections that
 * collide, by clocks that run at half the speed. All bounds are in beats, as all timings are.
 */
const SERVICE_BEATS_MAX = 80;
/** To one leader, equal logs and equal replicas. */
const EQUAL_BEATS_MAX = 80;
/** Longer than anything that a process does now and then. */
const QUIET_BEATS = 8;
const QUIET_LOOKS_MAX = 5;
/** How much faster than true time a process's clock may run. */
const CLOCK_RATE_MAX = 1.5;
/** It takes long, and finds what it finds in every life. */
const STABILITY_CHANCE = 0.25;
/** Some commands of the operator's, the last of which nothing disturbs. */
const REPLACED_BEATS_MAX = 120;
const RETRY_BEATS = 2;

export class Liveness {
  readonly #options: HealedCluster;

  constructor(options: HealedCluster) {
    this.#options = options;
  }

  /** @throws InvariantError when something does not become true in time. */
  async require(): Promise<void> {
    const { cluster, world } = this.#options;
    world.note('faults have ended');
    await this.#requireService(cluster.processes);
    world.note('all serve');
    await this.#requireReplaced();
    await this.#requireServiceWithoutLeader();
    world.note('all but one served');
    await this.#requireEqual();
    if (this.#options.random() < STABILITY_CHANCE) {
      await requireStability(this.#options);
      await this.#requireEqual();
    }
    world.note('all are equal');
    await this.#requireQuiet();
  }

  /** A fresh command commits and a read is confirmed, through each of these processes. */
  async #requireService(processes: readonly SimulatedProcess[]): Promise<void> {
    const { clients, onFailure, timings } = this.#options;
    const retryMs = RETRY_BEATS * timings.beatMs;
    const served = new Set<SimulatedProcess>();
    for (const process of processes) {
      const client = clients.newClient();
      const use = async () => {
        await untilDone(process, retryMs, () => clients.proposeNew(process, client));
        await untilDone(process, retryMs, () => clients.read(process, client));
        served.add(process);
      };
      use().catch(onFailure);
    }
    const isInTime = await this.#reach(SERVICE_BEATS_MAX, () => served.size === processes.length);
    const waiting = processes.filter((process) => !served.has(process));
    invariant(isInTime, 'no-service-after-faults', {
      waiting: waiting.map(({ kind, region }) => `${kind}@${region}`),
    });
  }

  /** Whoever lost a table has another that votes, by the operator's commands. */
  async #requireReplaced(): Promise<void> {
    const { cluster } = this.#options;
    const isWhole = () => cluster.lostTable?.isReplaced !== false;
    invariant(await this.#reach(REPLACED_BEATS_MAX, isWhole), 'table-not-replaced');
  }

  /**
   * One region may always fail. The hard one is the leader's: its table is lost while its processes
   * live on, or its processes are lost while its table lives on.
   */
  async #requireServiceWithoutLeader(): Promise<void> {
    const { cluster, random } = this.#options;
    const { network, processes } = cluster;
    await this.#reach(SERVICE_BEATS_MAX, () => cluster.leader !== null);
    const { leader } = cluster;
    invariant(leader !== null, 'no-leader-in-quiet');
    const isTableLost = random() < 0.5;
    if (isTableLost) {
      network.weather.set(leader, DOWN);
    } else {
      cluster.processAt('controller', leader).vitality.kill();
    }
    await this.#requireService(processes.filter(({ region }) => region !== leader));
    network.heal();
    if (!isTableLost) {
      cluster.start('controller', leader);
    }
  }

  /** One leader, the same log in every register, the same replica in every controller. */
  async #requireEqual(): Promise<void> {
    const { clients, cluster, world } = this.#options;
    const isEqual = () =>
      clients.isIdle && world.now >= cluster.network.lastLateAt && this.#difference() === null;
    const isInTime = await this.#reach(EQUAL_BEATS_MAX, isEqual);
    invariant(isInTime, this.#difference() ?? 'clients-wait-for-ever');
  }

  /** Null = none. */
  #difference(): string | null {
    const { copies, processes } = this.#options.cluster;
    const servers = copies.map(({ server }) => server);
    const [first] = servers;
    if (servers.some(({ term }) => term !== first?.term) || servers.filter(isLeader).length !== 1) {
      return 'no-stable-leader';
    }
    const ends = new Set(servers.map((server) => server.base.index + server.entries.length));
    if (ends.size !== 1) {
      return 'register-left-behind';
    }
    const chains = processes.flatMap(({ kind, host }) =>
      kind === 'controller' ? [host.replica.chain] : [],
    );
    return new Set(chains).size === 1 ? null : 'region-left-behind';
  }

  /**
   * Nobody wants anything: before long no register is written, and each process looks only now and
   * then. Not at once, because a register that has grown is compacted after the last entry.
   */
  async #requireQuiet(): Promise<void> {
    const { cluster, world, check, timings } = this.#options;
    const { traffic } = cluster.network;
    const quietMs = QUIET_BEATS * timings.beatMs;
    let writes = 0;
    let reads = 0;
    for (let looks = 0; looks < QUIET_LOOKS_MAX; looks += 1) {
      const before = { ...traffic };
      await world.run({ until: world.now + quietMs, check });
      writes = (traffic.compareAndSet ?? 0) - (before.compareAndSet ?? 0);
      reads = (traffic.read ?? 0) - (before.read ?? 0);
      if (writes === 0) {
        break;
      }
    }
    invariant(writes === 0, 'idle-log-is-written', { writes });
    // Each follow of a controller reads one register; a function reads none.
    const followsMax = Math.ceil((quietMs * CLOCK_RATE_MAX) / timings.followMs) + 2;
    const readsMax = followsMax * cluster.regions.length;
    invariant(reads <= readsMax, 'idle-log-is-read', { reads });
  }

  #reach(withinBeats: number, isDone: () => boolean): Promise<boolean> {
    const { cluster, world, check, timings } = this.#options;
    const faultsEnd = Math.max(world.now, cluster.network.lastLateAt);
    const until = faultsEnd + withinBeats * timings.beatMs;
    return world.run({ until, check, isDone });
  }
}

async function untilDone(
  { clock }: SimulatedProcess,
  retryMs: number,
  request: () => Promise<boolean>,
): Promise<void> {
  while (!(await request())) {
    await clock.sleep(retryMs);
  }
}
