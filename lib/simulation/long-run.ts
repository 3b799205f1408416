/**
 * Lives that are long and not short: a month of ordinary operation, and a million commands.
 *
 * Short lives look for what goes wrong in a bad minute; these for what grows. The log is compacted
 * hundreds of times, by the production limits; rare faults come and go; everything is checked as in
 * any life but the history of the clients, which would be too long to judge; and what the checks themselves remember is let go, so that memory which grows is the
 * log's own.
 */
import type { Random } from '../base/clock.ts';
import {
  AWS_TIMINGS,
  type ConsensusTimings,
  LOCAL_TIMINGS,
  LOG_LIMITS,
} from '../consensus/settings.ts';
import { type FaultCounts, FaultSchedule } from './fault-schedule.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { Liveness } from './liveness.ts';
import { seededRandom } from './random.ts';
import { SafetyChecks } from './safety-checks.ts';
import { SimulatedClients } from './simulated-clients.ts';
import { SimulatedCluster, type SimulatedProcess } from './simulated-cluster.ts';
import { World } from './world.ts';

export interface LongRunOptions {
  readonly seed: number;
  /** Bytes in use after garbage was collected; asked now and then. */
  readonly heapBytes: () => number;
  /** Called with which part of the whole is done, 0 to 1. */
  readonly onProgress: (part: number) => void;
}

export interface LongRunResult {
  readonly seed: number;
  readonly events: number;
  readonly simulatedHours: number;
  readonly committed: number;
  readonly acknowledged: number;
  readonly reads: number;
  readonly elections: number;
  readonly compactions: number;
  readonly installs: number;
  /** The largest register that ever stood there at the looks below. */
  readonly registerBytesMax: number;
  /** At equal distances from the first tenth to the end. */
  readonly heapBytes: readonly number[];
  readonly faults: FaultCounts;
}

const HOUR_MS = 3_600_000;
const MONTH_MS = 30 * 24 * HOUR_MS;
/** So often the heap is measured. */
const LOOKS = 10;

/**
 * A month on AWS, where each beat costs a write. Every tenth beat is simulated: beats and time-outs
 * decide when to elect and nothing else, and a month of them is what takes the time.
 */
const BEATS_PER_SIMULATED = 10;
const MONTH_TIMINGS: ConsensusTimings = {
  ...AWS_TIMINGS,
  beatMs: AWS_TIMINGS.beatMs * BEATS_PER_SIMULATED,
  electionTimeoutMsMin: AWS_TIMINGS.electionTimeoutMsMin * BEATS_PER_SIMULATED,
  electionTimeoutMsMax: AWS_TIMINGS.electionTimeoutMsMax * BEATS_PER_SIMULATED,
  followMs: AWS_TIMINGS.followMs * BEATS_PER_SIMULATED,
};

interface Scenario {
  readonly timings: ConsensusTimings;
  readonly compactionPeriodMs: number;
  /** Of each process for which `hasClients` holds. */
  readonly clients: number;
  readonly hasClients: (process: SimulatedProcess) => boolean;
  readonly clientPauseMs: number;
  /** Null = nothing goes wrong. */
  readonly faults: { readonly faultMs: number; readonly faultPauseMs: number } | null;
  /** Whether it is over, and which part of it is done. */
  readonly doneOf: (simulatedMs: number, committed: number) => number;
}

/** @throws InvariantError or AppError at the first violation of safety or liveness. */
export function runMonth(options: LongRunOptions): Promise<LongRunResult> {
  return new LongRun(options, {
    timings: MONTH_TIMINGS,
    compactionPeriodMs: 60_000,
    clients: 1,
    hasClients: () => true,
    clientPauseMs: 120_000,
    faults: { faultMs: HOUR_MS, faultPauseMs: 8 * HOUR_MS },
    doneOf: (simulatedMs) => simulatedMs / MONTH_MS,
  }).play();
}

/** @throws InvariantError or AppError at the first violation of safety or liveness. */
export function runManyCommands(options: LongRunOptions, commands: number): Promise<LongRunResult> {
  return new LongRun(options, {
    timings: LOCAL_TIMINGS,
    compactionPeriodMs: 100,
    // Two full batches, from one process: others would only race it for the register's revision.
    clients: 2 * LOG_LIMITS.batchCommandsMax,
    hasClients: ({ kind, region }) => kind === 'controller' && region === 'us-east-1',
    clientPauseMs: 1,
    faults: null,
    doneOf: (_, committed) => committed / commands,
  }).play();
}

const KEYS = 8;
const PADDED_CHANCE = 0.05;
const PADDING_BYTES_MAX = 600;
/** What the checks remember below the oldest base: no client asks for what is older. */
const REMEMBERED_ENTRIES = 2 * LOG_LIMITS.sessionWindowEntries;
const FORGET_EVERY_ENTRIES = 1000;

