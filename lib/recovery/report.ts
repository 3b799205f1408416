/**
 * The evidence report of a run: what happened, when, and how it compares with the objectives. Pure.
 *
 * The actual RTO is split where it was spent. The stages share their ends, so they add up to the
 * total; a stage that a run did not have (a planned failback detects nothing) is null. All instants are
 * wall clocks of the regions that did the work: a skew between them moves time between stages.
 *
 * The report carries the entries of the log that it tells of, each with its link of the hash chain,
 * and a digest of itself: `lib/control/report-check.ts` finds from the file alone whether it was
 * changed, and with a copy of the log whether it is true. The Markdown (`report-text.ts`) is made of
 * the JSON and of nothing else, so the two cannot differ.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { canonicalJson, type JsonValue, type Sha256, sortedJson } from '../base/json.ts';
import { actualLossMs, lossStepOf } from './actual-loss.ts';
import type { ServicePolicy } from './policy.ts';
import {
  REPORT_FORMAT,
  type ReportContent,
  type ReportDocument,
  type ReportedDrill,
  type ReportedLog,
  type ReportedOutcome,
  type ReportedStep,
} from './report-document.ts';
import type { Run, Step } from './run.ts';
import { type Traffic, trafficOf } from './traffic.ts';

/** Milliseconds; each at least 0. */
export interface RecoveryTimes {
  /** Last proof of life → first observer's `failed`; null for a run that nothing had failed before. */
  readonly detectMs: number | null;
  /** First `failed` → majority agreed and the run authorised; null likewise. */
  readonly decideMs: number | null;
  /** Authorised → the last step that moves traffic is done. */
  readonly actMs: number;
  /** … → the authoritative servers answer with it. */
  readonly propagateMs: number;
  /** Answered → the new site served a probe. */
  readonly verifyMs: number;
  readonly totalMs: number;
}

/** The instants that the split is made of. */
export interface RecoveryInstants {
  readonly lastBeatAt: EpochMillis | null;
  readonly firstFailedVerdictAt: EpochMillis | null;
  readonly authorisedAt: EpochMillis;
  readonly steps: readonly ReportedInstant[];
}

interface ReportedInstant {
  readonly kind: string;
  readonly isUndo: boolean;
  readonly state: string;
  readonly openedAt: EpochMillis | null;
  readonly at: EpochMillis | null;
}

/** The split of the actual RTO; null while the traffic is not where the run wants it. */
export function recoveryTimes(run: Run): RecoveryTimes | null {
  return run.reverting === null ? timesBetween(instantsOf(run)) : null;
}

function instantsOf({ origin, authorisedAt, steps }: Run): RecoveryInstants {
  return {
    ...origin,
    authorisedAt,
    steps: steps.map(({ action, isUndo, openedAt, progress }) => ({
      kind: action.kind,
      isUndo,
      state: progress.kind,
      openedAt,
      at: 'at' in progress ? progress.at : null,
    })),
  };
}

/** The same of instants that come from a report. */
export function timesBetween(instants: RecoveryInstants): RecoveryTimes | null {
  const { authorisedAt, firstFailedVerdictAt: failedAt, lastBeatAt } = instants;
  const moved = lastDone(instants, RECORDS) ?? lastDone(instants, ROUTING);
  const propagated = lastDone(instants, new Set(['propagate'])) ?? moved;
  const verified = lastDone(instants, new Set(['verify'])) ?? propagated;
  if (typeof moved !== 'number' || typeof propagated !== 'number' || typeof verified !== 'number') {
    return null;
  }
  // Where path A was waited for too, that wait is no part of this path's time.
  const askedAt = Math.max(propagated, lastEnd(instants, ROUTING));
  const stages = {
    detectMs: failedAt === null || lastBeatAt === null ? null : between(lastBeatAt, failedAt),
    decideMs: failedAt === null ? null : between(failedAt, authorisedAt),
    actMs: between(authorisedAt, moved),
    propagateMs: between(moved, propagated),
    verifyMs: Math.max(0, verified - askedAt),
  };
  const totalMs = Object.values(stages).reduce<number>((sum, stage) => sum + (stage ?? 0), 0);
  return { ...stages, totalMs };
}

/**
 * The same on path A, beside a switch of records: it turns by itself when the switch is opened. What the
 * verification took is the same for both paths, and comes after them; null = nobody waited for path A, or in vain.
 */
export function dataPlaneTimes(instants: RecoveryInstants): RecoveryTimes | null {
  const times = timesBetween(instants);
  const openedAt = instants.steps.findLast(
    ({ kind, isUndo }) => RECORDS.has(kind) && !isUndo,
  )?.openedAt;
  const routed = lastDone(instants, ROUTING);
  if (times === null || typeof routed !== 'number' || typeof openedAt !== 'number') {
    return null;
  }
  const { detectMs, decideMs, verifyMs } = times;
  const actMs = between(instants.authorisedAt, openedAt);
  const propagateMs = between(openedAt, routed);
  const totalMs = (detectMs ?? 0) + (decideMs ?? 0) + actMs + propagateMs + verifyMs;
  return { detectMs, decideMs, actMs, propagateMs, verifyMs, totalMs };
}

