/**
 * One seeded life of a log: processes that propose, read, beat and elect; faults of every kind that
 * the network, the stores and the processes know; safety checked after every event. Then the faults
 * end, and the cluster must come back to work, become equal, and at last be quiet (`liveness.ts`).
 */
import type { Random } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import { type FaultCounts, FaultSchedule } from './fault-schedule.ts';
import type { HistoryOperation } from './history.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { LifePaths } from './life-paths.ts';
import { type LifePlan, planLife } from './life-plan.ts';
import { checkLinearizability } from './linearizability.ts';
import { Liveness } from './liveness.ts';
import { integerBetween, seededRandom } from './random.ts';
import { SafetyChecks } from './safety-checks.ts';
import { SimulatedClients } from './simulated-clients.ts';
import { type Sabotage, SimulatedCluster, type SimulatedProcess } from './simulated-cluster.ts';
import {
  COMPACTION_PERIOD_MS,
  LIFE_LIMITS,
  LIFE_STORE_BYTES_MAX,
  LIFE_TIMINGS,
} from './simulation-settings.ts';
import { World } from './world.ts';

/**
 * A sound history of a life takes some thousand steps. A search that goes on for a hundred times that
 * looks for an order that is not there, and may not be waited for.
 */
const JUDGEMENT_STEPS_MAX = 200_000;

export interface ConsensusRunOptions {
  readonly seed: number;
  /** What stands between the network and each store; for twins that must fail. */
  readonly sabotage?: Sabotage;
  /** Hears of each event as a line of text. */
  readonly onEvent?: (line: string) => void;
  /** Gets what the clients asked and were told, also when the life ends with a violation. */
  readonly onHistory?: (history: readonly HistoryOperation[]) => void;
}

export interface ConsensusRunResult {
  readonly seed: number;
  readonly events: number;
  readonly simulatedMs: number;
  readonly committed: number;
  readonly acknowledged: number;
  /** Operations of the history, which was found linearizable. */
  readonly operations: number;
  readonly faults: FaultCounts;
  /** What the life came past: a path that no life of a campaign takes is not tested. */
  readonly paths: FaultCounts & { readonly compactions: number };
  /** Hash over every event and every change of a register: equal for equal seeds. */
  readonly trace: string;
}

/** @throws InvariantError or AppError at the first violation of safety or liveness. */
export function runConsensus(options: ConsensusRunOptions): Promise<ConsensusRunResult> {
  return new ConsensusRun(options).play();
}

class ConsensusRun {
  readonly #options: ConsensusRunOptions;
  readonly #random: Random;
  readonly #plan: LifePlan;
  readonly #world: World;
  readonly #cluster: SimulatedCluster;
  readonly #checks: SafetyChecks;
  readonly #clients: SimulatedClients;
  readonly #history: HistoryRecorder;
  readonly #faults: FaultSchedule;
  readonly #paths = new LifePaths();
  #failure: { readonly thrown: unknown } | null = null;
  #areClientsActive = true;
  #snapshotLoads = 0;
  #landed = 0;

