/**
 * Is a report true? Held against a copy of the log, from the archive or an exported file, without a
 * running cluster.
 *
 * Two questions. Does the log have the links that the report names: else it tells of another log. And
 * does the machine, given the entries up to where the report looked, come to the same run, from which the
 * same report is made: else somebody sealed a report that the log does not bear out.
 */

import { regionId } from '../base/identifiers.ts';
import { parseInstant } from '../base/instant.ts';
import { canonicalJson, type JsonValue, type Sha256 } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import { reportOf } from '../recovery/report.ts';
import type { ReportDocument } from '../recovery/report-document.ts';
import { auditLog, type LogAudit, type LogPlace } from './log-audit.ts';
import { stateAt } from './log-replay.ts';
import type { Anchor } from './log-sweep.ts';
import type { ReportProblem } from './report-problem.ts';
import { reportContextOf } from './run-reports.ts';

export interface ReportReplay {
  readonly audit: LogAudit;
  readonly problems: readonly ReportProblem[];
  /** Whether the run was made again from the log; else why not. */
  readonly replayed: true | string;
}

export async function replayReport(
  report: ReportDocument,
  places: readonly LogPlace[],
  sha256: Sha256,
): Promise<ReportReplay> {
  const known = anchorsOf(report);
  const audit = await auditLog(places, { sha256, known });
  const broken = audit.breaks.filter(({ intactIn }) => intactIn === null);
  const problems = broken.map(
    ({ index, source, sentence }): ReportProblem => ({
      code: 'another-log',
      part: 'log',
      sentence: `entry ${index} in ${source}: ${sentence}`,
    }),
  );
  if (problems.length > 0) {
    return { audit, problems, replayed: 'the log is not the one of the report' };
  }
  if (audit.intactUpTo < report.log.index) {
    const end = `the log ends with entry ${audit.intactUpTo}`;
    return { audit, problems, replayed: `${end}, the report looks up to ${report.log.index}` };
  }
  return { audit, ...(await compareRuns(report, places, sha256)) };
}

/** Every link that the report names: that of each entry, of what is before them, of the end. */
function anchorsOf({ log }: ReportDocument): readonly Anchor[] {
  const origin = 'the report';
  const links = log.spans.flatMap(({ after, entries }) => [
    { index: (entries[0]?.index ?? 1) - 1, chain: after, origin },
    ...entries.map(({ index, chain }) => ({ index, chain, origin })),
  ]);
  return [...links, { index: log.index, chain: log.chain, origin }].filter(
    ({ index }) => index > 0,
  );
}

async function compareRuns(
  report: ReportDocument,
  places: readonly LogPlace[],
  sha256: Sha256,
): Promise<Pick<ReportReplay, 'problems' | 'replayed'>> {
  const { index, founders } = report.log;
  const found = await stateAt(places, { index, founders: foundersOf(founders), sha256 });
  if (found.kind !== 'found') {
    return { problems: [], replayed: `the state at ${index} cannot be made: ${found.kind}` };
  }
  const { state, chain } = found.replica;
  const run = state.runs.find(({ id }) => id === report.run);
  const policy = ownValue(state.services, report.service)?.policy;
  const generatedAt = parseInstant(report.generatedAt);
  if (run === undefined || policy === undefined || generatedAt === null) {
    const sentence = `at entry ${index} the log knows no run ${report.run}`;
    return { problems: [{ code: 'another-log', part: 'run', sentence }], replayed: true };
  }
  const { complete, spans } = report.log;
  const author = {
    ...{ policy, generatedAt, generatedBy: report.generatedBy },
    excerpt: { complete, spans },
  };
  const ground = { state, position: { index, chain }, founders, sha256 };
  const again = reportOf(run, reportContextOf(run, ground, author));
  return { problems: differences(report, again), replayed: true };
}

/** Names that are none are those of no log. */
function foundersOf(names: readonly string[]): ReturnType<typeof regionId>[] | null {
  return names.every((name) => /^[a-z][a-z0-9-]{0,62}$/.test(name)) ? names.map(regionId) : null;
}

function differences(report: ReportDocument, again: ReportDocument): readonly ReportProblem[] {
  const made: { readonly [member: string]: JsonValue } = again;
  return Object.entries(report as { readonly [member: string]: JsonValue })
    .filter(([member]) => member !== 'digest')
    .filter(([member, value]) => canonicalJson(value) !== canonicalJson(made[member] ?? null))
    .map(([member]) => ({
      code: 'another-log',
      part: member,
      sentence: `${member} is not what follows from the log`,
    }));
}
