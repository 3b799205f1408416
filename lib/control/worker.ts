/**
 * The worker: takes open steps out of the log, does them, and writes down how they went.
 *
 * The control region of the target site acts first, because it is the one that must be alive for
 * the switch to make sense; the others wait their turn and step in if it does not. After an attempt
 * that did not work out the next one is first: what one region cannot do (its credentials have
 * expired, its way to the zone is cut) another one may. Steps of one stage are done side by side.
 * Two that claim at once are told apart by the log. All waiting is measured on this process's
 * monotonic clock from when it first saw the situation, so no two clocks are ever compared.
 */

import type { Clock, Random } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { MonotonicMillis, RegionId } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import { ownValue } from '../base/own-value.ts';
import { needsWorker, openSteps, type Run, type Step, type StepResult } from '../recovery/run.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { CONTROL_TIMINGS } from './limits.ts';

/** A step of a run, and since when this process has seen it open. */
export interface OpenStep {
  readonly run: Run;
  readonly step: Step;
  readonly openSince: MonotonicMillis;
}

export interface WorkerOptions {
  readonly region: RegionId;
  readonly state: () => RecoveryState;
  /** Null = not known to be committed. */
  readonly propose: (command: ControlCommand) => Promise<CommandResult | null>;
  readonly perform: (open: OpenStep) => Promise<StepResult>;
  /** Whether that region answered at the last contact. */
  readonly isReachable: (region: RegionId) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogEvent;
}

export class Worker {
  readonly #options: WorkerOptions;
  /** When this process first saw each step open, and each situation of each open step. */
  readonly #seenAt = new Map<string, MonotonicMillis>();
  readonly #busy = new Set<string>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Starts what is due; resolves when all that this call started has ended. */
  async work(): Promise<void> {
    const open = this.#openSteps();
    this.#forget(open);
    const due = open.filter((step) => this.#isDue(step));
    await Promise.all(due.map((step) => this.#advance(step)));
  }

  /** Open steps of all runs that a worker must do. A run that failed has its report left. */
  #openSteps(): readonly OpenStep[] {
    const now = this.#options.clock.monotonicNow();
    return this.#options.state().runs.flatMap((run) =>
      openSteps(run)
        .filter(needsWorker)
        .map((step) => ({ run, step, openSince: this.#sinceFirstSeen(keyOf(run, step), now) })),
    );
  }

  #sinceFirstSeen(key: string, now: MonotonicMillis): MonotonicMillis {
    const since = this.#seenAt.get(key) ?? now;
    this.#seenAt.set(key, since);
    return since;
  }

  /** Does one step, and then what it opened: who has come so far goes on at once. */
  async #advance(open: OpenStep): Promise<void> {
    const key = keyOf(open.run, open.step);
    this.#busy.add(key);
    let isDone = false;
    try {
      isDone = await this.#doStep(open);
    } catch (thrown) {
      const { run, step } = open;
      const cause = describeError(thrown);
      this.#options.log('error', 'step-failed', { run: run.id, step: step.name, cause });
      throw thrown;
    } finally {
      this.#busy.delete(key);
    }
    if (isDone) {
      const next = this.#openSteps().filter((other) => this.#isOpenedBy(open, other));
      await Promise.all(next.map((step) => this.#advance(step)));
    }
  }

  #isOpenedBy(done: OpenStep, { run, step }: OpenStep): boolean {
    const isNext = run.id === done.run.id && step.stage > done.step.stage && step.attempt === 0;
    return isNext && !this.#busy.has(keyOf(run, step));
  }

  /** Claims, does, records. True when the step is done and the next one may follow at once. */
  async #doStep(open: OpenStep): Promise<boolean> {
    const { run, step } = open;
    const { propose, region, clock, perform, log } = this.#options;
    const { name } = step;
    const attempt = step.attempt + 1;
    const claim = { run: run.id, step: name, attempt } as const;
    const askedAt = clock.monotonicNow();
    const claimed = await propose({
      kind: 'claim-step',
      ...claim,
      worker: region,
      at: clock.wallNow(),
    });
    // A process that was stopped meanwhile wakes up with a claim that others have taken over since.
    const isLate = clock.monotonicNow() - askedAt > CONTROL_TIMINGS.claimTimeoutMs;
    if (claimed?.kind !== 'accepted' || isLate) {
      return false;
    }
    const result = await perform({ ...open, step: { ...step, attempt } });
    log('info', 'step', { run: run.id, step: name, attempt, result: result.kind });
    const recorded = await propose({
      kind: 'finish-step',
      ...claim,
      result,
      at: clock.wallNow(),
    });
    return recorded?.kind === 'accepted' && result.kind !== 'waiting' && result.kind !== 'again';
  }

  #isDue(open: OpenStep): boolean {
    const { run, step } = open;
    if (this.#busy.has(keyOf(run, step))) {
      return false;
    }
    const now = this.#options.clock.monotonicNow();
    const since = this.#sinceFirstSeen(situationOf(run, step), now);
    return now - since >= this.#patienceMs(run, step);
  }

  /**
   * How long this region leaves the situation alone. A claim whose region does not answer is taken
   * over soon, and so is one of this region that this process is not at work on: its proposal was
   * thought lost, or its process died. Should that worker be alive after all, the fence and the
   * attempt number hold it off.
   */
  #patienceMs(run: Run, step: Step): number {
    const { claimTimeoutMs, lostClaimMs } = CONTROL_TIMINGS;
    const { region, isReachable, random } = this.#options;
    const { progress } = step;
    const deferMs = this.#turnOf(run, step) * CONTROL_TIMINGS.deferMs;
    if (progress.kind === 'claimed') {
      const isLost = progress.worker === region || !isReachable(progress.worker);
      return (isLost ? lostClaimMs : claimTimeoutMs) + deferMs;
    }
    return deferMs + backoffMs(step) * (0.5 + random() / 2);
  }

