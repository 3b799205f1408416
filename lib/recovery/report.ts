/**
 * The evidence report of a run: what happened, when, and how it compares with the objectives. Pure.
 *
 * The actual RTO is split where it was spent. The stages share their ends, so they add up to the
 * total; a stage that a run did not have (a planned failback detects nothing) is null. All instants are
 * wall clocks of the regions that did the work: a skew between them moves time between stages.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import type { ServicePolicy } from './policy.ts';
import type { Run, Step, StepName } from './run.ts';

/** Milliseconds; each at least 0. */
export interface RecoveryTimes {
  /** Last proof of life → first observer's `failed`; null for a run that nothing had failed before. */
  readonly detectMs: number | null;
  /** First `failed` → majority agreed and the run authorised; null likewise. */
  readonly decideMs: number | null;
  /** Authorised → records changed. */
  readonly actMs: number;
  /** Records changed → the authoritative servers answer with them. */
  readonly propagateMs: number;
  /** Answered → the new site served a probe. */
  readonly verifyMs: number;
  readonly totalMs: number;
}

/** The split of the actual RTO; null while an essential step is not done. */
export function recoveryTimes(run: Run): RecoveryTimes | null {
  const switched = doneAt(run, 'switch');
  const propagated = doneAt(run, 'propagate');
  const verified = run.kind === 'setup' ? propagated : doneAt(run, 'verify');
  if (switched === null || propagated === null || verified === null) {
    return null;
  }
  const { origin, authorisedAt } = run;
  const { firstFailedVerdictAt: failedAt, lastBeatAt } = origin;
  const stages = {
    detectMs: failedAt === null || lastBeatAt === null ? null : between(lastBeatAt, failedAt),
    decideMs: failedAt === null ? null : between(failedAt, authorisedAt),
    actMs: between(authorisedAt, switched),
    propagateMs: between(switched, propagated),
    verifyMs: between(propagated, verified),
  };
  const totalMs = Object.values(stages).reduce<number>((sum, stage) => sum + (stage ?? 0), 0);
  return { ...stages, totalMs };
}

function doneAt(run: Run, name: StepName): EpochMillis | null {
  const progress = run.steps.find((step) => step.name === name)?.progress;
  return progress?.kind === 'done' ? progress.at : null;
}

function between(from: EpochMillis, to: EpochMillis): number {
  return Math.max(0, to - from);
}

export interface ReportContext {
  readonly policy: ServicePolicy;
  readonly generatedAt: EpochMillis;
  readonly generatedBy: string;
  /** Place in the log up to which the report looks, and the hash chain there. */
  readonly position: { readonly index: number; readonly chain: string };
  readonly formatInstant: (instant: EpochMillis) => string;
}

/** The report as data. Keys are stable; durations are milliseconds, instants RFC 3339. */
export function reportOf(run: Run, context: ReportContext): { readonly [key: string]: JsonValue } {
  const times = recoveryTimes(run);
  const { rtoMs, rpoMs } = context.policy.objectives;
  const lagMs = run.origin.replicationLagMs;
  const instant = context.formatInstant;
  return {
    format: 'tripoint-run-report/1',
    run: run.id,
    service: run.service,
    kind: run.kind,
    trigger: run.trigger,
    from: run.from,
    to: run.to,
    requestedBy: run.requestedBy,
    reason: run.reason,
    analysis: run.analysis,
    epoch: { term: run.epoch.term, index: run.epoch.index },
    lastBeatAt: run.origin.lastBeatAt === null ? null : instant(run.origin.lastBeatAt),
    authorisedAt: instant(run.authorisedAt),
    rto: {
      objectiveMs: rtoMs,
      actual: times === null ? null : { ...times },
      met: times === null ? null : times.totalMs <= rtoMs,
    },
    rpo: {
      objectiveMs: rpoMs,
      actualMs: lagMs,
      met: lagMs === null ? null : lagMs <= rpoMs,
    },
    steps: reportedSteps(run).map(({ name, attempt, worker, progress }) => ({
      name,
      attempts: attempt,
      worker,
      state: progress.kind,
      at: 'at' in progress ? instant(progress.at) : null,
      detail:
        progress.kind === 'done'
          ? progress.evidence
          : progress.kind === 'failed'
            ? progress.code
            : null,
    })),
    log: { index: context.position.index, chain: context.position.chain },
    generatedAt: instant(context.generatedAt),
    generatedBy: context.generatedBy,
  };
}

/** The same report for people. */
export function reportMarkdown(run: Run, context: ReportContext): string {
  const times = recoveryTimes(run);
  const { rtoMs, rpoMs } = context.policy.objectives;
  const lagMs = run.origin.replicationLagMs;
  const stages =
    times === null
      ? ['| not finished | |']
      : Object.entries(times).map(
          ([stage, ms]) => `| ${stage.replace(/Ms$/, '')} | ${ms === null ? '–' : seconds(ms)} |`,
        );
  return [
    `# Run ${run.id}: ${run.kind} of ${run.service}`,
    '',
    `${run.from} → ${run.to}, ${run.trigger}, asked by ${run.requestedBy}: ${run.reason}`,
    '',
    `Authorised ${context.formatInstant(run.authorisedAt)} by log entry term ${run.epoch.term}, index ${run.epoch.index} (${run.analysis}).`,
    '',
    '| stage | time |',
    '|---|---|',
    ...stages,
    '',
    `RTO: objective ${seconds(rtoMs)}, actual ${times === null ? 'open' : seconds(times.totalMs)}.`,
    `RPO: objective ${seconds(rpoMs)}, actual ${lagMs === null ? 'not reported by the site' : seconds(lagMs)}.`,
    '',
    '| step | attempts | worker | outcome |',
    '|---|---|---|---|',
    ...reportedSteps(run).map(
      ({ name, attempt, worker, progress }) =>
        `| ${name} | ${attempt} | ${worker ?? '–'} | ${progress.kind} |`,
    ),
    '',
    `Log position ${context.position.index}, hash chain ${context.position.chain}.`,
    `Written ${context.formatInstant(context.generatedAt)} by ${context.generatedBy}.`,
    '',
  ].join('\n');
}

/** A report cannot tell how its own writing went. */
function reportedSteps({ steps }: Run): readonly Step[] {
  return steps.filter(({ name }) => name !== 'report');
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`;
}