const RECORDS: ReadonlySet<string> = new Set(['switch', 'weights']);
const ROUTING: ReadonlySet<string> = new Set(['routing']);

/** When the last of these was done; null = the plan has none; `open` = it is not done. */
function lastDone(
  { steps }: RecoveryInstants,
  kinds: ReadonlySet<string>,
): EpochMillis | 'open' | null {
  const last = steps.findLast(
    ({ kind, isUndo, state }) => kinds.has(kind) && !isUndo && state !== 'skipped',
  );
  return last === undefined ? null : last.state === 'done' && last.at !== null ? last.at : 'open';
}

/** When the last of these ended, well or not; 0 = none did. */
function lastEnd({ steps }: RecoveryInstants, kinds: ReadonlySet<string>): number {
  const ends = steps.flatMap(({ kind, isUndo, at }) =>
    kinds.has(kind) && !isUndo ? (at ?? 0) : [],
  );
  return Math.max(0, ...ends);
}

function between(from: EpochMillis, to: EpochMillis): number {
  return Math.max(0, to - from);
}

/** What a practice is about: of the run that takes the traffic away, and of the one that brings it back. */
export interface DrillEvidence {
  readonly away: string;
  readonly site: string;
  readonly home: Traffic;
  readonly durationMs: number;
  readonly revertAt: EpochMillis | null;
  /** How long the run there took; null = this is that run, or it did not come there. */
  readonly awayMs: number | null;
}

export interface ReportContext {
  readonly policy: ServicePolicy;
  readonly generatedAt: EpochMillis;
  readonly generatedBy: string;
  /** Place in the log up to which the report looks, and the hash chain there. */
  readonly position: { readonly index: number; readonly chain: string };
  readonly formatInstant: (instant: EpochMillis) => string;
  readonly sha256: Sha256;
  /** Runs that this one started. */
  readonly children: readonly string[];
  /** null = the run is no drill. */
  readonly drill: DrillEvidence | null;
  /** The entries of the log, as `lib/control/run-entries.ts` gathers them. */
  readonly excerpt: Pick<ReportedLog, 'complete' | 'spans'>;
  /** The regions that the log was founded with: whoever replays it must know. */
  readonly founders: readonly string[];
}

/** The report as data. Keys are stable; durations are milliseconds, instants RFC 3339. */
export function reportOf(run: Run, context: ReportContext): ReportDocument {
  const { position, formatInstant: instant, children, founders, excerpt } = context;
  return sealed(
    {
      format: REPORT_FORMAT,
      ...headOf(run, instant),
      ...measuresOf(run, context.policy),
      traffic: trafficOfRun(run, instant),
      loss: lossOf(run, instant),
      approvals: run.approvals.map(({ at, ...approval }) => ({ ...approval, at: instant(at) })),
      undo: undoOf(run, instant),
      parent: run.parent,
      children: [...children],
      drill: drillOf(run, context),
      steps: reportedSteps(run).map((step) => stepOf(step, instant)),
      log: { ...position, founders: [...founders], ...excerpt },
      generatedAt: instant(context.generatedAt),
      generatedBy: context.generatedBy,
    },
    context.sha256,
  );
}

/** The report with its digest. */
export function sealed(content: ReportContent, sha256: Sha256): ReportDocument {
  return {
    ...content,
    digest: { method: 'sha256-canonical-json', value: digestOf(content, sha256) },
  };
}

export function digestOf(content: ReportContent, sha256: Sha256): string {
  return sha256(canonicalJson(content));
}

/**
 * The text of the file. Members are sorted and lines indented, so that there is one way to write each
 * report, and not even a blank can be changed without being found.
 */
export function encodeReport(report: ReportDocument): string {
  return `${JSON.stringify(sortedJson(report), null, 2)}\n`;
}

type Instant = ReportContext['formatInstant'];

function headOf(run: Run, instant: Instant) {
  const { origin } = run;
  return {
    run: run.id,
    service: run.service,
    kind: run.kind,
    mode: run.mode,
    trigger: run.trigger,
    from: run.from,
    to: run.to,
    requestedBy: run.requestedBy,
    reason: run.reason,
    analysis: run.analysis,
    epoch: { term: run.epoch.term, index: run.epoch.index },
    lastBeatAt: optional(origin.lastBeatAt, instant),
    firstFailedVerdictAt: optional(origin.firstFailedVerdictAt, instant),
    authorisedAt: instant(run.authorisedAt),
    outcome: outcomeOf(run, instant),
  };
}

