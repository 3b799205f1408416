/** The figures of a report, computed anew from the instants that it names. Pure. */
import type { EpochMillis } from '../base/identifiers.ts';
import { parseInstant } from '../base/instant.ts';
import { canonicalJson } from '../base/json.ts';
import { actualLossMs } from '../recovery/actual-loss.ts';
import {
  dataPlaneTimes,
  hasPassed,
  type RecoveryInstants,
  type RecoveryTimes,
  timesBetween,
} from '../recovery/report.ts';
import type { ReportDocument } from '../recovery/report-document.ts';
import type { ReportProblem } from './report-problem.ts';

export function findMiscalculations(report: ReportDocument): readonly ReportProblem[] {
  const instants = instantsOf(report);
  const times = instants === null ? null : timesBetween(instants);
  const routed = instants === null ? null : dataPlaneTimes(instants);
  const { rto, rpo, drill } = report;
  return [
    ...compared('rto.actual', rto.actual, times === null ? null : { ...times }),
    ...compared('rto.met', rto.met, times === null ? null : times.totalMs <= rto.objectiveMs),
    ...compared('rto.dataPlane', rto.dataPlane ?? null, routed === null ? null : { ...routed }),
    ...compared('rpo.actualMs', rpo.actualMs, lostMs(report)),
    ...compared('rpo.met', rpo.met, rpo.actualMs === null ? null : rpo.actualMs <= rpo.objectiveMs),
    ...(drill === null ? [] : drillProblems(report, { drill, times })),
    ...compared('undo.steps', report.undo?.steps ?? null, undoneSteps(report)),
    ...compared('outcome.exceptions', report.outcome.exceptions, exceptionsOf(report)),
    ...moveProblems(report),
  ];
}

function lostMs({ from, to, loss, steps }: ReportDocument): number | null {
  const told = steps.map(({ kind, isUndo, state, openedAt, detail }) => ({
    ...{ kind, isUndo, state },
    isOpened: openedAt !== null,
    evidence: detail,
  }));
  return actualLossMs({ from, to, lagMs: loss?.lagMs ?? null }, told);
}

function instantsOf(report: ReportDocument): RecoveryInstants | null {
  const authorisedAt = parseInstant(report.authorisedAt);
  if (authorisedAt === null || report.undo !== null) {
    return null;
  }
  return {
    lastBeatAt: instantOf(report.lastBeatAt),
    firstFailedVerdictAt: instantOf(report.firstFailedVerdictAt),
    authorisedAt,
    steps: report.steps.map(({ kind, isUndo, state, openedAt, at }) => ({
      ...{ kind, isUndo, state },
      openedAt: instantOf(openedAt),
      at: instantOf(at),
    })),
  };
}

function instantOf(text: string | null): EpochMillis | null {
  return text === null ? null : parseInstant(text);
}

function drillProblems(
  { rto, run, reason }: ReportDocument,
  of: {
    readonly drill: NonNullable<ReportDocument['drill']>;
    readonly times: RecoveryTimes | null;
  },
): readonly ReportProblem[] {
  const { drill, times } = of;
  const ownMs = times?.totalMs ?? null;
  const isBack = drill.back !== null;
  const awayMs = isBack ? drill.awayMs : ownMs;
  return [
    ...compared(isBack ? 'drill.back' : 'drill.away', isBack ? drill.back : drill.away, run),
    ...compared('drill.awayMs', drill.awayMs, awayMs),
    ...compared('drill.backMs', drill.backMs, isBack ? ownMs : null),
    ...compared('drill.endedBy', drill.endedBy, isBack ? reason : null),
    ...compared(
      'drill.passed',
      drill.passed,
      hasPassed(rto.objectiveMs, isBack ? [awayMs, ownMs] : [awayMs]),
    ),
  ];
}

function undoneSteps({ undo, steps }: ReportDocument): readonly string[] | null {
  return undo === null ? null : steps.filter(({ isUndo }) => isUndo).map(({ name }) => name);
}

function exceptionsOf({ outcome, undo, steps }: ReportDocument): readonly string[] {
  return outcome.state === 'failed' && undo === null
    ? []
    : steps.flatMap(({ name, state, detail }) =>
        state === 'failed' ? [`${name}: ${String(detail)}`] : [],
      );
}

/** What is said of the traffic is what is said of the steps that moved it. */
function moveProblems({ traffic, steps }: ReportDocument): readonly ReportProblem[] {
  return traffic.moves.flatMap(({ step: name, shares, authorisedAt, doneAt }) => {
    const step = steps.find((candidate) => candidate.name === name);
    const sum = Object.values(shares).reduce((total, share) => total + share, 0);
    const isWhole = step?.kind === 'switch' || step?.kind === 'routing';
    return [
      ...compared(`traffic of ${name}`, authorisedAt, step?.openedAt ?? null),
      ...compared(`traffic of ${name}`, doneAt, step?.state === 'done' ? step.at : null),
      ...compared(`traffic of ${name}`, sum, 100),
      ...(isWhole ? compared(`traffic of ${name}`, shares, traffic.wanted) : []),
    ];
  });
}

type Comparable = Parameters<typeof canonicalJson>[0];

function compared(part: string, said: Comparable, found: Comparable): readonly ReportProblem[] {
  const isSame = canonicalJson(said) === canonicalJson(found);
  const sentence = `${part} is ${shown(said)}, and follows as ${shown(found)}`;
  return isSame ? [] : [{ code: 'miscalculated', part, sentence }];
}

const TEXT_CHARACTERS_MAX = 120;

function shown(value: Comparable): string {
  return canonicalJson(value).slice(0, TEXT_CHARACTERS_MAX);
}
