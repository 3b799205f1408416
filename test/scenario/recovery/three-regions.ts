/**
 * Three real control regions on one simulated clock: registers, health tables and stores in memory,
 * one DNS zone, and sites that beat each second. A region can be killed, cut off, and started again.
 */
import { createHash } from 'node:crypto';
import { commandId, type RegionId } from '../../../lib/base/identifiers.ts';
import { bootstrapCluster } from '../../../lib/consensus/bootstrap.ts';
import type { RegisterPort } from '../../../lib/consensus/register-port.ts';
import { checkTimings } from '../../../lib/consensus/settings.ts';
import type { CommandResult, ControlCommand } from '../../../lib/control/commands.ts';
import type {
  CommandOutcome,
  ControlPlane,
  IngestOutcome,
} from '../../../lib/control/control-plane.ts';
import { createControlRegion } from '../../../lib/control/control-region.ts';
import { handOver } from '../../../lib/control/membership.ts';
import type { ReportStore } from '../../../lib/control/report-store.ts';
import type { ActionPorts } from '../../../lib/recovery/action-ports.ts';
import { MemoryActions } from '../../../lib/simulation/memory-actions.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { MemoryRegister, memoryRegisterPort } from '../../../lib/simulation/memory-register.ts';
import { memoryReportStore } from '../../../lib/simulation/memory-report-store.ts';
import { seededRandom } from '../../../lib/simulation/random.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { type MemoryProbes, memoryProbes } from '../../support/memory-probes.ts';
import { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import { MemoryZone } from '../../support/memory-zone.ts';
import { OBSERVERS, T0 } from '../../support/service-states.ts';

export const REGIONS = OBSERVERS;
const CLUSTER_ID = 'three-regions';
const TIMINGS = checkTimings({
  beatMs: 200,
  electionTimeoutMsMin: 800,
  electionTimeoutMsMax: 1600,
  followMs: 400,
  proposeTimeoutMs: 5000,
  headStartMs: 10,
});
/** How long a call to a region that is cut off waits before it gives up. */
const CALL_TIMEOUT_MS = 2500;
const STEP_MS = 1000;

/** What outlives a process. */
interface Estate {
  readonly register: MemoryRegister;
  readonly health: MemoryHealthTable;
  readonly reports: ReportStore;
  readonly store: MemorySnapshotStore;
}

interface Process {
  readonly plane: ControlPlane;
  isAlive: boolean;
}

export interface Logged {
  readonly region: RegionId;
  readonly event: string;
}

export class ThreeRegions {
  readonly clock: ManualClock = createManualClock(T0);
  readonly zone: MemoryZone = new MemoryZone();
  /** What probes meet at the sites; everything serves until a test says otherwise. */
  readonly probes: MemoryProbes = memoryProbes(this.clock);
  /** What steps act on beside DNS; outlives every process. */
  readonly actions: MemoryActions = new MemoryActions({
    clock: this.clock,
    growMs: 5000,
    moveMs: 5000,
  });
  readonly logged: Logged[] = [];
  /** Sites that beat: one heartbeat a second to every region. */
  readonly beating = new Set<string>();
  /** Ways that are cut, from a site to a region: `site region`. */
  readonly cutWays = new Set<string>();
  readonly #estates: ReadonlyMap<RegionId, Estate>;
  readonly #processes = new Map<RegionId, Process>();
  /** Regions that answer nobody, and let every caller wait. */
  readonly #cutOff = new Set<RegionId>();
  #commands = 0;
  #sequence = 0;
  #boots = 0;

  private constructor() {
    this.#estates = new Map(
      REGIONS.map((region) => [
        region,
        {
          register: new MemoryRegister(),
          health: new MemoryHealthTable(),
          reports: memoryReportStore(),
          store: new MemorySnapshotStore(),
        },
      ]),
    );
  }

  /** Resolves when one of the regions leads. */
  static async start(): Promise<ThreeRegions> {
    const regions = new ThreeRegions();
    const registers = REGIONS.map((region) => regions.#register(region));
    await bootstrapCluster({ registers, clusterId: CLUSTER_ID, founders: REGIONS });
    for (const region of REGIONS) {
      regions.boot(region);
    }
    while (regions.leader === null) {
      await regions.clock.advance(STEP_MS);
    }
    return regions;
  }

  /** As the first region that lives sees it. */
  get leader(): RegionId | null {
    return this.anyPlane.status().position.leader;
  }

  get anyPlane(): ControlPlane {
    const alive = REGIONS.find((region) => this.#processes.get(region)?.isAlive === true);
    return this.plane(existing(alive, 'no region lives'));
  }

  plane(region: RegionId): ControlPlane {
    return this.#process(region).plane;
  }

  store(region: RegionId): MemorySnapshotStore {
    return this.#estate(region).store;
  }

  /** What the log in this region's register takes as JSON. */
  logBytes(region: RegionId): number {
    return JSON.stringify(this.#estate(region).register.copy?.server.entries ?? []).length;
  }

  /** The process is gone between two steps of its code, and so is its table. */
  kill(region: RegionId): void {
    this.#process(region).isAlive = false;
  }

  /** The region lives on and reaches nobody; who calls it waits for the timeout. */
  cutOff(region: RegionId): void {
    this.#cutOff.add(region);
  }

  /** A new process over what is left on disk. */
  boot(region: RegionId): void {
    const estate = this.#estate(region);
    this.#boots += 1;
    const life: { isAlive: boolean } = { isAlive: true };
    const whileAlive = gateOf(life);
    const stores = REGIONS.map(
      (other) => [other, whileAlive({ ...this.store(other).port })] as const,
    );
    const control = createControlRegion({
      identity: { clusterId: CLUSTER_ID, region, founders: REGIONS },
      registers: REGIONS.map((other) => whileAlive(this.#wire(region, other))),
      health: whileAlive(memoryHealthStore(estate.health)),
      stores: { own: whileAlive({ ...estate.store.port }), all: new Map(stores) },
      switchPort: whileAlive(this.zone.switchPort),
      verifyPort: whileAlive(this.zone.verifyPort),
      probePort: whileAlive(this.probes.port),
      actions: whileAliveAll(this.actions.ports, whileAlive),
      reports: whileAlive({ ...estate.reports }),
      timings: TIMINGS,
      clock: { ...this.clock, sleep: whileAlive(this.clock).sleep },
      random: seededRandom(20_261_123 + this.#boots),
      sha256,
      log: (_, event) => this.logged.push({ region, event }),
    });
    this.#processes.set(region, Object.assign(life, { plane: control.plane }));
    control.start();
  }

  /** As `tripoint region lead`, from a process of its own. */
  async handOver(to: RegionId): Promise<boolean> {
    return handOver(
      {
        clusterId: CLUSTER_ID,
        founders: REGIONS,
        registers: REGIONS.map((region) => this.#wire(to, region)),
        timings: TIMINGS,
        clock: this.clock,
        random: seededRandom(7),
        sha256,
        log: () => undefined,
      },
      to,
    );
  }

  /** Lets sites beat and time pass. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += STEP_MS) {
      await this.#beatOnce();
      await this.clock.advance(Math.min(STEP_MS, durationMs - passedMs));
    }
  }

  /** Lets time pass until it is so. Throws when it takes longer than `limitMs`. */
  async until(isSo: () => boolean, limitMs: number): Promise<number> {
    const startedAt = this.clock.wallNow();
    while (!isSo()) {
      if (this.clock.wallNow() - startedAt >= limitMs) {
        const { state } = this.anyPlane.status();
        throw new Error(`not within ${limitMs} ms: ${JSON.stringify(state.timeline.slice(-9))}`);
      }
      await this.pass(STEP_MS);
    }
    return this.clock.wallNow() - startedAt;
  }

  /** Proposes at a region, and lets time pass until there is an outcome. */
  async propose(region: RegionId, command: ControlCommand): Promise<CommandOutcome> {
    this.#commands += 1;
    const work = this.plane(region).propose(commandId(`test-${this.#commands}`), command);
    let outcome: CommandOutcome | null = null;
    void work.then((value) => {
      outcome = value;
    });
    while (outcome === null) {
      await this.pass(STEP_MS);
    }
    return work;
  }

  /** Proposes where it commits. */
  async commit(command: ControlCommand): Promise<CommandResult> {
    const outcome = await this.propose(this.anyPlane.region, command);
    if (outcome.kind !== 'committed') {
      throw new Error(`not committed: ${JSON.stringify(outcome)}`);
    }
    return outcome.result;
  }

  async beatAt(region: RegionId, site: string): Promise<IngestOutcome> {
    return this.plane(region).ingest({
      service: 'checkout',
      site,
      sequence: this.#sequence,
      bootId: `boot-${site}`,
      status: 'ok',
      replicationLagMs: 40,
      receivedAt: this.clock.wallNow(),
    });
  }

  async #beatOnce(): Promise<void> {
    this.#sequence += 1;
    for (const site of this.beating) {
      for (const region of REGIONS.filter((name) => this.#isOpen(name, site))) {
        await this.beatAt(region, site);
      }
    }
  }

  #isOpen(region: RegionId, site: string): boolean {
    const isThere = this.#processes.get(region)?.isAlive === true && !this.#cutOff.has(region);
    return isThere && !this.cutWays.has(`${site} ${region}`);
  }

  #register(region: RegionId): RegisterPort {
    const identity = { clusterId: CLUSTER_ID, region, founders: REGIONS };
    return memoryRegisterPort(this.#estate(region).register, identity);
  }

  /** The way from one region to another's table. */
  #wire(from: RegionId, to: RegionId): RegisterPort {
    const port = this.#register(to);
    const cause = `${to} does not answer`;
    const isLost = async (): Promise<boolean> => {
      if (from !== to && (this.#cutOff.has(from) || this.#cutOff.has(to))) {
        await this.clock.sleep(CALL_TIMEOUT_MS);
        return true;
      }
      return this.#processes.get(to)?.isAlive === false;
    };
    return {
      region: to,
      read: async () => ((await isLost()) ? { kind: 'unreachable', cause } : await port.read()),
      compareAndSet: async (expected, server) =>
        (await isLost())
          ? { kind: 'refused', code: 'unreachable', cause }
          : await port.compareAndSet(expected, server),
      readBeat: async () =>
        (await isLost()) ? { kind: 'unreachable', cause } : await port.readBeat(),
      writeBeat: async (beat) => !(await isLost()) && (await port.writeBeat(beat)),
      readSnapshot: async (base) => ((await isLost()) ? null : await port.readSnapshot(base)),
      writeSnapshot: async (base, text) =>
        !(await isLost()) && (await port.writeSnapshot(base, text)),
      dropSnapshotsBelow: async (index) => {
        if (!(await isLost())) {
          await port.dropSnapshotsBelow(index);
        }
      },
    };
  }

  #estate(region: RegionId): Estate {
    return existing(this.#estates.get(region), `no region ${region}`);
  }

  #process(region: RegionId): Process {
    return existing(this.#processes.get(region), `${region} was never started`);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

type Call = (...values: readonly never[]) => Promise<unknown>;

/** A port of a process that is no more: nothing it asks for ever comes back. */
function gateOf(life: { readonly isAlive: boolean }): <Port extends object>(port: Port) => Port {
  const never = new Promise<never>(() => undefined);
  const gated = (call: Call): Call => {
    return async (...values) => {
      const answer = await (life.isAlive ? call(...values) : never);
      return life.isAlive ? answer : never;
    };
  };
  return (port) =>
    Object.fromEntries(
      Object.entries(port).map(([name, member]) => [
        name,
        typeof member === 'function' ? gated(member as Call) : member,
      ]),
    ) as typeof port;
}

function whileAliveAll(ports: ActionPorts, whileAlive: ReturnType<typeof gateOf>): ActionPorts {
  const { scale, database, invoke, notify, tables } = ports;
  return {
    scale: whileAlive(scale),
    database: whileAlive(database),
    invoke: whileAlive(invoke),
    notify: whileAlive(notify),
    tables: whileAlive(tables),
  };
}

function existing<Value>(value: Value | null | undefined, otherwise: string): Value {
  if (value === null || value === undefined) {
    throw new Error(otherwise);
  }
  return value;
}
