import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../../lib/base/instant.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import { viewOf } from '../../../lib/control/log-line.ts';
import { checkReport } from '../../../lib/control/report-check.ts';
import { ONLY_THE_LOG } from '../../../lib/control/report-claims.ts';
import { replayReport } from '../../../lib/control/report-replay.ts';
import { excerptOf } from '../../../lib/control/run-entries.ts';
import { reportContextOf } from '../../../lib/control/run-reports.ts';
import { encodeReport, reportOf, sealed } from '../../../lib/recovery/report.ts';
import type { ReportContent, ReportDocument } from '../../../lib/recovery/report-document.ts';
import { reportMarkdown } from '../../../lib/recovery/report-text.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { EAST, OBSERVERS, servicePolicy } from '../../support/service-states.ts';
import { type ArchivedLog, exported, filePlace, logOf, rewritten, sha256 } from './archived-log.ts';

/** A failover of `checkout` up to where only its report is left, as the log has it. */
function failedOver(): LogStory {
  const story = steadyStory(servicePolicy({ objectives: { rtoMs: 30_000, rpoMs: 5000 } }));
  story.wait(10_000);
  story.say(EAST, 'failed');
  for (const step of ['switch', 'propagate', 'verify']) {
    story.wait(120);
    story.finishStep({ kind: 'done', evidence: { step } }, step);
  }
  return story;
}

const STORY = failedOver();
const LOG = logOf(STORY);
const REPORT = await reportAt(LOG);
const TEXT = encodeReport(REPORT);

/** As the region that does the report step makes it, at the end of the log. */
async function reportAt({ applied, replicas }: ArchivedLog): Promise<ReportDocument> {
  const replica = replicas.at(-1);
  const run = replica?.state.runs.at(-1);
  const policy = replica?.state.services['checkout']?.policy;
  const generatedAt = parseInstant('2026-11-23T10:00:00.000Z');
  if (replica === undefined || run === undefined || policy === undefined || generatedAt === null) {
    throw new Error('the story has no run');
  }
  const views = applied.map(viewOf);
  const readLog = async (after: number, limit: number) =>
    ({
      kind: 'page',
      entries: views.filter(({ index }) => index > after).slice(0, limit),
      appliedIndex: replica.applied.index,
    }) as const;
  const position = { index: replica.applied.index, chain: replica.chain };
  const excerpt = await excerptOf(readLog, run, position.index);
  const ground = { state: replica.state, position, founders: OBSERVERS, sha256 };
  return reportOf(
    run,
    reportContextOf(run, ground, { policy, generatedAt, generatedBy: EAST, excerpt }),
  );
}

/** The same report with something changed, sealed again by whoever changed it. */
function forged(change: (report: ReportContent) => object): string {
  const { digest: _, ...content } = REPORT;
  return encodeReport(sealed({ ...content, ...change(content) } as ReportContent, sha256));
}

function codesOf(text: string): readonly string[] {
  return [...new Set(checkReport(text, sha256).problems.map(({ code }) => code))];
}

describe('a report as it was written', () => {
  test('is intact by its own entries, and says what they do not show', () => {
    const { problems, entries, unproven, report } = checkReport(TEXT, sha256);
    expect(problems).toEqual([]);
    expect(unproven).toEqual([expect.stringContaining(`${ONLY_THE_LOG}kind, mode, to, from,`)]);
    expect(entries).toBeGreaterThan(8);
    expect(report?.outcome).toMatchObject({ state: 'done', exceptions: [] });
    expect(report?.rto.met).toBe(true);
  });

  test('carries no configuration, and so no hash of a token', () => {
    expect(TEXT).not.toContain('tokenHashes');
  });

  test('gives the Markdown that lies beside it', () => {
    const again = JSON.parse(TEXT) as ReportDocument;
    expect(reportMarkdown(again)).toBe(reportMarkdown(REPORT));
  });
});

