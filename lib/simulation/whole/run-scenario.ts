/**
 * One scenario on one configuration with one seed: what happened, how long clients were without the
 * service, what was lost, what each safety rule did, and whether a rule was broken.
 */
import type { ServicePolicy } from '../../recovery/policy.ts';
import type { ServiceState } from '../../recovery/state.ts';
import type { Traffic } from '../../recovery/traffic.ts';
import type { ActionEffect } from '../memory-actions.ts';
import { Checkers, RULES, type Rule, type Violation } from './checkers.ts';
import { requestsIn, writesIn } from './clients.ts';
import type { Stage } from './faults.ts';
import type { BatchRule } from './hosted-zone.ts';
import { judge, type Objectives } from './judgement.ts';
import { passUntil, startLife } from './life.ts';
import { type Loss, Recorder, type RecoveryStages } from './recorder.ts';
import { SCENARIOS } from './scenarios.ts';
import type { TrafficPath, WholeWorld } from './whole-world.ts';

export interface ScenarioOrder {
  readonly scenario: string;
  readonly seed: number;
  readonly policies: readonly ServicePolicy[];
  readonly configHash: string;
  readonly service: string;
  readonly path: TrafficPath;
  /** For twins that must fail. */
  readonly batchRule?: BatchRule;
}

export interface TimelineLine {
  /** From the beginning of the scenario, milliseconds. */
  readonly atMs: number;
  readonly source: 'world' | 'log' | 'clients';
  readonly sentence: string;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly seed: number;
  readonly service: string;
  readonly path: TrafficPath;
  readonly passed: boolean;
  readonly durationMs: number;
  readonly timeline: readonly TimelineLine[];
  /** Of the first failure of the active site; null where the scenario strikes none. */
  readonly stages: RecoveryStages | null;
  readonly requests: { readonly sent: number; readonly failed: number };
  readonly availability: number;
  readonly loss: {
    readonly rpoMs: number | null;
    readonly writesLost: number | null;
    /** Writes that a site took which the log no longer authorised. */
    readonly writesDivergent: number;
  };
  /** What the service is to keep; a missed one is no broken rule. */
  readonly objectives: Objectives;
  /** Why the plan was not run, where one was due and none began. */
  readonly refusal: Refusal | null;
  readonly dualActiveMs: number;
  readonly runs: readonly {
    readonly id: string;
    readonly kind: string;
    readonly outcome: string;
    /** Shares that it was for. */
    readonly traffic: Traffic;
  }[];
  /** What steps did beside DNS, in order. */
  readonly effects: readonly ActionEffect[];
  /** How often each decision was taken, refusals too, by code. */
  readonly decisions: { readonly [code: string]: number };
  readonly rules: { readonly [name in Rule]: { readonly looks: number; readonly broken: number } };
  readonly violations: readonly (Omit<Violation, 'at'> & { readonly atMs: number })[];
  /** Digest of every event of the world: equal for equal seeds. */
  readonly trace: string;
}

/** Of the log: why it did not act, the first time that it did not. */
export interface Refusal {
  readonly code: string;
  readonly sentence: string;
}

/** @throws RangeError for a scenario that there is not. */
export async function runScenario(order: ScenarioOrder): Promise<ScenarioResult> {
  const scenario = SCENARIOS[order.scenario];
  if (scenario === undefined) {
    throw new RangeError(
      `no scenario ${order.scenario}; there are ${Object.keys(SCENARIOS).join(', ')}`,
    );
  }
  const whole = await startLife({ ...order, paths: [order.path] });
  const watch = new Watch(whole);
  const { world } = whole;
  const stage: Stage = { whole, tell: (sentence) => watch.tell('world', sentence) };
  const before = whole.clients.totals();
  if (scenario.strikesAt !== null) {
    world.after(scenario.strikesAt, () => watch.follow(), 'scenario');
  }
  scenario.play(stage, (ms, happen) => world.after(ms, happen, 'scenario'));
  await passUntil(whole, () => watch.look(), scenario.durationMs);
  const { failedSeconds, divergentSeconds } = whole.clients.totals();
  return watch.resultOf(order, {
    durationMs: scenario.durationMs,
    failedSeconds: failedSeconds - before.failedSeconds,
    divergentSeconds: divergentSeconds - before.divergentSeconds,
  });
}

interface Outcome {
  readonly durationMs: number;
  readonly failedSeconds: number;
  readonly divergentSeconds: number;
}

