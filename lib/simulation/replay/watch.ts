/**
 * One observer of one target under one policy: the production detector, driven by a recording.
 *
 * A policy of ours goes through `recordArrival`, `deadlines` and `judge` as a control region does.
 * A *timeout* (a fixed silence, k missed beats) is what most health checks do; it takes its beats
 * through the same `recordArrival`, so that repeated and overtaken ones keep nobody alive, and
 * speaks the same verdicts, so that its observers vote by the same rules.
 */
import { type EpochMillis, epochMillis } from '../../base/identifiers.ts';
import type { ArrivalWindow, Beat } from '../../detection/arrival-window.ts';
import { NO_EVIDENCE } from '../../detection/evidence.ts';
import { SUSPECT_INTERVALS_MIN } from '../../detection/limits.ts';
import type { DetectionPolicy } from '../../detection/policy.ts';
import { recordArrival } from '../../detection/record-arrival.ts';
import { type Deadlines, deadlines } from '../../detection/suspicion.ts';
import { judge, type Verdict } from '../../detection/verdict.ts';

export type ReplayRule =
  | { readonly kind: 'detection'; readonly policy: DetectionPolicy }
  /** Failed, without a suspicion before it, when silent for longer than `silenceMs`. */
  | { readonly kind: 'timeout'; readonly policy: DetectionPolicy; readonly silenceMs: number };

export interface ReplayPolicy {
  /** As the user wrote it. */
  readonly label: string;
  readonly rule: ReplayRule;
}

/** Guards what one observer knows; a window is never used after a newer beat was recorded. */
export class Watch {
  readonly #rule: ReplayRule;
  readonly #baselineAt: EpochMillis;
  #window: ArrivalWindow | null = null;
  #deadlines: Deadlines | null = null;

  /** @param baselineAt since when this observer watches. */
  constructor(rule: ReplayRule, baselineAt: EpochMillis) {
    this.#rule = rule;
    this.#baselineAt = baselineAt;
  }

  get window(): ArrivalWindow | null {
    return this.#window;
  }

  hear(beat: Beat): void {
    const outcome = recordArrival(this.#window, beat, this.#rule.policy);
    if (outcome.kind !== 'refused' && outcome.kind !== 'duplicate') {
      this.#window = outcome.window;
      this.#deadlines = null;
    }
  }

  /** The next instant after `after`, before `before`, at which silence alone changes the verdict. */
  nextDeadline(after: number, before: number): number | null {
    if (this.#window === null || this.#earliestDeadline(this.#window) >= before) {
      return null;
    }
    const { suspectAt, failAt } = this.deadlines() ?? { suspectAt: after, failAt: after };
    const next = suspectAt > after ? suspectAt : failAt;
    return next > after && next < before ? next : null;
  }

  /** null before the first beat. */
  deadlines(): Deadlines | null {
    if (this.#window !== null) {
      this.#deadlines ??= this.#deadlinesOf(this.#window);
    }
    return this.#deadlines;
  }

  verdict(now: EpochMillis): Verdict {
    const { rule } = { rule: this.#rule };
    return rule.kind === 'timeout'
      ? timedOut(this.#window, rule.silenceMs, now)
      : judge({
          window: this.#window,
          reportedStatus: 'ok',
          now,
          baselineAt: this.#baselineAt,
          doubt: null,
          policy: rule.policy,
          evidence: NO_EVIDENCE,
        });
  }

  /** A bound that costs nothing: no policy accuses before it, so most beats need no model. */
  #earliestDeadline({ lastArrivalAt }: ArrivalWindow): number {
    const rule = this.#rule;
    return rule.kind === 'timeout'
      ? lastArrivalAt + rule.silenceMs
      : lastArrivalAt + SUSPECT_INTERVALS_MIN * rule.policy.intervalMs;
  }

  #deadlinesOf(window: ArrivalWindow): Deadlines {
    const rule = this.#rule;
    if (rule.kind === 'detection') {
      return deadlines(window, rule.policy);
    }
    const failAt = epochMillis(window.lastArrivalAt + Math.ceil(rule.silenceMs));
    return { suspectAt: failAt, failAt };
  }
}

function timedOut(window: ArrivalWindow | null, silenceMs: number, now: EpochMillis): Verdict {
  const silentMs = window === null ? 0 : Math.max(0, now - window.lastArrivalAt);
  const standing =
    window === null
      ? ({ state: 'pending', code: 'never-heard' } as const)
      : silentMs >= silenceMs
        ? ({ state: 'failed', code: 'silence-over-fail-bound' } as const)
        : ({ state: 'healthy', code: 'beating' } as const);
  return {
    ...standing,
    sentence: `silent ${silentMs} ms of ${silenceMs}`,
    phi: 0,
    silentMs,
    judgedAt: now,
    bootId: window?.bootId ?? null,
    lastSequence: window?.lastSequence ?? null,
    lastArrivalAt: window?.lastArrivalAt ?? null,
  };
}