  /**
   * 0 for the control region of the target site, then the others in order; one on at each attempt
   * that did not work out. Regions that do not answer have no turn to wait for.
   */
  #turnOf(run: Run, { attempt, waits }: Step): number {
    const { observers, services } = this.#options.state();
    const target = ownValue(services, run.service)?.policy.sites.find(
      ({ site }) => site === run.to,
    );
    const nearest = observers.filter((region) => region === target?.region);
    const others = observers.filter((region) => region !== target?.region);
    const { region: own, isReachable } = this.#options;
    const order = [...nearest, ...others].filter((region) => region === own || isReachable(region));
    const place = Math.max(0, order.indexOf(own));
    return (place + order.length - ((attempt - waits) % order.length)) % order.length;
  }

  #forget(open: readonly OpenStep[]): void {
    const current = new Set(
      open.flatMap(({ run, step }) => [keyOf(run, step), situationOf(run, step)]),
    );
    for (const seen of this.#seenAt.keys()) {
      if (!current.has(seen)) {
        this.#seenAt.delete(seen);
      }
    }
  }
}

/** They look for seconds at a stretch: a pause that grows between two watches is time lost for clients. */
const WATCHING: ReadonlySet<Step['action']['kind']> = new Set(['fence', 'propagate', 'routing']);

/** Longer from failure to failure; what only waits is looked at often. */
function backoffMs({ action, attempt, waits, lastCode }: Step): number {
  const { stepBackoffMsMax, stepWaitMsMax, tickMs } = CONTROL_TIMINGS;
  if (attempt === 0 || lastCode === null) {
    return 0;
  }
  const failures = attempt - waits;
  const tries = WATCHING.has(action.kind) ? Math.max(failures, 1) : Math.max(failures, waits);
  const doublings = Math.min(20, tries - 1);
  return Math.min(failures > 0 ? stepBackoffMsMax : stepWaitMsMax, tickMs * 2 ** doublings);
}

function keyOf({ id }: Run, { name }: Step): string {
  return `${id}/${name}`;
}

function situationOf(run: Run, step: Step): string {
  return `${keyOf(run, step)}/${step.attempt}/${step.progress.kind}`;
}
