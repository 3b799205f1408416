/**
 * One observer's verdict on one site: what the arrivals, the clock and the observer's own doubt
 * allow it to say now.
 *
 * Two things are kept apart. *Proof of life* is an arrival within the suspect deadline: it stands
 * even if the observer doubts itself. *Silence* is only absence of evidence: it convicts when the
 * observer was watching all along (`baselineAt`) and has no reason to doubt itself. Where silence
 * is long but was not watched, the answer is `unknown`, which is neither up nor down.
 *
 * Heartbeats say *alive*; a site that beats and reports trouble is degraded, never failed.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { assertNever } from '../base/invariant.ts';
import { type ArrivalWindow, usualPace } from './arrival-window.ts';
import { DISPLAYED_PHI_MAX, RECOVERY_ARRIVALS } from './limits.ts';
import type { ObserverDoubt } from './observer.ts';
import type { DetectionPolicy } from './policy.ts';
import { phiAfter, type SilenceLimits, silenceLimits, suspicionModel } from './suspicion.ts';

export type VerdictState = 'pending' | 'healthy' | 'suspect' | 'failed' | 'degraded' | 'unknown';

/** How a site described itself in its newest heartbeat. */
export type ReportedStatus = 'ok' | 'degraded' | 'failing';

/** Every reason a verdict can have, with the state it leads to. */
export const VERDICT_CODES = {
  'never-heard': 'pending',
  beating: 'healthy',
  'reports-degraded': 'degraded',
  'reports-failing': 'degraded',
  recovering: 'suspect',
  'phi-over-suspect': 'suspect',
  'silence-over-suspect-bound': 'suspect',
  'phi-over-fail': 'failed',
  'silence-over-fail-bound': 'failed',
  'evaluation-late': 'unknown',
  'store-errors': 'unknown',
  'clock-stepped-back': 'unknown',
  'arrival-in-future': 'unknown',
  'not-watched-long-enough': 'unknown',
} as const;

export type VerdictCode = keyof typeof VERDICT_CODES;

const NEVER_HEARD = 'no heartbeat was ever heard';

/** Plain JSON: this is what goes into the log. */
export interface Verdict {
  readonly state: VerdictState;
  readonly code: VerdictCode;
  /** For people; tests and programs use `code`. */
  readonly sentence: string;
  /** Suspicion after `silentMs`; finite, >= 0. */
  readonly phi: number;
  /** Silence that was watched, in milliseconds; 0 when never heard. */
  readonly silentMs: number;
  readonly judgedAt: EpochMillis;
  /** Newest beat known; all three are null before the first one. */
  readonly bootId: string | null;
  readonly lastSequence: number | null;
  readonly lastArrivalAt: EpochMillis | null;
}

export interface JudgeInput {
  readonly window: ArrivalWindow | null;
  readonly reportedStatus: ReportedStatus;
  /** Clock of the region that stamped the arrivals. */
  readonly now: EpochMillis;
  /** Since when this observer has watched without a gap (`observeSelf`). */
  readonly baselineAt: EpochMillis;
  readonly doubt: ObserverDoubt | null;
  readonly policy: DetectionPolicy;
}

/** Pure: the same input gives the same verdict, however often and wherever it is evaluated. */
export function judge(input: JudgeInput): Verdict {
  const { window } = input;
  if (window === null) {
    return {
      state: 'pending',
      code: 'never-heard',
      sentence: NEVER_HEARD,
      phi: 0,
      silentMs: 0,
      judgedAt: input.now,
      bootId: null,
      lastSequence: null,
      lastArrivalAt: null,
    };
  }
  const evidence = weigh(window, input);
  const code = codeOf(window, input, evidence);
  return {
    state: VERDICT_CODES[code],
    code,
    sentence: sentenceOf(code, window, { ...input, evidence }),
    phi: evidence.phi,
    silentMs: evidence.silentMs,
    judgedAt: input.now,
    bootId: window.bootId,
    lastSequence: window.lastSequence,
    lastArrivalAt: window.lastArrivalAt,
  };
}

/** One sentence on the pace of a site, e.g. `silent 4.1 s, usual 1.0 ± 0.2 s, φ 11.3 > 8`. */
export function explain(window: ArrivalWindow, policy: DetectionPolicy, silentMs: number): string {
  const phi = phiAfter(suspicionModel(window, policy), silentMs);
  return paceOf(window, policy, { silentMs, phi });
}

