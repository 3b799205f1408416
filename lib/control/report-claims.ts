/**
 * What a report says of its run, held against the entries that it carries. Pure.
 *
 * The entries are commands: who authorised, who claimed, what was recorded. What the reducer made of
 * them by itself (a hold that was over, a stage that was opened) shows only by its instant and its
 * place; that is compared where the entry is there, and called unproven where it is not.
 */
import { epochMillis } from '../base/identifiers.ts';
import { formatInstant } from '../base/instant.ts';
import { canonicalJson, type JsonValue } from '../base/json.ts';
import type { ReportDocument, ReportedEntry, ReportedStep } from '../recovery/report-document.ts';
import { contradiction, partsNotShown } from './report-asked.ts';
import { entriesOf, type ReportProblem } from './report-problem.ts';

export interface ReportClaims {
  readonly problems: readonly ReportProblem[];
  readonly unproven: readonly string[];
}

interface Body {
  readonly [member: string]: JsonValue | undefined;
}

interface Evidence {
  readonly report: ReportDocument;
  readonly byIndex: ReadonlyMap<number, ReportedEntry>;
  /** Bodies of the entries that name the run, in the order of the log. */
  readonly own: readonly Body[];
  /** Instants of all entries. */
  readonly instants: ReadonlySet<string>;
  /** Whether every entry from the authorisation to the end is there. */
  readonly isWhole: boolean;
}

export function findClaims(report: ReportDocument): ReportClaims {
  const byIndex = entriesOf(report);
  const bodies = [...byIndex.values()].map(({ body }) => bodyOf(body));
  const evidence: Evidence = {
    report,
    byIndex,
    own: bodies.filter(({ run }) => run === report.run),
    instants: new Set(bodies.flatMap((body) => instantOf(body) ?? [])),
    isWhole: isWhole(report, byIndex),
  };
  const found = [
    authorisation(evidence),
    notShownAtAll(evidence),
    ending(evidence),
    origin(evidence),
    ...report.steps.map((step) => stepClaims(evidence, step)),
    approvals(evidence),
    unreported(evidence),
  ];
  return {
    problems: found.flatMap(({ problems }) => problems),
    unproven: [...new Set(found.flatMap(({ unproven }) => unproven))],
  };
}

function bodyOf(body: JsonValue): Body {
  return body !== null && typeof body === 'object' && !Array.isArray(body) ? (body as Body) : {};
}

function instantOf({ at }: Body): string | null {
  return typeof at === 'number' && Number.isFinite(at) ? formatInstant(epochMillis(at)) : null;
}

function isWhole({ epoch, log }: ReportDocument, entries: ReadonlyMap<number, unknown>): boolean {
  const length = log.index - epoch.index + 1;
  const present = [...entries.keys()].filter((index) => index >= epoch.index);
  return present.length === length;
}

const SOUND: ReportClaims = { problems: [], unproven: [] };

function differs(part: string, sentence: string): ReportClaims {
  return { problems: [{ code: 'not-as-logged', part, sentence }], unproven: [] };
}

function notShown(sentence: string): ReportClaims {
  return { problems: [], unproven: [sentence] };
}

/** The entry whose place is the run's fencing number. */
function authorisation({ report, byIndex }: Evidence): ReportClaims {
  const { epoch, service, run, authorisedAt } = report;
  if (run !== `${service}-${epoch.index}`) {
    return differs('run', `${run} is not what entry ${epoch.index} could authorise`);
  }
  const entry = byIndex.get(epoch.index);
  if (entry === undefined) {
    return notShown(`entry ${epoch.index}, which authorised the run, is not in the report`);
  }
  const body = bodyOf(entry.body);
  if (entry.term !== epoch.term || instantOf(body) !== authorisedAt) {
    return differs('authorisedAt', `entry ${epoch.index} has another term or instant`);
  }
  const part = contradiction(report, body);
  return part === null
    ? SOUND
    : differs(part, `${part}: entry ${epoch.index} authorised no such run`);
}

/** What only the whole log shows: named, so that it is not taken for proven. */
function notShownAtAll({ report, byIndex }: Evidence): ReportClaims {
  const entry = byIndex.get(report.epoch.index);
  const parts = partsNotShown(report, entry === undefined ? null : bodyOf(entry.body));
  return notShown(`${ONLY_THE_LOG}${parts.join(', ')}`);
}

/** What stands before the names of the parts that only `--log` proves. */
export const ONLY_THE_LOG = 'only a copy of the log shows ';

/** A run that is done has no code, and one that failed has; its end is an entry. */
function ending(evidence: Evidence): ReportClaims {
  const { outcome, log } = evidence.report;
  if ((outcome.state === 'failed') !== (outcome.code !== null)) {
    return differs('outcome', `the outcome is ${outcome.state}, and its code says otherwise`);
  }
  const isEntered = outcome.at === null || evidence.instants.has(outcome.at);
  return isEntered || !evidence.isWhole || !log.complete
    ? SOUND
    : differs('outcome', `nothing was entered at ${outcome.at}`);
}

