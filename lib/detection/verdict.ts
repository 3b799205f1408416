/**
 * One observer's verdict on one site: what the arrivals, the clock, other evidence and the
 * observer's own doubt allow it to say now.
 *
 * Two things are kept apart. *Proof of life* is an arrival within the suspect deadline: it stands
 * even if the observer doubts itself. *Silence* is only absence of evidence: it convicts when the
 * observer was watching all along (`watch.ts`) and has no reason to doubt itself. Where silence is
 * long but was not watched, the answer is `unknown`, which is neither up nor down.
 *
 * Heartbeats say *alive*, probes say *serving*, callers say *useful*. A site that beats and is in
 * trouble is degraded, never failed; one that is silent and serves is suspect, never failed; one
 * that is silent and whose port refuses fails earlier. A site that said it leaves is expected no
 * more: *pending*, as before its first beat.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import type { ArrivalWindow } from './arrival-window.ts';
import type { ProbeFinding, SiteEvidence } from './evidence.ts';
import { explain, NEVER_HEARD } from './explain.ts';
import { isFlapping, isProving } from './flapping.ts';
import { GAVE_UP_INTERVALS } from './limits.ts';
import { type ObserverDoubt, stretchOf } from './observer.ts';
import type { DetectionPolicy } from './policy.ts';
import { phiAfter, type SilenceLimits, silenceLimits, suspicionModel } from './suspicion.ts';
import { type Watch, watchedSilenceMs, watchedUntil } from './watch.ts';

export type VerdictState = 'pending' | 'healthy' | 'suspect' | 'failed' | 'degraded' | 'unknown';

/** How a site described itself in its newest heartbeat. `leaving`: it goes on purpose. */
export type ReportedStatus = 'ok' | 'degraded' | 'failing' | 'leaving';

/** Every reason a verdict can have, with the state it leads to. */
export const VERDICT_CODES = {
  'never-heard': 'pending',
  deregistered: 'pending',
  beating: 'healthy',
  'gave-up-role': 'degraded',
  'reports-degraded': 'degraded',
  'reports-failing': 'degraded',
  'probe-failing': 'degraded',
  'callers-report-trouble': 'degraded',
  recovering: 'suspect',
  flapping: 'suspect',
  'phi-over-suspect': 'suspect',
  'silence-over-suspect-bound': 'suspect',
  'silent-but-serving': 'suspect',
  'many-silent-at-once': 'suspect',
  'phi-over-fail': 'failed',
  'silence-over-fail-bound': 'failed',
  'silent-and-refused': 'failed',
  'evaluation-late': 'unknown',
  'store-errors': 'unknown',
  'clock-stepped-back': 'unknown',
  'observer-unwell': 'unknown',
  'arrival-in-future': 'unknown',
  'not-watched-long-enough': 'unknown',
  'record-damaged': 'unknown',
  // Of jobs, by `judgeSchedule`.
  'run-on-time': 'healthy',
  running: 'healthy',
  'run-due': 'healthy',
  'run-late': 'suspect',
  'run-missed': 'failed',
  'run-failed': 'failed',
  'run-too-long': 'failed',
} as const;

export type VerdictCode = keyof typeof VERDICT_CODES;

/** What silence and evidence can lead to; jobs are judged by `judgeSchedule`. */
export type JudgedCode = Exclude<
  VerdictCode,
  'never-heard' | 'record-damaged' | `run-${string}` | 'running'
>;

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

/** A `SelfObservation` has all that is asked for about the observer: spread it into the input. */
export interface JudgeInput extends Watch {
  readonly window: ArrivalWindow | null;
  readonly reportedStatus: ReportedStatus;
  /** Since when its beats say that no answer reaches it; default: they do not. */
  readonly fencedSince?: EpochMillis | null;
  /** What probes and callers say; `NO_EVIDENCE` where there is none. */
  readonly evidence: SiteEvidence;
  /** Clock of the region that stamped the arrivals. */
  readonly now: EpochMillis;
  readonly doubt: ObserverDoubt | null;
  /** The observer's doubt of itself, 0 to 7, which stretches both thresholds; default 0. */
  readonly score?: number;
  readonly policy: DetectionPolicy;
}

