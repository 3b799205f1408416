import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis, logIndex, term } from '../../../lib/base/identifiers.ts';
import { formatInstant } from '../../../lib/base/instant.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { type RecoveryTimes, recoveryTimes, reportOf } from '../../../lib/recovery/report.ts';
import { reportMarkdown as markdownOf } from '../../../lib/recovery/report-text.ts';
import type { Run, RunKind, RunOrigin } from '../../../lib/recovery/run.ts';
import { handRun } from '../../support/runs.ts';
import { atMs, EAST, servicePolicy, serviceState, T0, WEST } from '../../support/service-states.ts';

const NOWHERE: RunOrigin = { lastBeatAt: null, firstFailedVerdictAt: null };

interface Instants {
  readonly kind?: RunKind;
  readonly origin?: RunOrigin;
  /** When each step of the plan was done, after the run was authorised. */
  readonly doneMs: readonly number[];
  readonly policy?: Partial<ServicePolicy>;
}

function runOf({ kind = 'failover', origin = NOWHERE, doneMs, policy = {} }: Instants): Run {
  const service = serviceState({ policy: servicePolicy(policy) });
  const begun = handRun({ kind, to: kind === 'setup' ? EAST : WEST }, service).run();
  return {
    ...begun,
    epoch: { term: term(4), index: logIndex(7) },
    analysis: 'active-site-failed',
    origin,
    authorisedAt: T0,
    steps: begun.steps.map((step, place) => {
      const at = doneMs[place];
      return at === undefined
        ? step
        : { ...step, attempt: 1, progress: { kind: 'done', at: atMs(at), evidence: null } };
    }),
  };
}

const FAILED: RunOrigin = {
  lastBeatAt: atMs(-9000),
  firstFailedVerdictAt: atMs(-400),
};

const CONTEXT = {
  policy: servicePolicy(),
  generatedAt: atMs(5000),
  generatedBy: 'us-west-2',
  position: { index: 31, chain: 'ab'.repeat(32) },
  formatInstant,
  sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
  children: [],
  drill: null,
  excerpt: { complete: true, spans: [] },
  founders: ['us-east-1', 'us-east-2', 'us-west-2'],
};

function stagesOf({ totalMs: _, ...stages }: RecoveryTimes): readonly number[] {
  return Object.values(stages).map((stage) => stage ?? 0);
}

describe('the actual RTO', () => {
  test('is split where it was spent', () => {
    expect(recoveryTimes(runOf({ origin: FAILED, doneMs: [120, 300, 450] }))).toEqual({
      detectMs: 8600,
      decideMs: 400,
      actMs: 120,
      propagateMs: 180,
      verifyMs: 150,
      totalMs: 9450,
    });
  });

  test('of a planned switch has nothing to detect or to decide', () => {
    const times = recoveryTimes(runOf({ kind: 'failback', doneMs: [10, 20, 30] }));
    expect(times).toMatchObject({ detectMs: null, decideMs: null, totalMs: 30 });
  });

  test('of setup ends when the name resolves', () => {
    expect(recoveryTimes(runOf({ kind: 'setup', doneMs: [10, 25] }))).toMatchObject({
      verifyMs: 0,
      totalMs: 25,
    });
  });

  test.each([[[]], [[5]], [[5, 6]]])('is open while steps are: %j', (doneMs) => {
    expect(recoveryTimes(runOf({ doneMs }))).toBeNull();
  });

  test('has no negative stage however skewed the clocks are, and adds up', () => {
    const instant = fc.integer({ min: -1_000_000, max: 1_000_000 });
    const instants = fc.tuple(fc.option(instant), fc.option(instant), instant, instant, instant);
    fc.assert(
      fc.property(instants, ([beat, failed, ...doneMs]) => {
        const origin = {
          lastBeatAt: beat === null ? null : atMs(beat),
          firstFailedVerdictAt: failed === null ? null : atMs(failed),
        };
        const times = recoveryTimes(runOf({ origin, doneMs }));
        const stages = times === null ? [] : stagesOf(times);
        expect(stages).toHaveLength(5);
        expect(stages.every((stage) => stage >= 0)).toBe(true);
        expect(stages.reduce((sum, stage) => sum + stage, 0)).toBe(times?.totalMs);
      }),
      { seed: 20_261_123 },
    );
  });

  test('is the whole time from the last beat to service where the clocks agree', () => {
    const later = fc.array(fc.nat(10_000), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(later, ([detect = 0, decide = 0, ...steps]) => {
        const origin = {
          lastBeatAt: atMs(-detect - decide),
          firstFailedVerdictAt: atMs(-decide),
        };
        const doneMs = steps.map((_, place) => steps.slice(0, place + 1).reduce((a, b) => a + b));
        expect(recoveryTimes(runOf({ origin, doneMs }))?.totalMs).toBe(
          detect + decide + (doneMs.at(-1) ?? 0),
        );
      }),
      { seed: 20_261_123 },
    );
  });
});