/** The verdict or alarm that first spoke of the failure, and the beat before it. */
function origin({ report, byIndex }: Evidence): ReportClaims {
  const { firstFailedVerdictAt, lastBeatAt, from, service } = report;
  const bodies = [...byIndex.values()].map(({ body }) => bodyOf(body));
  const about = bodies.filter((body) => body['service'] === service && body['site'] === from);
  const isAccused = about.some(
    (body) => ACCUSING.has(String(body['kind'])) && instantOf(body) === firstFailedVerdictAt,
  );
  const beats = about.map((body) => bodyOf(body['verdict'] ?? null)['lastArrivalAt']);
  const isHeard = beats.some(
    (beat) => typeof beat === 'number' && formatInstant(epochMillis(beat)) === lastBeatAt,
  );
  const lacking = [
    ...(firstFailedVerdictAt === null || isAccused ? [] : ['firstFailedVerdictAt']),
    ...(lastBeatAt === null || isHeard ? [] : ['lastBeatAt']),
  ];
  return lacking.length === 0
    ? SOUND
    : notShown(`the entries of ${lacking.join(' and ')} are not in the report`);
}

const ACCUSING: ReadonlySet<string> = new Set(['verdict', 'alarm']);

function stepClaims(evidence: Evidence, step: ReportedStep): ReportClaims {
  const opened = openingClaim(evidence, step);
  const { name, attempts, worker } = step;
  const isConsistent = (attempts === 0) === (worker === null);
  const worked = isConsistent
    ? workClaim(evidence, step)
    : differs(name, `${name}: ${attempts} attempts, by ${worker ?? 'nobody'}`);
  return {
    problems: [...opened.problems, ...worked.problems],
    unproven: [...opened.unproven, ...worked.unproven],
  };
}

/** A step is fenced by the entry that opened it. */
function openingClaim({ byIndex }: Evidence, step: ReportedStep): ReportClaims {
  const { name, epoch, openedAt } = step;
  if (epoch === null || openedAt === null) {
    return epoch === null && openedAt === null ? SOUND : differs(name, `${name}: half opened`);
  }
  const entry = byIndex.get(epoch.index);
  if (entry === undefined) {
    return notShown('the entries that opened some steps are not in the report');
  }
  return entry.term === epoch.term && instantOf(bodyOf(entry.body)) === openedAt
    ? SOUND
    : differs(name, `${name}: entry ${epoch.index} did not open it then`);
}

/** Who claimed it, and what was recorded of that claim. */
function workClaim(evidence: Evidence, step: ReportedStep): ReportClaims {
  const { name, attempts, worker, at } = step;
  const claim = recordOf(evidence, { kind: 'claim-step', step: name, attempt: attempts });
  if (attempts > 0 && claim === null) {
    return absent(evidence, `${name}: claim ${attempts} is not in the log`);
  }
  if (claim !== null && claim['worker'] !== worker) {
    return differs(name, `${name}: claimed by ${String(claim['worker'])}, not by ${worker}`);
  }
  const finish = recordOf(evidence, { kind: 'finish-step', step: name, attempt: attempts });
  if (finish !== null && isResultOf(finish, step)) {
    return SOUND;
  }
  if (step.state === 'done' && attempts > 0) {
    return finish === null
      ? absent(evidence, `${name}: nobody recorded that it is done`)
      : differs(name, `${name}: something else was recorded of it`);
  }
  if (step.state === 'waiting' || step.state === 'claimed' || at === null) {
    return SOUND;
  }
  // Settled by the log itself: all that can be seen is that something was entered then.
  return evidence.instants.has(at)
    ? SOUND
    : absent(evidence, `${name}: nothing was entered at ${at}`, evidence.isWhole);
}

function isResultOf(finish: Body, { state, at, detail }: ReportedStep): boolean {
  const result = bodyOf(finish['result'] ?? null);
  const isSameTime = instantOf(finish) === at;
  if (state === 'done') {
    const evidence = result['evidence'] ?? null;
    return isSameTime && result['kind'] === 'done' && same(evidence, detail);
  }
  return state === 'failed' && isSameTime && result['code'] === detail;
}

function same(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** The first of two is the one that the log took: the second came too late. */
function recordOf(
  { own }: Evidence,
  {
    kind,
    step,
    attempt,
  }: { readonly kind: string; readonly step: string; readonly attempt: number },
): Body | null {
  const found = own.find(
    (body) => body['kind'] === kind && body['step'] === step && body['attempt'] === attempt,
  );
  return found ?? null;
}

/** Where all entries of the run are there, one that is not was never made. */
function absent(
  { report }: Evidence,
  sentence: string,
  isSure: boolean = report.log.complete,
): ReportClaims {
  return isSure
    ? differs('steps', sentence)
    : notShown('entries that some steps rest on are not in the report');
}

function approvals(evidence: Evidence): ReportClaims {
  const said = evidence.own.filter((body) => body['kind'] === 'approve');
  const wrong = evidence.report.approvals.find(
    ({ step, by, verdict, reason, at }) =>
      !said.some(
        (body) =>
          instantOf(body) === at &&
          body['step'] === step &&
          body['by'] === by &&
          body['verdict'] === verdict &&
          body['reason'] === reason,
      ),
  );
  return wrong === undefined
    ? SOUND
    : absent(evidence, `approval of ${wrong.step} by ${wrong.by} is not in the log`);
}

/** What was recorded of the last claim of a step stands, or the report left it out. */
function unreported({ own, report }: Evidence): ReportClaims {
  const steps = new Map(report.steps.map((step) => [step.name, step]));
  const left = own.find((body) => {
    const step = steps.get(String(body['step']));
    const isDone = bodyOf(body['result'] ?? null)['kind'] === 'done';
    const isLast = step?.attempts === body['attempt'];
    return body['kind'] === 'finish-step' && isDone && isLast && step?.state === 'waiting';
  });
  return left === undefined
    ? SOUND
    : differs(String(left['step']), `${String(left['step'])} is done by the log`);
}
