/**
 * One control region of the simulated world: the production `ControlRegion` over ports in memory, each
 * of whose calls travels over the wires to the table or place that it is about.
 *
 * The process may die and be started anew; register, health table and stores outlive it.
 */
import { createHash } from 'node:crypto';
import type { SnapshotStore } from '../../backup/snapshot-store.ts';
import type { Random } from '../../base/clock.ts';
import type { RegionId } from '../../base/identifiers.ts';
import type { RegisterPort } from '../../consensus/register-port.ts';
import type { ConsensusTimings } from '../../consensus/settings.ts';
import { type ControlRegion, createControlRegion } from '../../control/control-region.ts';
import type { ProbePort } from '../../control/probe-port.ts';
import type { ReportStore } from '../../control/report-store.ts';
import type { ActionPorts } from '../../recovery/action-ports.ts';
import type { RoutingPort, SwitchPort, VerifyPort } from '../../recovery/switch-port.ts';
import { MemoryHealthTable, memoryHealthStore } from '../memory-health-store.ts';
import { MemoryRegister, memoryRegisterPort } from '../memory-register.ts';
import { memoryReportStore } from '../memory-report-store.ts';
import { type ClockFault, ProcessClock } from '../process-clock.ts';
import { Vitality } from '../vitality.ts';
import type { World } from '../world.ts';
import { ASSUMED } from './assumptions.ts';
import type { Caller } from './hosted-zone.ts';
import { memoryArchive } from './memory-archive.ts';
import type { Place, Wires } from './wires.ts';

export const CLUSTER_ID = 'whole-system';

export interface RegionOptions {
  readonly world: World;
  readonly wires: Wires;
  /** A source of chance of its own for each process. */
  readonly randomOf: (process: string) => Random;
  readonly region: RegionId;
  readonly founders: readonly RegionId[];
  readonly timings: ConsensusTimings;
  /** Every region of the world, itself included; asked for when a process starts. */
  readonly all: () => readonly SimulatedRegion[];
  readonly portsFor: (caller: Caller) => OutsidePorts;
  readonly onLog: (region: RegionId, event: string, level: string) => void;
}

/** What a region reaches beside the tables. */
export interface OutsidePorts {
  readonly switchPort: SwitchPort;
  readonly verifyPort: VerifyPort;
  readonly routingPort: RoutingPort;
  readonly probePort: ProbePort;
  readonly actions: ActionPorts;
}

const UNREACHABLE = { kind: 'unreachable', cause: 'no answer' } as const;
const UNKNOWN = { kind: 'unknown', cause: 'no answer' } as const;

export class SimulatedRegion {
  readonly region: RegionId;
  readonly place: Place;
  readonly register = new MemoryRegister();
  readonly archive: SnapshotStore = memoryArchive();
  readonly #options: RegionOptions;
  readonly #health = new MemoryHealthTable();
  readonly #reports: ReportStore = memoryReportStore();
  #vitality = new Vitality();
  #control: ControlRegion | null = null;
  #clock: ProcessClock | null = null;
  #boots = 0;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.region = options.region;
    this.place = { name: `region ${options.region}`, location: options.region };
  }

  /** The running process; null while there is none. */
  get control(): ControlRegion | null {
    return this.#vitality.isAlive ? this.#control : null;
  }

  /** Of the latest process. */
  get vitality(): Vitality {
    return this.#vitality;
  }

  get clock(): ProcessClock | null {
    return this.#clock;
  }

  /** Its register as a client on the spot has it. */
  get ownPort(): RegisterPort {
    const { region, founders } = this.#options;
    return memoryRegisterPort(this.register, { clusterId: CLUSTER_ID, region, founders });
  }

  kill(): void {
    this.#vitality.kill();
  }

  freeze(): void {
    this.#vitality.freeze();
  }

  thaw(): void {
    this.#vitality.thaw();
  }

  /** A new process over what is stored. */
  boot(fault: ClockFault = { skewMs: 0, rate: 1 }): void {
    const { world, region, founders, timings, randomOf, all, portsFor, onLog } = this.#options;
    this.#boots += 1;
    this.#vitality = new Vitality();
    this.#clock = new ProcessClock(world, this.#vitality, fault);
    const caller = { place: this.place, vitality: this.#vitality, clock: this.#clock };
    const stores = all().map((other) => [other.region, this.#storeOf(caller, other)] as const);
    this.#control = createControlRegion({
      identity: { clusterId: CLUSTER_ID, region, founders },
      registers: all().map((other) => this.#registerOf(caller, other)),
      health: memoryHealthStore(this.#health, (_, apply) =>
        this.#ask(caller, this.place, async () => apply()),
      ),
      stores: { own: this.#storeOf(caller, this), all: new Map(stores) },
      ...portsFor(caller),
      reports: this.#reportsOf(caller),
      timings,
      clock: this.#clock,
      random: randomOf(`${region} ${this.#boots}`),
      sha256: (text) => createHash('sha256').update(text, 'utf8').digest('hex'),
      log: (level, event) => onLog(region, event, level),
    });
    this.#control.start();
  }

  #ask<Answer>(caller: Caller, to: Place, act: () => Promise<Answer>): Promise<Answer | null> {
    const { wires } = this.#options;
    const { callTimeoutMs: timeoutMs, tableMs: takesMs } = ASSUMED;
    return wires.send({
      from: caller.place,
      to,
      timeoutMs,
      takesMs,
      vitality: caller.vitality,
      act,
    });
  }

  #registerOf(caller: Caller, other: SimulatedRegion): RegisterPort {
    const port = other.ownPort;
    const ask = <Answer>(act: () => Promise<Answer>) => this.#ask(caller, other.place, act);
    // A text or nothing: the null of an absent snapshot must travel as an answer.
    const boxed = async (act: () => Promise<string | null>) =>
      (await ask(async () => ({ text: await act() })))?.text ?? null;
    return {
      region: other.region,
      read: async () => (await ask(port.read)) ?? UNREACHABLE,
      compareAndSet: async (expected, server) =>
        (await ask(() => port.compareAndSet(expected, server))) ?? UNKNOWN,
      readBeat: async () => (await ask(port.readBeat)) ?? UNREACHABLE,
      writeBeat: async (beat) => (await ask(() => port.writeBeat(beat))) ?? false,
      readSnapshot: (base) => boxed(() => port.readSnapshot(base)),
      writeSnapshot: async (base, text) =>
        (await ask(() => port.writeSnapshot(base, text))) ?? false,
      dropSnapshotsBelow: async (index) => {
        await ask(() => port.dropSnapshotsBelow(index));
      },
    };
  }

  #storeOf(caller: Caller, other: SimulatedRegion): SnapshotStore {
    const { archive, place } = other;
    const ask = <Answer>(act: () => Promise<Answer>) => this.#ask(caller, place, act);
    return {
      put: async (key, bytes) => (await ask(() => archive.put(key, bytes))) ?? UNKNOWN,
      get: async (key) => (await ask(() => archive.get(key))) ?? UNKNOWN,
      list: async (prefix, limit) => (await ask(() => archive.list(prefix, limit))) ?? UNKNOWN,
    };
  }

  #reportsOf(caller: Caller): ReportStore {
    const ask = <Answer>(act: () => Promise<Answer>) => this.#ask(caller, this.place, act);
    return {
      read: async (service, site) =>
        (await ask(() => this.#reports.read(service, site))) ?? UNKNOWN,
      write: async (expected, reports) =>
        (await ask(() => this.#reports.write(expected, reports))) ?? UNKNOWN,
      list: async () => ask(async () => (await this.#reports.list()) ?? []),
    };
  }
}
