/**
 * The worker: takes open steps out of the log, does them, and writes down how they went.
 *
 * The control region of the target site acts first, because it is the one that must be alive for
 * the switch to make sense; the others wait their turn and step in if it does not. After an attempt
 * that did not work out the next one is first: what one region cannot do (its credentials have
 * expired, its way to the zone is cut) another one may. Two that claim at
 * once are told apart by the log. All waiting is measured on this process's monotonic clock from
 * when it first saw the situation, so no two clocks are ever compared.
 */

import type { Clock, Random } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { MonotonicMillis, RegionId } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import { ownValue } from '../base/own-value.ts';
import { currentStep, type Run, type Step, type StepResult } from '../recovery/run.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { CONTROL_TIMINGS } from './limits.ts';

export interface WorkerOptions {
  readonly region: RegionId;
  readonly state: () => RecoveryState;
  /** Null = not known to be committed. */
  readonly propose: (command: ControlCommand) => Promise<CommandResult | null>;
  readonly perform: (run: Run, step: Step) => Promise<StepResult>;
  /** Whether that region answered at the last contact. */
  readonly isReachable: (region: RegionId) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogEvent;
}

export class Worker {
  readonly #options: WorkerOptions;
  /** When this process first saw each situation of each open run. */
  readonly #seenAt = new Map<string, MonotonicMillis>();
  readonly #busy = new Set<string>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Starts what is due; resolves when all that this call started has ended. */
  async work(): Promise<void> {
    const { runs } = this.#options.state();
    const open = runs.filter(({ outcome }) => outcome.kind === 'open');
    this.#forget(open);
    await Promise.all(open.filter((run) => this.#isDue(run)).map((run) => this.#advance(run)));
  }

  /** Works on one run step after step, as long as each is due for this region. */
  async #advance(run: Run): Promise<void> {
    this.#busy.add(run.id);
    try {
      let next: Run | null = run;
      while (next !== null) {
        const isDone = await this.#doStep(next);
        next = isDone ? this.#openRun(run.id) : null;
      }
    } catch (thrown) {
      this.#options.log('error', 'step-failed', { run: run.id, cause: describeError(thrown) });
      throw thrown;
    } finally {
      this.#busy.delete(run.id);
    }
  }

  #openRun(id: string): Run | null {
    const run = this.#options.state().runs.find((candidate) => candidate.id === id);
    return run !== undefined && run.outcome.kind === 'open' ? run : null;
  }

  /** Claims, does, records. True when the step is done and the next one may follow at once. */
  async #doStep(run: Run): Promise<boolean> {
    const current = currentStep(run);
    if (current === null) {
      return false;
    }
    const { propose, region, clock, perform, log } = this.#options;
    const { name } = current.step;
    const attempt = current.step.attempt + 1;
    const claim = { run: run.id, step: name, attempt } as const;
    const claimed = await propose({
      kind: 'claim-step',
      ...claim,
      worker: region,
      at: clock.wallNow(),
    });
    if (claimed?.kind !== 'accepted') {
      return false;
    }
    const result = await perform(run, { ...current.step, attempt });
    log('info', 'step', { run: run.id, step: name, attempt, result: result.kind });
    const recorded = await propose({
      kind: 'finish-step',
      ...claim,
      result,
      at: clock.wallNow(),
    });
    return recorded?.kind === 'accepted' && result.kind === 'done';
  }

  #isDue(run: Run): boolean {
    const current = currentStep(run);
    if (current === null || this.#busy.has(run.id)) {
      return false;
    }
    const situation = situationOf(run, current.step);
    const now = this.#options.clock.monotonicNow();
    const since = this.#seenAt.get(situation) ?? now;
    this.#seenAt.set(situation, since);
    return now - since >= this.#patienceMs(run, current.step);
  }

  /**
   * How long this region leaves the situation alone. A claim whose region does not answer is taken
   * over soon, and so is one of this region that this process is not at work on: its proposal was
   * thought lost, or its process died. Should that worker be alive after all, the fence and the
   * attempt number hold it off.
   */
  #patienceMs(run: Run, { progress, attempt }: Step): number {
    const { claimTimeoutMs, lostClaimMs, stepBackoffMsMax, tickMs } = CONTROL_TIMINGS;
    const { region, isReachable } = this.#options;
    const deferMs = this.#turnOf(run, attempt) * CONTROL_TIMINGS.deferMs;
    if (progress.kind === 'claimed') {
      const isLost = progress.worker === region || !isReachable(progress.worker);
      return (isLost ? lostClaimMs : claimTimeoutMs) + deferMs;
    }
    const backoffMs = attempt === 0 ? 0 : Math.min(stepBackoffMsMax, tickMs * 2 ** (attempt - 1));
    return deferMs + backoffMs * (0.5 + this.#options.random() / 2);
  }

  /**
   * 0 for the control region of the target site, then the others in order; one on at each attempt.
   * Regions that do not answer have no turn to wait for.
   */
  #turnOf(run: Run, attempt: number): number {
    const { observers, services } = this.#options.state();
    const target = ownValue(services, run.service)?.policy.sites.find(
      ({ site }) => site === run.to,
    );
    const nearest = observers.filter((region) => region === target?.region);
    const others = observers.filter((region) => region !== target?.region);
    const { region: own, isReachable } = this.#options;
    const order = [...nearest, ...others].filter((region) => region === own || isReachable(region));
    const place = Math.max(0, order.indexOf(own));
    return (place + order.length - (attempt % order.length)) % order.length;
  }

  #forget(open: readonly Run[]): void {
    const current = new Set(
      open.flatMap((run) => {
        const step = currentStep(run)?.step;
        return step === undefined ? [] : [situationOf(run, step)];
      }),
    );
    for (const situation of this.#seenAt.keys()) {
      if (!current.has(situation)) {
        this.#seenAt.delete(situation);
      }
    }
  }
}

function situationOf({ id }: Run, { name, attempt, progress }: Step): string {
  return `${id}/${name}/${attempt}/${progress.kind}`;
}