/** Pure: the same input gives the same verdict, however often and wherever it is evaluated. */
export function judge(input: JudgeInput): Verdict {
  const { window } = input;
  if (window === null) {
    return { ...NOTHING_KNOWN, judgedAt: input.now };
  }
  const silence = weigh(window, input);
  const code = codeOf(window, input, silence);
  return {
    state: VERDICT_CODES[code],
    code,
    sentence: explain(code, { ...input, ...silence, window }),
    phi: silence.phi,
    silentMs: silence.silentMs,
    judgedAt: input.now,
    bootId: window.bootId,
    lastSequence: window.lastSequence,
    lastArrivalAt: window.lastArrivalAt,
  };
}

/** Of a site whose record cannot be read: neither up nor down, and no doubt about other sites. */
export function judgeDamaged(now: EpochMillis): Verdict {
  const code = 'record-damaged';
  const sentence = 'the record of this site in the health table of this region cannot be read';
  return { ...NOTHING_KNOWN, state: VERDICT_CODES[code], code, sentence, judgedAt: now };
}

const NOTHING_KNOWN: Omit<Verdict, 'judgedAt'> = {
  state: 'pending',
  code: 'never-heard',
  sentence: NEVER_HEARD,
  phi: 0,
  silentMs: 0,
  bootId: null,
  lastSequence: null,
  lastArrivalAt: null,
};

/**
 * When this verdict may become another one by time alone, if nothing arrives and the evidence stays:
 * set the timer for then. null = never, or only by the next round (the observer doubts itself).
 */
export function changesAt(input: JudgeInput): EpochMillis | null {
  const { window, now, evidence } = input;
  if (window === null || input.reportedStatus === 'leaving') {
    return null;
  }
  const { limits } = weigh(window, input);
  const ends = [limits.suspectMs, limits.refusedMs, limits.failMs].flatMap((silenceMs) => [
    window.lastArrivalAt + silenceMs,
    watchedUntil(input, { from: window.lastArrivalAt, silenceMs }),
  ]);
  const heldUntil = evidence.probe === null ? [] : [evidence.probe.checkedAt + limits.boundMs + 1];
  const arrived = window.lastArrivalAt - input.policy.intervalMs;
  const ahead = [...ends, ...heldUntil, arrived].filter((instant) => instant > now);
  return ahead.length === 0 ? null : epochMillis(Math.min(...ahead));
}

/** What the silence of a site amounts to, with the limits it is held against. */
export interface Silence {
  /** Since the last arrival, watched or not; negative when the arrival lies ahead. */
  readonly unheardMs: number;
  /** The part of it that this observer watched. */
  readonly silentMs: number;
  readonly phi: number;
  readonly limits: SilenceLimits & {
    /** Takes the place of `failMs` where the site's port refuses. */
    readonly refusedMs: number;
  };
  /** The policy with the thresholds that this observer's doubt of itself leaves. */
  readonly policy: DetectionPolicy;
}

function weigh(window: ArrivalWindow, input: JudgeInput): Silence {
  const policy = stretched(input.policy, input.score ?? 0);
  const silentMs = watchedSilenceMs(input, { from: window.lastArrivalAt, to: input.now });
  const model = suspicionModel(window, policy);
  const limits = silenceLimits(window, policy, model);
  // Halfway between both thresholds: 12 by default.
  const refusedPolicy = { ...policy, failPhi: (policy.suspectPhi + policy.failPhi) / 2 };
  const refused = silenceLimits(window, refusedPolicy, model);
  return {
    unheardMs: input.now - window.lastArrivalAt,
    silentMs,
    phi: phiAfter(model, silentMs),
    limits: { ...limits, refusedMs: refused.failMs },
    policy,
  };
}