function paceOf(
  window: ArrivalWindow,
  policy: DetectionPolicy,
  { silentMs, phi }: { readonly silentMs: number; readonly phi: number },
): string {
  const { meanMs, spreadMs } = usualPace(window, policy.intervalMs);
  const threshold = phi >= policy.failPhi ? policy.failPhi : policy.suspectPhi;
  const comparison = phi >= threshold ? '>' : '<';
  return (
    `silent ${seconds(silentMs)} s, usual ${seconds(meanMs)} ± ${seconds(spreadMs)} s, ` +
    `φ ${Math.min(phi, DISPLAYED_PHI_MAX).toFixed(1)} ${comparison} ${threshold}`
  );
}

interface Evidence {
  /** Silence since the last arrival, watched or not; negative when the arrival lies ahead. */
  readonly unheardMs: number;
  readonly silentMs: number;
  readonly phi: number;
  readonly limits: SilenceLimits;
}

function weigh(window: ArrivalWindow, input: JudgeInput): Evidence {
  const { now, policy } = input;
  const silentMs = Math.max(0, now - Math.max(window.lastArrivalAt, input.baselineAt));
  const model = suspicionModel(window, policy);
  return {
    unheardMs: now - window.lastArrivalAt,
    silentMs,
    phi: phiAfter(model, silentMs),
    limits: silenceLimits(window, policy, model),
  };
}

function codeOf(window: ArrivalWindow, input: JudgeInput, evidence: Evidence): VerdictCode {
  const { limits } = evidence;
  if (evidence.unheardMs < -input.policy.intervalMs) {
    return 'arrival-in-future';
  }
  if (evidence.unheardMs < limits.suspectMs) {
    return codeOfLiving(window, input.reportedStatus);
  }
  if (input.doubt !== null) {
    return input.doubt;
  }
  if (evidence.silentMs < limits.suspectMs) {
    return 'not-watched-long-enough';
  }
  if (evidence.silentMs < limits.failMs) {
    return evidence.phi >= input.policy.suspectPhi
      ? 'phi-over-suspect'
      : 'silence-over-suspect-bound';
  }
  return evidence.phi >= input.policy.failPhi ? 'phi-over-fail' : 'silence-over-fail-bound';
}

function codeOfLiving(window: ArrivalWindow, status: ReportedStatus): VerdictCode {
  if (window.arrivalsSinceCrossing < RECOVERY_ARRIVALS) {
    return 'recovering';
  }
  return status === 'ok' ? 'beating' : REPORT_CODES[status];
}

const REPORT_CODES = {
  degraded: 'reports-degraded',
  failing: 'reports-failing',
} as const satisfies Record<Exclude<ReportedStatus, 'ok'>, VerdictCode>;

function sentenceOf(
  code: VerdictCode,
  window: ArrivalWindow,
  { policy, evidence }: JudgeInput & { readonly evidence: Evidence },
): string {
  const { limits, unheardMs, silentMs } = evidence;
  const pace = paceOf(window, policy, evidence);
  switch (code) {
    case 'never-heard':
      return NEVER_HEARD;
    case 'beating':
    case 'phi-over-suspect':
    case 'phi-over-fail':
      return pace;
    case 'reports-degraded':
      return `beats and reports itself degraded; ${pace}`;
    case 'reports-failing':
      return `beats and reports itself failing; ${pace}`;
    case 'recovering':
      return `heard again after an outage, ${window.arrivalsSinceCrossing} of ${RECOVERY_ARRIVALS} arrivals at normal pace; ${pace}`;
    case 'silence-over-suspect-bound':
      return `${pace}; silent longer than ${seconds(limits.suspectMs)} s is always suspect`;
    case 'silence-over-fail-bound':
      return `${pace}; silent longer than ${seconds(limits.failMs)} s is always failed`;
    case 'evaluation-late':
      return `this observer evaluates late and convicts nobody; ${pace}`;
    case 'store-errors':
      return `this observer had store errors and convicts nobody; ${pace}`;
    case 'clock-stepped-back':
      return `the clock of this observer stepped back, it convicts nobody; ${pace}`;
    case 'arrival-in-future':
      return `the last arrival is stamped ${seconds(-unheardMs)} s ahead of the clock of this observer`;
    case 'not-watched-long-enough':
      return `silent ${seconds(unheardMs)} s, of which this observer watched only ${seconds(silentMs)} s`;
    default:
      return assertNever(code);
  }
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
