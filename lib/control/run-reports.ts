/**
 * What the report of a run says beside the run: as the state had it at one index of the log.
 *
 * A report is made from the state as of that index and from the entries up to there, by functions
 * that anybody else can call on the same log: so `report verify` makes it again and compares.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { formatInstant } from '../base/instant.ts';
import type { Sha256 } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import { type DrillEvidence, type ReportContext, recoveryTimes } from '../recovery/report.ts';
import type { Run } from '../recovery/run.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { LogExcerpt } from './run-entries.ts';

/** The log up to where a report looks. */
export interface ReportGround {
  readonly state: RecoveryState;
  readonly position: { readonly index: number; readonly chain: string };
  readonly founders: readonly string[];
  readonly sha256: Sha256;
}

export interface ReportAuthor {
  readonly policy: ServicePolicy;
  readonly generatedAt: EpochMillis;
  readonly generatedBy: string;
  readonly excerpt: LogExcerpt;
}

export function reportContextOf(
  run: Run,
  { state, ...ground }: ReportGround,
  author: ReportAuthor,
): ReportContext {
  return {
    ...author,
    ...ground,
    formatInstant,
    children: state.runs.filter(({ parent }) => parent === run.id).map(({ id }) => id),
    drill: drillOf(run, state),
  };
}

/** The drill that a run belongs to, as long as the service is at it. */
function drillOf(run: Run, { services, runs }: RecoveryState): DrillEvidence | null {
  const drill = ownValue(services, run.service)?.drill ?? null;
  if (drill === null || (drill.run !== run.id && run.kind !== 'drill-return')) {
    return null;
  }
  const { run: away, site, home, durationMs, revertAt } = drill;
  const wayThere = runs.find(({ id }) => id === away);
  const awayMs = wayThere?.outcome.kind === 'done' ? recoveryTimes(wayThere)?.totalMs : undefined;
  return { away, site, home, durationMs, revertAt, awayMs: awayMs ?? null };
}

/** The run that a key of a store is the JSON report of; null = of none. */
export function reportedRun(key: string): string | null {
  return /^reports\/report-(.+)\.json$/.exec(key)?.[1] ?? null;
}