describe('a report that was changed', () => {
  test('is found whichever byte it is', () => {
    const bytes = new TextEncoder().encode(TEXT);
    const place = fc.nat(bytes.length - 1);
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = bytes.slice();
        changed[at] = ((changed[at] ?? 0) + by) % 256;
        const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(changed);
        expect(codesOf(text)).not.toEqual([]);
      }),
      { seed: 20_261_123, numRuns: 300 },
    );
  });

  test('is found when a piece of it is cut out or put there twice', () => {
    const spot = fc.nat(TEXT.length - 1);
    fc.assert(
      fc.property(spot, fc.integer({ min: 1, max: 200 }), fc.boolean(), (at, length, isTwice) => {
        const piece = TEXT.slice(at, at + length);
        const changed =
          TEXT.slice(0, at) + (isTwice ? piece + piece : '') + TEXT.slice(at + length);
        expect(codesOf(changed)).not.toEqual([]);
      }),
      { seed: 20_261_123, numRuns: 150 },
    );
  });

  test('is found when its members stand in another order', () => {
    const { run, ...rest } = REPORT;
    expect(codesOf(`${JSON.stringify({ ...rest, run }, null, 2)}\n`)).toEqual(['bytes-changed']);
  });

  test.each<readonly [string, (report: ReportContent) => object]>([
    ['who asked', () => ({ run: 'checkout-8' })],
    ['when it was authorised', () => ({ authorisedAt: '2026-11-23T09:00:00.000Z' })],
    ['the term', ({ epoch }) => ({ epoch: { ...epoch, term: epoch.term + 1 } })],
    ['a time', ({ rto }) => ({ rto: { ...rto, met: false } })],
    [
      'a stage',
      ({ rto }) => ({
        rto: { ...rto, actual: rto.actual === null ? null : { ...rto.actual, totalMs: 1 } },
      }),
    ],
    ['a worker', (report) => withStep(report, 0, { worker: 'us-west-9' })],
    ['an instant', (report) => withStep(report, 1, { at: '2026-11-23T09:40:00.000Z' })],
    ['a number of attempts', (report) => withStep(report, 0, { attempts: 3 })],
    ['an evidence', (report) => withStep(report, 0, { detail: { step: 'other' } })],
    ['a state', (report) => withStep(report, 2, { state: 'failed', detail: 'target-failed' })],
    ['an opening', (report) => withStep(report, 1, { openedAt: '2026-11-23T09:40:00.000Z' })],
    ['an exception', ({ outcome }) => ({ outcome: { ...outcome, exceptions: ['x: y'] } })],
    ['shares', ({ traffic }) => ({ traffic: { ...traffic, wanted: { [EAST]: 100 } } })],
    [
      'an approval',
      () => ({
        approvals: [
          {
            step: 'approve',
            by: 'x',
            verdict: 'approve',
            reason: 'r',
            at: '2026-11-23T09:40:00.000Z',
          },
        ],
      }),
    ],
  ])('and sealed again is found by its entries: %s', (_, change) => {
    expect(codesOf(forged(change))).not.toEqual([]);
  });

  test('in any one value and sealed again is found, or that value is named as not shown', () => {
    const { digest: _, ...content } = REPORT;
    const leaves = leavesOf(content as unknown as JsonValue).filter(
      ({ path }) => !path.startsWith('log.spans'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...leaves), fc.nat(7), ({ path, value }, pick) => {
        const other = otherThan(value, pick);
        const text = encodeReport(
          sealed(
            replaced(content as unknown as JsonValue, path.split('.'), other) as never,
            sha256,
          ),
        );
        const { report, problems, unproven } = checkReport(text, sha256);
        const named = unproven.flatMap((sentence) =>
          sentence.replace(ONLY_THE_LOG, '').split(/, | /),
        );
        const isNamed = named.some((part) => isWithin(path, part));
        expect(report === null || problems.length > 0 || isNamed, `${path} = ${other}`).toBe(true);
      }),
      { seed: 20_261_123, numRuns: 250 },
    );
  });

  test.each([
    { requestedBy: 'mallory' },
    { reason: 'planned' },
    { trigger: 'manual' },
    { kind: 'failback' },
    { parent: 'search-9' },
  ])('and sealed again: $requestedBy $reason $trigger $kind $parent', (change) => {
    expect(codesOf(forged(() => change))).toContain('not-as-logged');
  });

  test('together with an entry is found by the link of that entry', () => {
    const text = forged(({ log }) => ({
      log: {
        ...log,
        spans: log.spans.map((span) => ({
          ...span,
          entries: span.entries.map((entry) => ({ ...entry, body: reworded(entry.body) })),
        })),
      },
    }));
    expect(codesOf(text)).toContain('link-broken');
  });
});

