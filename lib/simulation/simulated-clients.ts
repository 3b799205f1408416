/**
 * The simulated clients: what they ask of a process, and what they remember of its answers.
 *
 * They do what real ones do: propose, read, take an unknown outcome to another process, send again
 * what was acknowledged long ago, and once in a while use an id twice by mistake.
 */
import type { Random } from '../base/clock.ts';
import { type CommandId, commandId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { ProposeOutcome } from '../consensus/proposals.ts';
import type { SafetyChecks } from './safety-checks.ts';
import type { SimulatedCluster, SimulatedProcess } from './simulated-cluster.ts';

export interface ClientCounts {
  unknownOutcomes: number;
  rejections: number;
  repetitions: number;
  reads: number;
  refusedReads: number;
}

/** Ids that are sent again lie well within the window in which the log remembers them. */
const REMEMBERED_MAX = 150;
const ELSEWHERE_CHANCE = 0.7;

export class SimulatedClients {
  readonly counts: ClientCounts = {
    unknownOutcomes: 0,
    rejections: 0,
    repetitions: 0,
    reads: 0,
    refusedReads: 0,
  };
  readonly #cluster: SimulatedCluster;
  readonly #checks: SafetyChecks;
  readonly #random: Random;
  #commandCount = 0;
  #remembered: readonly CommandId[] = [];

  constructor(cluster: SimulatedCluster, checks: SafetyChecks, random: Random) {
    this.#cluster = cluster;
    this.#checks = checks;
    this.#random = random;
  }

  /** One thing that some client wants of this process. */
  async act(process: SimulatedProcess): Promise<void> {
    const dice = this.#random();
    if (dice < 0.2) {
      await this.read(process);
    } else if (dice < 0.3) {
      await this.#repeat(process);
    } else if (dice < 0.31) {
      await this.#reuse(process);
    } else {
      await this.proposeNew(process);
    }
  }

  /** Resolves true when it was committed. */
  proposeNew(process: SimulatedProcess): Promise<boolean> {
    this.#commandCount += 1;
    return this.#propose(process, commandId(`c${this.#commandCount}`), true);
  }

  /** Resolves true when the read was confirmed. */
  async read({ host }: SimulatedProcess): Promise<boolean> {
    const before = this.#checks.highestObserved;
    const isCurrent = await host.confirmLeadership();
    this.counts.reads += 1;
    if (isCurrent) {
      this.#checks.read(before, host.replica.applied.index);
    } else {
      this.counts.refusedReads += 1;
    }
    return isCurrent;
  }

  async #propose(process: SimulatedProcess, id: CommandId, isFirstCall: boolean): Promise<boolean> {
    const outcome = await process.host.propose(id, bodyOf(id));
    this.#note(id, outcome, isFirstCall);
    if (outcome.kind === 'unknown' && this.#random() < ELSEWHERE_CHANCE) {
      return this.#propose(this.#anyProcess(), id, false);
    }
    return outcome.kind === 'committed';
  }

  #note(id: CommandId, outcome: ProposeOutcome, isFirstCall: boolean): void {
    this.#checks.outcome(id, outcome, isFirstCall);
    switch (outcome.kind) {
      case 'committed':
        this.#remembered = [...this.#remembered, id].slice(-REMEMBERED_MAX);
        break;
      case 'rejected':
        this.counts.rejections += 1;
        break;
      default:
        this.counts.unknownOutcomes += 1;
    }
  }

  /** Sends again what was acknowledged: same answer, no second effect. */
  async #repeat(process: SimulatedProcess): Promise<void> {
    const id = this.#anyOf(this.#remembered);
    if (id !== undefined) {
      this.counts.repetitions += 1;
      await this.#propose(process, id, false);
    }
  }

  async #reuse({ host }: SimulatedProcess): Promise<void> {
    const id = this.#anyOf(this.#remembered);
    if (id !== undefined) {
      const outcome = await host.propose(id, { text: 'something else' });
      invariant(outcome.kind !== 'committed', 'reused-id-committed', { id });
    }
  }

  #anyProcess(): SimulatedProcess {
    const process = this.#anyOf(this.#cluster.processes);
    invariant(process !== undefined, 'no-process');
    return process;
  }

  #anyOf<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}

function bodyOf(id: CommandId): { readonly text: string } {
  return { text: id };
}