  constructor(options: ConsensusRunOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#plan = planLife(this.#random);
    this.#world = new World(options.onEvent);
    this.#history = new HistoryRecorder(() => this.#world.now);
    this.#cluster = this.#createCluster();
    this.#checks = new SafetyChecks(this.#cluster, LIFE_LIMITS.sessionWindowEntries);
    this.#clients = new SimulatedClients({
      cluster: this.#cluster,
      checks: this.#checks,
      history: this.#history,
      random: this.#random,
      limits: LIFE_LIMITS,
      keys: this.#plan.keys,
      paddedChance: this.#plan.paddedChance,
      // With the rest of the command at most what the log takes.
      paddingBytesMax: LIFE_LIMITS.commandBytesMax - 100,
    });
    const { faultMs, faultPauseMs } = this.#plan;
    this.#faults = new FaultSchedule({
      cluster: this.#cluster,
      world: this.#world,
      random: this.#random,
      faultMs,
      faultPauseMs,
    });
  }

  #createCluster(): SimulatedCluster {
    return new SimulatedCluster({
      world: this.#world,
      random: this.#random,
      memberCount: this.#plan.memberCount,
      lateMsMax: this.#plan.lateMsMax,
      timings: LIFE_TIMINGS,
      limits: LIFE_LIMITS,
      storeBytesMax: LIFE_STORE_BYTES_MAX,
      compactionPeriodMs: COMPACTION_PERIOD_MS,
      sabotage: this.#options.sabotage ?? ((port) => port),
      onStart: (process) => this.#attend(process),
      onFailure: this.#fail,
    });
  }

  async play(): Promise<ConsensusRunResult> {
    for (const region of this.#cluster.regions) {
      this.#cluster.start('controller', region);
      this.#cluster.start('function', region);
    }
    try {
      this.#faults.begin();
      await this.#world.run({ until: this.#plan.faultyMs, check: this.#check });
      this.#faults.end();
      this.#areClientsActive = false;
      await this.#requireLiveness();
    } finally {
      this.#options.onHistory?.(this.#history.operations());
    }
    this.#checks.finish();
    return this.#result(this.#requireLinearizable());
  }

  #requireLiveness(): Promise<void> {
    return new Liveness({
      cluster: this.#cluster,
      world: this.#world,
      clients: this.#clients,
      random: this.#random,
      timings: LIFE_TIMINGS,
      check: this.#check,
      onFailure: this.#fail,
    }).require();
  }

  readonly #check = (): void => {
    if (this.#failure !== null) {
      throw this.#failure.thrown;
    }
    this.#checks.registers();
    const { landedAfterTimeout } = this.#cluster.network.counts;
    this.#paths.look(this.#cluster.copies, landedAfterTimeout > this.#landed);
    this.#landed = landedAfterTimeout;
  };

  readonly #fail = (thrown: unknown): void => {
    this.#failure ??= { thrown };
  };

  /** What a process applies is checked as it does so: before anybody can hear of it. */
  #attend(process: SimulatedProcess): void {
    const { host, clock, kind } = process;
    host.onApplied((entries) => {
      this.#snapshotLoads += entries.length === 0 ? 1 : 0;
      this.#checks.applied(entries);
      this.#checks.replica(host.replica);
    });
    const clients = kind === 'controller' ? this.#plan.clientsPerController : 1;
    for (let count = 0; count < clients; count += 1) {
      const client = this.#clients.newClient();
      const act = kind === 'function' ? this.#invoke : this.#serve;
      const pauseMs = this.#plan.clientPauseMs * (0.5 + this.#random() / 2);
      this.#cluster.repeat(clock, pauseMs, () => act(process, client));
    }
  }

  /** One request. Resolves false when no more are wanted. */
  readonly #serve = async (process: SimulatedProcess, client: number): Promise<boolean> => {
    if (this.#areClientsActive) {
      await this.#clients.act(process, client);
    }
    return this.#areClientsActive;
  };

  /** One request; then the function is frozen, in the middle of whatever it still has under way. */
  readonly #invoke = async (process: SimulatedProcess, client: number): Promise<boolean> => {
    if (!this.#areClientsActive) {
      return false;
    }
    if (this.#random() < 0.5) {
      await process.lookUp();
    }
    await this.#clients.act(process, client);
    const { vitality } = process;
    this.#world.after(integerBetween(this.#random, 0, 15), () => this.#suspend(process), 'freeze');
    this.#world.after(integerBetween(this.#random, 20, 400), () => vitality.thaw(), 'thaw');
    return true;
  };

  #suspend({ vitality }: SimulatedProcess): void {
    if (this.#areClientsActive) {
      vitality.freeze();
    }
  }

  /** Judged by what the clients saw alone; the checks above know the log. Returns how many operations. */
  #requireLinearizable(): number {
    const operations = this.#history.operations();
    if (this.#checks.overruns > 0) {
      // Two commands with one id: the clients broke the rule on which their answers rest.
      return operations.length;
    }
    const judgement = checkLinearizability(operations, { stepsMax: JUDGEMENT_STEPS_MAX });
    if (judgement.kind !== 'ok') {
      const sentence = judgement.kind === 'illegal' ? judgement.sentence : 'no order was found';
      throw new AppError(`not linearizable: ${sentence}`, {
        code: 'history-not-linearizable',
        hint: 'Replay the seed with --history FILE and look at the operations before this one.',
        retryable: false,
      });
    }
    return operations.length;
  }

  #result(operations: number): ConsensusRunResult {
    return {
      seed: this.#options.seed,
      events: this.#world.events,
      simulatedMs: Math.round(this.#world.now),
      committed: this.#checks.highestCommitted,
      acknowledged: this.#checks.acknowledgedCount,
      operations,
      faults: { ...this.#cluster.network.counts, ...this.#faults.counts },
      paths: {
        ...this.#clients.counts,
        ...this.#paths.counts,
        elections: this.#checks.elections,
        expiredCommands: this.#checks.expired,
        compactions: this.#cluster.logged('log-compacted'),
        installs: this.#cluster.logged('snapshot-installed'),
        snapshotLoads: this.#snapshotLoads,
        tablesReplaced: this.#cluster.lostTable === null ? 0 : 1,
      },
      trace: this.#world.trace.digest,
    };
  }
}