interface Leaf {
  readonly path: string;
  readonly value: JsonValue;
}

function leavesOf(value: JsonValue, path: readonly string[] = []): readonly Leaf[] {
  return value !== null && typeof value === 'object'
    ? Object.entries(value).flatMap(([name, inner]) =>
        leavesOf(inner as JsonValue, [...path, name]),
      )
    : [{ path: path.join('.'), value }];
}

function otherThan(value: JsonValue, pick: number): JsonValue {
  const texts = ['ann', 'us-east-2', 'manual', 'graceful', 'failback', 'rebalance', 'done', 'open'];
  const instant = `2026-11-23T09:41:07.77${pick}Z`;
  const choices =
    typeof value === 'number'
      ? [value + 1, 0]
      : typeof value === 'boolean'
        ? [!value]
        : value === null
          ? [7, 'ann', instant]
          : [/^\d{4}-/.test(String(value)) ? instant : (texts[pick] ?? '')];
  const different = choices.filter((choice) => choice !== value);
  return different[pick % different.length] ?? 'other';
}

function replaced(
  value: JsonValue,
  [name, ...rest]: readonly string[],
  other: JsonValue,
): JsonValue {
  if (name === undefined) {
    return other;
  }
  const copy = structuredClone(value) as Record<string, JsonValue>;
  copy[name] = replaced(copy[name] ?? null, rest, other);
  return copy;
}

/** `steps.*.stage` names `steps.2.stage`, and `loss` all of the loss. */
function isWithin(path: string, part: string): boolean {
  const names = path.split('.');
  return part.split('.').every((name, place) => name === '*' || name === names[place]);
}

function withStep(report: ReportContent, place: number, change: object): object {
  return {
    steps: report.steps.map((step, index) => (index === place ? { ...step, ...change } : step)),
  };
}

function reworded(body: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(body).replaceAll('us-west-2', 'us-east-2')) as JsonValue;
}

describe('a copy of the log', () => {
  const verify = async (text: string, log: ArchivedLog = LOG) => {
    const { report } = checkReport(text, sha256);
    if (report === null) {
      throw new Error('no report');
    }
    const { problems, replayed } = await replayReport(report, [filePlace(exported(log))], sha256);
    return { codes: [...new Set(problems.map(({ code }) => code))], replayed };
  };

  test('makes the report again', async () => {
    expect(await verify(TEXT)).toEqual({ codes: [], replayed: true });
  });

  test('finds what the entries of the report cannot show', async () => {
    const text = forged(({ rpo }) => ({ rpo: { ...rpo, objectiveMs: 9999 } }));
    expect(codesOf(text)).toEqual([]);
    expect(await verify(text)).toMatchObject({ codes: ['another-log'], replayed: true });
  });

  test('finds a report of another log, though both are whole', async () => {
    const other = rewritten(LOG, (entry) =>
      entry.index === 3 && entry.command !== null
        ? { ...entry, command: { ...entry.command, body: { kind: 'note', at: 1 } } }
        : entry,
    );
    expect((await verify(TEXT, other)).codes).toEqual(['another-log']);
  });

  test('that is too short is said to be', async () => {
    const short = { ...LOG, applied: LOG.applied.slice(0, -2) };
    const { codes, replayed } = await verify(TEXT, short);
    expect(codes).toEqual([]);
    expect(replayed).toMatch(/^the log ends with entry/);
  });
});