/** The bounds stay: an observer that is only a little unwell still convicts at the longest silence. */
function stretched(policy: DetectionPolicy, score: number): DetectionPolicy {
  const factor = stretchOf(score);
  return factor === 1
    ? policy
    : { ...policy, suspectPhi: policy.suspectPhi * factor, failPhi: policy.failPhi * factor };
}

function codeOf(window: ArrivalWindow, input: JudgeInput, silence: Silence): JudgedCode {
  const { limits } = silence;
  if (input.reportedStatus === 'leaving') {
    return 'deregistered';
  }
  if (silence.unheardMs < -input.policy.intervalMs) {
    return 'arrival-in-future';
  }
  if (silence.unheardMs < limits.suspectMs) {
    return codeOfLiving(window, input.reportedStatus, input);
  }
  if (input.doubt !== null && input.doubt !== 'many-silent-at-once') {
    return input.doubt;
  }
  if (silence.silentMs < limits.suspectMs) {
    return 'not-watched-long-enough';
  }
  return codeOfSilent(window, input, silence);
}

function codeOfLiving(
  window: ArrivalWindow,
  status: Exclude<ReportedStatus, 'leaving'>,
  { evidence, fencedSince = null, policy }: JudgeInput,
): JudgedCode {
  if (isProving(window)) {
    return isFlapping(window) ? 'flapping' : 'recovering';
  }
  // Before its status: a site that stopped serving for want of an answer may well say that it fails.
  if (fencedLong(window, fencedSince, policy.intervalMs)) {
    return 'gave-up-role';
  }
  if (status !== 'ok') {
    return REPORT_CODES[status];
  }
  if (evidence.probe?.state === 'failing') {
    return 'probe-failing';
  }
  return evidence.callers?.state === 'troubled' ? 'callers-report-trouble' : 'beating';
}

/** Whether a site's beats have said for long enough that no answer reaches it. */
export function fencedLong(
  { lastArrivalAt }: Pick<ArrivalWindow, 'lastArrivalAt'>,
  fencedSince: EpochMillis | null,
  intervalMs: number,
): boolean {
  return fencedSince !== null && lastArrivalAt - fencedSince >= GAVE_UP_INTERVALS * intervalMs;
}

const REPORT_CODES = {
  degraded: 'reports-degraded',
  failing: 'reports-failing',
} as const satisfies Record<Exclude<ReportedStatus, 'ok' | 'leaving'>, VerdictCode>;

function codeOfSilent(window: ArrivalWindow, input: JudgeInput, silence: Silence): JudgedCode {
  const { silentMs, phi, limits, policy } = silence;
  const suspectAt = window.lastArrivalAt + limits.suspectMs;
  if (freshProbe(input, { from: suspectAt, limits })?.state === 'passing') {
    return 'silent-but-serving';
  }
  const refusal = freshProbe(input, { from: window.lastArrivalAt, limits });
  const refuses = refusal?.state === 'failing' && refusal.code === 'connection-refused';
  if (silentMs < (refuses ? limits.refusedMs : limits.failMs)) {
    if (isFlapping(window)) {
      return 'flapping';
    }
    return phi >= policy.suspectPhi ? 'phi-over-suspect' : 'silence-over-suspect-bound';
  }
  if (input.doubt !== null) {
    return 'many-silent-at-once';
  }
  if (silentMs < limits.failMs) {
    return 'silent-and-refused';
  }
  return phi >= policy.failPhi ? 'phi-over-fail' : 'silence-over-fail-bound';
}

/**
 * The finding, if it was made after `from` and is fresh: it counts for as long as a silence may last.
 * A probe that passed before the site became suspect proves no more than its beats did.
 */
function freshProbe(
  { evidence, now }: JudgeInput,
  { from, limits }: { readonly from: number; readonly limits: SilenceLimits },
): ProbeFinding | null {
  const { probe } = evidence;
  const isFresh =
    probe !== null && probe.checkedAt >= from && now - probe.checkedAt <= limits.boundMs;
  return isFresh ? probe : null;
}
