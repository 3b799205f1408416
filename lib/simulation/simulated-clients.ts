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
import {
  SIMULATED_LIMITS,
  type SimulatedCluster,
  type SimulatedProcess,
} from './simulated-cluster.ts';

export interface ClientCounts {
  unknownOutcomes: number;
  rejections: number;
  repetitions: number;
  reads: number;
  refusedReads: number;
}

/**
 * An id is sent again only while the log surely remembers it: a good part of the window is kept for
 * entries that come while the repetition is on its way.
 */
const REPEATED_WITHIN_ENTRIES: number = SIMULATED_LIMITS.sessionWindowEntries / 2;
const ELSEWHERE_CHANCE = 0.7;

/** A command that some client remembers. */
interface Sent {
  readonly id: CommandId;
  /** How long the log was when it was first sent. */
  readonly since: number;
}

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
  #acknowledged: readonly Sent[] = [];

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
    const id = commandId(`c${this.#commandCount}`);
    return this.#propose(process, { id, since: this.#checks.highestCommitted }, true);
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

  async #propose(process: SimulatedProcess, sent: Sent, isFirstCall: boolean): Promise<boolean> {
    const outcome = await process.host.propose(sent.id, bodyOf(sent.id));
    this.#note(sent, outcome, isFirstCall);
    const goesOn = outcome.kind === 'unknown' && this.#random() < ELSEWHERE_CHANCE;
    if (goesOn && this.#isRepeatable(sent)) {
      return this.#propose(this.#anyProcess(), sent, false);
    }
    return outcome.kind === 'committed';
  }

  #isRepeatable({ since }: Sent): boolean {
    return this.#checks.highestCommitted - since <= REPEATED_WITHIN_ENTRIES;
  }

  #note(sent: Sent, outcome: ProposeOutcome, isFirstCall: boolean): void {
    this.#checks.outcome(sent.id, outcome, isFirstCall);
    switch (outcome.kind) {
      case 'committed':
        this.#acknowledged = [...this.#acknowledged, sent].filter((one) => this.#isRepeatable(one));
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
    const sent = this.#anyOf(this.#acknowledged);
    if (sent !== undefined && this.#isRepeatable(sent)) {
      this.counts.repetitions += 1;
      await this.#propose(process, sent, false);
    }
  }

  async #reuse({ host }: SimulatedProcess): Promise<void> {
    const sent = this.#anyOf(this.#acknowledged);
    if (sent !== undefined && this.#isRepeatable(sent)) {
      const outcome = await host.propose(sent.id, { text: 'something else' });
      invariant(outcome.kind !== 'committed', 'reused-id-committed', { id: sent.id });
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