/** Gathers what is told of one scenario. */
class Watch {
  readonly #whole: WholeWorld;
  readonly #checkers: Checkers;
  readonly #startedAt: number;
  readonly #lines: TimelineLine[] = [];
  readonly #decisions: Record<string, number> = {};
  #firstRefusal: Refusal | null = null;
  #recorder: Recorder | null = null;
  #logIndex: number;
  #decisionIndex = -1;
  #toldShare = 0;

  constructor(whole: WholeWorld) {
    this.#whole = whole;
    this.#checkers = new Checkers(whole);
    this.#startedAt = whole.world.now;
    this.#logIndex = whole.state?.timeline.at(-1)?.index ?? 0;
    this.#decisionIndex = whole.standing?.decision?.index ?? -1;
    whole.clients.onShare = (failing) => this.#onShare(failing);
  }

  /** The active site is about to be lost. */
  follow(): void {
    const { standing, policy } = this.#whole;
    this.#recorder = new Recorder(this.#whole, standing?.activeSite ?? policy.primary);
  }

  tell(source: TimelineLine['source'], sentence: string): void {
    const atMs = Math.round(this.#whole.world.now - this.#startedAt);
    this.#lines.push({ atMs, source, sentence });
  }

  /** After each event. Never says that it is over. */
  look(): false {
    this.#recorder?.look();
    const { state, standing } = this.#whole;
    const last = state?.timeline.at(-1);
    if (last !== undefined && last.index > this.#logIndex) {
      for (const { index, sentence } of state?.timeline ?? []) {
        if (index > this.#logIndex) {
          this.tell('log', sentence);
        }
      }
      this.#logIndex = last.index;
    }
    if (standing !== null) {
      this.#lookAtDecision(standing);
    }
    return false;
  }

  resultOf(order: ScenarioOrder, outcome: Outcome): ScenarioResult {
    const { scenario, seed, service, path } = order;
    const { violations, looks, dualActiveMs } = this.#checkers;
    const { durationMs, failedSeconds, divergentSeconds } = outcome;
    const loss: Loss | null = this.#recorder?.loss() ?? null;
    const stages = this.#recorder?.stages() ?? null;
    const failure = stages === null || loss === null ? null : { stages, rpoMs: loss.rpoMs };
    const runs = (this.#whole.state?.runs ?? []).filter(
      (run) => run.service === service && run.kind !== 'setup',
    );
    const names = Object.keys(RULES) as Rule[];
    const brokenBy = (name: Rule) => violations.filter(({ rule }) => rule === name).length;
    return {
      scenario,
      seed,
      service,
      path,
      passed: violations.length === 0,
      durationMs,
      timeline: this.#lines,
      stages,
      requests: { sent: requestsIn(durationMs / 1000), failed: requestsIn(failedSeconds) },
      availability: 1 - failedSeconds / (durationMs / 1000),
      loss: {
        rpoMs: loss?.rpoMs ?? null,
        writesLost: loss === null ? null : writesIn(loss.rpoMs / 1000),
        writesDivergent: writesIn(divergentSeconds),
      },
      objectives: judge(this.#whole.policy.objectives, failure),
      refusal: runs.length === 0 ? this.#firstRefusal : null,
      dualActiveMs: Math.round(dualActiveMs),
      runs: runs.map(({ id, kind, traffic, outcome: { kind: ended } }) => ({
        ...{ id, kind, traffic },
        outcome: ended,
      })),
      effects: this.#whole.actions.effects,
      decisions: this.#decisions,
      rules: Object.fromEntries(
        names.map((name) => [name, { looks: looks[name], broken: brokenBy(name) }]),
      ) as ScenarioResult['rules'],
      violations: violations.map(({ at, ...rest }) => ({
        ...rest,
        atMs: Math.round(at - this.#startedAt),
      })),
      trace: this.#whole.world.trace.digest,
    };
  }

  #lookAtDecision({ decision }: ServiceState): void {
    if (decision === null || decision.index <= this.#decisionIndex) {
      return;
    }
    this.#decisionIndex = decision.index;
    const { kind, code, sentence } = decision;
    this.#decisions[code] = (this.#decisions[code] ?? 0) + 1;
    if (kind === 'refuse') {
      this.#firstRefusal ??= { code, sentence };
    }
  }

  /** Told when it crosses a tenth: nobody reads of each resolver. */
  #onShare(failing: number): void {
    const share = Math.round(failing * 10) / 10;
    if (share !== this.#toldShare) {
      this.#toldShare = share;
      this.tell('clients', `${Math.round(failing * 100)} % of the requests fail`);
    }
  }
}