describe('the report', () => {
  const loss = { lagMs: 750, writes: null, measuredAt: null, acceptedBy: null };
  const run = { ...runOf({ origin: FAILED, doneMs: [120, 300, 450] }), loss };

  test('holds the actual times against the objectives', () => {
    expect(reportOf(run, CONTEXT)).toMatchObject({
      format: 'tripoint-run-report/2',
      run: 'checkout-7',
      epoch: { term: 4, index: 7 },
      lastBeatAt: formatInstant(atMs(-9000)),
      rto: { objectiveMs: 30_000, actual: { totalMs: 9450 }, met: true },
      rpo: { objectiveMs: 5000, actualMs: 750, met: true },
      log: { index: 31, chain: 'ab'.repeat(32) },
      generatedBy: 'us-west-2',
    });
  });

  test('splits the time of path A too, which turned when the switch was opened', () => {
    const policy = { dataPlaneName: 'path-a.example.test' };
    const routed = runOf({ origin: FAILED, doneMs: [120, 900, 300, 1000], policy });
    const { rto } = reportOf(routed, CONTEXT);
    expect(rto.actual).toMatchObject({ actMs: 120, propagateMs: 780, verifyMs: 100 });
    expect(rto.dataPlane).toEqual({
      detectMs: 8600,
      decideMs: 400,
      actMs: 0,
      propagateMs: 300,
      verifyMs: 100,
      totalMs: 9400,
    });
    expect(markdownOf(reportOf(routed, CONTEXT))).toContain('| propagate (path A) | 300 ms |');
    // The wait for path A is not charged to the other one.
    const slow = reportOf(
      runOf({ origin: FAILED, doneMs: [120, 300, 900, 1000], policy }),
      CONTEXT,
    );
    expect(slow.rto.actual).toMatchObject({ propagateMs: 180, verifyMs: 100, totalMs: 9400 });
    expect(slow.rto.dataPlane).toMatchObject({ propagateMs: 900, verifyMs: 100, totalMs: 10_000 });
    // Nobody saw it turn: nothing is said of it, and the rest stands.
    const unseen = reportOf(runOf({ origin: FAILED, doneMs: [120, 900], policy }), CONTEXT);
    expect(unseen.rto).not.toHaveProperty('dataPlane');
    expect(reportOf(run, CONTEXT).rto).not.toHaveProperty('dataPlane');
  });

  test('says when an objective was missed', () => {
    const policy = servicePolicy({ objectives: { rtoMs: 9449, rpoMs: 749 } });
    expect(reportOf(run, { ...CONTEXT, policy })).toMatchObject({
      rto: { met: false },
      rpo: { met: false },
    });
  });

  test('claims nothing that nobody measured', () => {
    expect(reportOf(runOf({ doneMs: [] }), CONTEXT)).toMatchObject({
      lastBeatAt: null,
      rto: { actual: null, met: null },
      rpo: { actualMs: null, met: null },
    });
    const text = markdownOf(reportOf(runOf({ doneMs: [] }), CONTEXT));
    expect(text).toContain('No RTO is measured');
    expect(text).not.toContain('| stage | time |');
    expect(text).toContain('RPO: objective 5.00 s, actual not known, or nothing moved.');
  });

  test('judges the RPO by what the site that took the traffic lacked', () => {
    const behind = { ...run, loss: { ...loss, lagMs: 99_000 } };
    const report = reportOf(behind, CONTEXT);
    expect(report.rpo).toMatchObject({ actualMs: 99_000, met: false });
    expect(markdownOf(report)).toContain('RPO: objective 5.00 s, actual 1 min 39 s, missed.');
  });

  test('judges no RPO where nothing moved', () => {
    const steps = run.steps.map((step) => ({
      ...step,
      openedAt: null,
      progress: { kind: 'waiting' } as const,
    }));
    expect(reportOf({ ...run, steps }, CONTEXT).rpo).toMatchObject({ actualMs: null, met: null });
    expect(reportOf({ ...run, to: run.from }, CONTEXT).rpo.met).toBeNull();
  });

  test('counts what a wait for the data left, not what there was before it', () => {
    const [first] = run.steps;
    const waited = {
      ...first,
      name: 'wait-replication',
      action: { kind: 'wait-replication', lagMsMax: 5000 },
      progress: { kind: 'done', at: epochMillis(T0), evidence: { lagMs: 40 } },
    } as Run['steps'][number];
    const graceful = { ...run, loss: { ...loss, lagMs: 99_000 }, steps: [waited, ...run.steps] };
    expect(reportOf(graceful, CONTEXT).rpo).toMatchObject({ actualMs: 40, met: true });
  });

  test('tells each step with its attempts and what came of it', () => {
    const [first, second, ...rest] = run.steps;
    const failed = { kind: 'failed', at: epochMillis(T0), code: 'target-failed' } as const;
    const steps = [first, { ...second, progress: failed }, ...rest].filter(
      (step): step is Run['steps'][number] => step !== undefined,
    );
    expect(reportOf({ ...run, steps }, CONTEXT).steps).toMatchObject([
      { name: 'switch', attempts: 1, state: 'done', at: formatInstant(atMs(120)) },
      { name: 'propagate', state: 'failed', detail: 'target-failed' },
      { name: 'verify', state: 'done' },
    ]);
  });

  test('tells people the same as machines', () => {
    const text = markdownOf(reportOf(run, CONTEXT));
    expect(text).toContain('# Run checkout-7: failover of checkout');
    expect(text).toContain('| detect | 8.60 s |');
    expect(text).toContain('| total | 9.45 s |');
    expect(text).toContain('RTO: objective 30.00 s, actual 9.45 s, met.');
    expect(text).toContain('RPO: objective 5.00 s, actual 750 ms, met.');
    expect(text).not.toContain('| report |');
    expect(text.endsWith('\n')).toBe(true);
  });

  test('is the same for the same run at the same place of the log', () => {
    expect(JSON.stringify(reportOf(run, CONTEXT))).toBe(JSON.stringify(reportOf(run, CONTEXT)));
  });
});