function measuresOf(run: Run, { objectives: { rtoMs, rpoMs } }: ServicePolicy) {
  const times = recoveryTimes(run);
  const routed = run.reverting === null ? dataPlaneTimes(instantsOf(run)) : null;
  const { from, to, loss, steps } = run;
  const lagMs = actualLossMs({ from, to, lagMs: loss?.lagMs ?? null }, steps.map(lossStepOf));
  return {
    rto: {
      objectiveMs: rtoMs,
      actual: times === null ? null : { ...times },
      met: times === null ? null : times.totalMs <= rtoMs,
      ...(routed === null ? {} : { dataPlane: { ...routed } }),
    },
    rpo: { objectiveMs: rpoMs, actualMs: lagMs, met: lagMs === null ? null : lagMs <= rpoMs },
  };
}

/** How the run ended, or will: when its report is written, only the report itself may be left. */
function outcomeOf({ outcome, reverting, steps }: Run, instant: Instant): ReportedOutcome {
  if (outcome.kind === 'failed') {
    return { state: 'failed', code: outcome.code, exceptions: [], at: instant(outcome.at) };
  }
  const failures = steps.flatMap(({ name, action, progress }) =>
    progress.kind === 'failed' && action.kind !== 'report' ? [`${name}: ${progress.code}`] : [],
  );
  const at = outcome.kind === 'done' ? instant(outcome.at) : null;
  return reverting === null
    ? { state: 'done', code: null, exceptions: failures, at }
    : { state: 'failed', code: reverting.code, exceptions: failures, at };
}

/** What the run made of the shares, step by step, as they were authorised and as they came true. */
function trafficOfRun(run: Run, instant: Instant): ReportContent['traffic'] {
  const moves = run.steps.flatMap((step) => {
    const shares = step.openedAt === null ? null : trafficOf(run, step.action);
    return shares === null || step.progress.kind === 'skipped'
      ? []
      : [
          {
            step: step.name,
            shares: { ...shares },
            authorisedAt: optional(step.openedAt, instant),
            doneAt: step.progress.kind === 'done' ? instant(step.progress.at) : null,
          },
        ];
  });
  return { before: { ...run.before }, wanted: { ...run.traffic }, moves };
}

function lossOf({ loss }: Run, instant: Instant): ReportContent['loss'] {
  return loss === null ? null : { ...loss, measuredAt: optional(loss.measuredAt, instant) };
}

function undoOf({ reverting, steps }: Run, instant: Instant): ReportContent['undo'] {
  return reverting === null
    ? null
    : {
        code: reverting.code,
        at: instant(reverting.at),
        steps: steps.filter(({ isUndo }) => isUndo).map(({ name }) => name),
      };
}

/** A drill passed when the traffic came where it should, in time; and where it went home, came home. */
function drillOf(
  run: Run,
  { drill, policy, formatInstant: instant }: ReportContext,
): ReportedDrill | null {
  if (drill === null) {
    return null;
  }
  const { away, site, home, durationMs, revertAt } = drill;
  const isBack = run.kind === 'drill-return';
  const ownMs = recoveryTimes(run)?.totalMs ?? null;
  const awayMs = isBack ? drill.awayMs : ownMs;
  return {
    away,
    back: isBack ? run.id : null,
    site,
    home: { ...home },
    durationMs,
    revertAt: optional(revertAt, instant),
    endedBy: isBack ? run.reason : null,
    awayMs,
    backMs: isBack ? ownMs : null,
    passed: hasPassed(policy.objectives.rtoMs, isBack ? [awayMs, ownMs] : [awayMs]),
  };
}

/** @param waysMs the way there must be within the objective, the way back must only end */
export function hasPassed(rtoMs: number, waysMs: readonly (number | null)[]): boolean {
  const [awayMs = null] = waysMs;
  return waysMs.every((wayMs) => wayMs !== null) && awayMs !== null && awayMs <= rtoMs;
}

function stepOf(step: Step, instant: Instant): ReportedStep {
  const { name, action, stage, essential, isUndo, attempt, waits, worker, progress } = step;
  return {
    name,
    kind: action.kind,
    stage,
    essential,
    isUndo,
    attempts: attempt,
    waits,
    worker,
    openedAt: optional(step.openedAt, instant),
    epoch: step.epoch === null ? null : { term: step.epoch.term, index: step.epoch.index },
    state: progress.kind,
    at: 'at' in progress ? instant(progress.at) : null,
    detail: detailOf(step),
  };
}

function detailOf({ progress, lastCode }: Step): JsonValue {
  switch (progress.kind) {
    case 'done':
      return progress.evidence;
    case 'failed':
    case 'skipped':
      return progress.code;
    default:
      return lastCode;
  }
}

/** A report cannot tell how its own writing went. */
function reportedSteps({ steps }: Run): readonly Step[] {
  return steps.filter(({ action }) => action.kind !== 'report');
}

function optional(instant: EpochMillis | null, format: Instant): string | null {
  return instant === null ? null : format(instant);
}
