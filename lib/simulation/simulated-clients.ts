/**
 * The simulated clients: what they ask of a process, and what they remember of its answers.
 *
 * They do what real ones do: write, compare and set, read, take an unknown outcome to another process,
 * send again what was acknowledged long ago, send too much, and once in a while use an id twice by
 * mistake. Every operation and its answer goes into the history.
 */
import type { Random } from '../base/clock.ts';
import { type CommandId, commandId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { ProposeOutcome } from '../consensus/proposals.ts';
import type { LogLimits } from '../consensus/settings.ts';
import type { HistoryRecorder } from './history-recorder.ts';
import { type KeyValueCommand, wrote } from './key-value-machine.ts';
import { integerBetween } from './random.ts';
import type { SafetyChecks } from './safety-checks.ts';
import type { SimulatedCluster, SimulatedProcess } from './simulated-cluster.ts';

export interface ClientCounts {
  unknownOutcomes: number;
  rejections: number;
  repetitions: number;
  reads: number;
  refusedReads: number;
  /** `cas` that found another value. */
  mismatches: number;
  reusedIds: number;
  oversizedCommands: number;
  logFull: number;
}

export interface ClientOptions {
  readonly cluster: SimulatedCluster;
  readonly checks: SafetyChecks;
  readonly history: HistoryRecorder;
  readonly random: Random;
  readonly limits: LogLimits;
  readonly keys: number;
  /** How many commands carry something beside their operation. */
  readonly paddedChance: number;
  /** How much, at most. */
  readonly paddingBytesMax: number;
}

const ELSEWHERE_CHANCE = 0.7;
const REMEMBERED_MAX = 32;

/** A command that some client remembers. */
interface Sent {
  readonly id: CommandId;
  readonly body: KeyValueCommand;
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
    mismatches: 0,
    reusedIds: 0,
    oversizedCommands: 0,
    logFull: 0,
  };
  readonly #options: ClientOptions;
  readonly #random: Random;
  /** Who still waits for an answer, and of which process. */
  readonly #waiting = new Map<number, SimulatedProcess>();
  readonly #valueSeen = new Map<string, string>();
  #clientCount = 0;
  #commandCount = 0;
  /** What may be sent again: acknowledged, or in doubt. */
  #remembered: readonly Sent[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  /** A new one, with a number of its own. */
  newClient(): number {
    this.#clientCount += 1;
    return this.#clientCount;
  }

  /** Nobody waits for an answer that can still come. */
  get isIdle(): boolean {
    return [...this.#waiting.values()].every(({ vitality }) => vitality.isDead);
  }

  /** One thing that this client wants of this process. */
  async act(process: SimulatedProcess, client: number): Promise<void> {
    const dice = this.#random();
    if (dice < 0.15) {
      await this.read(process, client);
    } else if (dice < 0.25) {
      await this.#repeat(process);
    } else if (dice < 0.27) {
      await this.#reuse(process);
    } else if (dice < 0.28) {
      await this.#proposeTooMuch(process);
    } else {
      await this.proposeNew(process, client);
    }
  }

  /** Resolves true when it was committed. */
  proposeNew(process: SimulatedProcess, client: number): Promise<boolean> {
    const { id, body } = this.#newCommand();
    const since = this.#options.checks.highestCommitted;
    return this.#propose(process, { id, body, since }, client);
  }

  /** Resolves true when the read was confirmed. */
  async read(process: SimulatedProcess, client: number): Promise<boolean> {
    const { checks, history } = this.#options;
    const { host } = process;
    const key = this.#anyKey();
    const before = checks.highestObserved;
    const complete = history.begin(client, { kind: 'read', key });
    const isCurrent = await this.#awaited(client, process, host.confirmLeadership());
    this.counts.reads += 1;
    if (!isCurrent) {
      this.counts.refusedReads += 1;
      complete({ outcome: 'fail', result: null });
      return false;
    }
    const value = host.replica.state.values[key] ?? null;
    checks.read(before, host.replica.applied.index);
    complete({ outcome: 'ok', result: value });
    this.#see(key, value);
    return true;
  }

  /** Tries here, and while the outcome is unknown perhaps elsewhere. */
  async #propose(process: SimulatedProcess, sent: Sent, client: number): Promise<boolean> {
    const { padding: _, ...op } = sent.body;
    const complete = this.#options.history.begin(client, op);
    let outcome = await this.#awaited(client, process, process.host.propose(sent.id, sent.body));
    this.#note(sent, outcome, true);
    let isInDoubt = outcome.kind === 'unknown';
    while (outcome.kind === 'unknown' && this.#goesOn(sent)) {
      const next = this.#anyProcess();
      this.#options.checks.calledAgain(sent.id);
      outcome = await this.#awaited(client, next, next.host.propose(sent.id, sent.body));
      this.#note(sent, outcome, false);
      isInDoubt = true;
    }
    if (outcome.kind === 'committed') {
      complete({ outcome: 'ok', result: op.kind === 'cas' ? wrote(outcome.result) : null });
    } else {
      complete({ outcome: isInDoubt ? 'unknown' : 'fail', result: null });
    }
    return outcome.kind === 'committed';
  }

  async #awaited<Answer>(
    client: number,
    process: SimulatedProcess,
    answer: Promise<Answer>,
  ): Promise<Answer> {
    this.#waiting.set(client, process);
    const value = await answer;
    this.#waiting.delete(client);
    return value;
  }

  #goesOn(sent: Sent): boolean {
    return this.#random() < ELSEWHERE_CHANCE && this.#isRepeatable(sent);
  }

  /**
   * An id is sent again only while the log surely remembers it: a good part of the window is kept for
   * entries that come while the repetition is on its way.
   */
  #isRepeatable({ since }: Sent): boolean {
    const { checks, limits } = this.#options;
    return checks.highestCommitted - since <= limits.sessionWindowEntries / 2;
  }

  #note(sent: Sent, outcome: ProposeOutcome, isFirstCall: boolean): void {
    this.#options.checks.outcome(sent.id, outcome, isFirstCall);
    if (outcome.kind === 'rejected') {
      this.counts.rejections += 1;
      this.counts.logFull += outcome.code === 'log-full' ? 1 : 0;
      return;
    }
    this.#remembered = [...this.#remembered, sent].slice(-REMEMBERED_MAX);
    if (outcome.kind === 'unknown') {
      this.counts.unknownOutcomes += 1;
    } else if (sent.body.kind === 'write' || wrote(outcome.result)) {
      this.#see(sent.body.key, sent.body.kind === 'write' ? sent.body.value : sent.body.to);
    } else {
      this.counts.mismatches += 1;
    }
  }

  /** Sends again what was sent before: same answer, no second effect. */
  async #repeat({ host }: SimulatedProcess): Promise<void> {
    const sent = this.#anyOf(this.#remembered);
    if (sent !== undefined && this.#isRepeatable(sent)) {
      this.counts.repetitions += 1;
      this.#options.checks.calledAgain(sent.id);
      this.#note(sent, await host.propose(sent.id, sent.body), false);
    }
  }

  /** The same id with another payload: whichever came first stands, and the other is refused. */
  async #reuse({ host }: SimulatedProcess): Promise<void> {
    const { checks } = this.#options;
    const sent = this.#anyOf(this.#remembered);
    if (sent !== undefined && this.#isRepeatable(sent) && checks.isAcknowledged(sent.id)) {
      this.counts.reusedIds += 1;
      checks.calledAgain(sent.id);
      const other: KeyValueCommand = { kind: 'write', key: sent.body.key, value: 'something else' };
      const outcome = await host.propose(sent.id, { ...other });
      const isRefused = outcome.kind !== 'committed' || checks.isOverrun(sent.id);
      invariant(isRefused, 'reused-id-committed', { id: sent.id });
    }
  }

  async #proposeTooMuch({ host }: SimulatedProcess): Promise<void> {
    const { id, body } = this.#newCommand();
    this.counts.oversizedCommands += 1;
    const padding = 'x'.repeat(this.#options.limits.commandBytesMax);
    const outcome = await host.propose(id, { ...body, padding });
    const isRefused = outcome.kind === 'rejected' && outcome.code === 'too-large';
    invariant(isRefused, 'oversized-command-taken', { id, outcome: outcome.kind });
    this.#options.checks.outcome(id, outcome, true);
  }

  #newCommand(): Pick<Sent, 'id' | 'body'> {
    this.#commandCount += 1;
    const value = `c${this.#commandCount}`;
    const key = this.#anyKey();
    const from = this.#valueSeen.get(key);
    const body: KeyValueCommand =
      from !== undefined && this.#random() < 0.3
        ? { kind: 'cas', key, from, to: value }
        : { kind: 'write', key, value };
    const isPadded = this.#random() < this.#options.paddedChance;
    return { id: commandId(value), body: isPadded ? { ...body, padding: this.#padding() } : body };
  }

  #padding(): string {
    return 'x'.repeat(integerBetween(this.#random, 1, this.#options.paddingBytesMax));
  }

  #see(key: string, value: string | null): void {
    if (value !== null) {
      this.#valueSeen.set(key, value);
    }
  }

  #anyKey(): string {
    return `k${integerBetween(this.#random, 1, this.#options.keys)}`;
  }

  /** A dead one refuses the connection: whoever meets it asks the next. */
  #anyProcess(): SimulatedProcess {
    const { processes } = this.#options.cluster;
    const process = this.#anyOf(processes.filter(({ vitality }) => !vitality.isDead));
    invariant(process !== undefined, 'no-process');
    return process;
  }

  #anyOf<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}