class LongRun {
  readonly #options: LongRunOptions;
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #world = new World();
  readonly #history = new HistoryRecorder(() => this.#world.now);
  readonly #cluster: SimulatedCluster;
  readonly #checks: SafetyChecks;
  readonly #clients: SimulatedClients;
  readonly #heapBytes: number[] = [];
  #failure: { readonly thrown: unknown } | null = null;
  #areClientsActive = true;
  #forgottenAt = 0;
  #registerBytesMax = 0;

  constructor(options: LongRunOptions, scenario: Scenario) {
    this.#options = options;
    this.#scenario = scenario;
    this.#random = seededRandom(options.seed);
    this.#cluster = new SimulatedCluster({
      world: this.#world,
      random: this.#random,
      memberCount: 3,
      lateMsMax: 60_000,
      timings: scenario.timings,
      limits: LOG_LIMITS,
      storeBytesMax: 380 * 1024,
      compactionPeriodMs: scenario.compactionPeriodMs,
      sabotage: (port) => port,
      onStart: (process) => this.#attend(process),
      onFailure: this.#fail,
    });
    this.#checks = new SafetyChecks(this.#cluster, LOG_LIMITS.sessionWindowEntries);
    this.#clients = new SimulatedClients({
      cluster: this.#cluster,
      checks: this.#checks,
      history: this.#history,
      random: this.#random,
      limits: LOG_LIMITS,
      keys: KEYS,
      paddedChance: PADDED_CHANCE,
      paddingBytesMax: PADDING_BYTES_MAX,
    });
  }

  async play(): Promise<LongRunResult> {
    for (const region of this.#cluster.regions) {
      this.#cluster.start('controller', region);
      this.#cluster.start('function', region);
    }
    const schedule = this.#schedule();
    schedule?.begin();
    await this.#live();
    schedule?.end();
    this.#areClientsActive = false;
    await new Liveness({
      cluster: this.#cluster,
      world: this.#world,
      clients: this.#clients,
      random: this.#random,
      timings: this.#scenario.timings,
      check: this.#check,
      onFailure: this.#fail,
    }).require();
    this.#checks.finish();
    return this.#result(schedule?.counts ?? {});
  }

  #schedule(): FaultSchedule | null {
    const { faults } = this.#scenario;
    return (
      faults &&
      new FaultSchedule({
        cluster: this.#cluster,
        world: this.#world,
        random: this.#random,
        ...faults,
      })
    );
  }

  /** To the end, with a look at the heap after each tenth. */
  async #live(): Promise<void> {
    const world = this.#world;
    for (let look = 1; look <= LOOKS; look += 1) {
      const isDone = () => this.#done() >= look / LOOKS;
      await world.run({ until: Number.POSITIVE_INFINITY, check: this.#check, isDone });
      this.#history.forget();
      this.#heapBytes.push(this.#options.heapBytes());
      this.#options.onProgress(look / LOOKS);
    }
  }

  #done(): number {
    return this.#scenario.doneOf(this.#world.now, this.#checks.highestCommitted);
  }

  readonly #check = (): void => {
    if (this.#failure !== null) {
      throw this.#failure.thrown;
    }
    this.#checks.registers();
    if (this.#checks.highestCommitted - this.#forgottenAt >= FORGET_EVERY_ENTRIES) {
      this.#forgottenAt = this.#checks.highestCommitted;
      this.#forget();
    }
  };

  #forget(): void {
    const bases = this.#cluster.copies.map(({ server }) => server.base.index);
    const sizes = this.#cluster.regions.map((region) => this.#cluster.storeAt(region).bytes);
    this.#registerBytesMax = Math.max(this.#registerBytesMax, ...sizes);
    this.#checks.forgetBelow(Math.min(...bases) - REMEMBERED_ENTRIES);
    this.#history.forget();
  }

  readonly #fail = (thrown: unknown): void => {
    this.#failure ??= { thrown };
  };

  #attend(process: SimulatedProcess): void {
    const { host, clock } = process;
    host.onApplied((entries) => {
      this.#checks.applied(entries);
      this.#checks.replica(host.replica);
    });
    const { clients, hasClients, clientPauseMs } = this.#scenario;
    for (let count = 0; hasClients(process) && count < clients; count += 1) {
      const client = this.#clients.newClient();
      this.#cluster.repeat(clock, clientPauseMs * (0.5 + this.#random()), async () => {
        if (this.#areClientsActive) {
          await this.#clients.act(process, client);
        }
        return this.#areClientsActive;
      });
    }
  }

  #result(faults: FaultCounts): LongRunResult {
    return {
      seed: this.#options.seed,
      events: this.#world.events,
      simulatedHours: Math.round((this.#world.now / HOUR_MS) * 100) / 100,
      committed: this.#checks.highestCommitted,
      acknowledged: this.#checks.acknowledgedCount,
      reads: this.#clients.counts.reads,
      elections: this.#checks.elections,
      compactions: this.#cluster.logged('log-compacted'),
      installs: this.#cluster.logged('snapshot-installed'),
      registerBytesMax: this.#registerBytesMax,
      heapBytes: this.#heapBytes,
      faults: { ...this.#cluster.network.counts, ...faults },
    };
  }
}
