import { describe, expect, test } from 'vitest';
import type { RegionId } from '../../../lib/base/identifiers.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import { openSteps, type StepResult } from '../../../lib/recovery/run.ts';
import { claimStep, finishStep } from '../../../lib/recovery/step-claims.ts';
import { DONE, handRun, outlineOf } from '../../support/runs.ts';
import { atMs, EAST, OBSERVERS, T0, WEST } from '../../support/service-states.ts';

const [A, B] = OBSERVERS as readonly [RegionId, RegionId];
const AGAIN: StepResult = { kind: 'again', code: 'dns-did-not-answer' };
const WAITING: StepResult = { kind: 'waiting', code: 'capacity-growing' };

describe('a run', () => {
  test('goes through its steps in order and ends once', () => {
    const { open, finish, run } = handRun();
    const names: string[] = [];
    while (open().length > 0) {
      names.push(...open());
      finish();
    }
    expect(names).toEqual(['switch', 'propagate', 'verify', 'report']);
    expect(run().outcome).toEqual({ kind: 'done', at: T0, exceptions: [] });
    expect(openSteps(run())).toEqual([]);
  });

  test('of setup writes records and waits for them, no more', () => {
    const { run, finishAll } = handRun({ kind: 'setup', to: EAST, traffic: { [EAST]: 100 } });
    expect(outlineOf(run())).toBe('switch → propagate');
    finishAll();
    expect(run().outcome.kind).toBe('done');
  });

  test('opens each stage by the entry that ended the one before, and takes its number', () => {
    const { finish, step, run } = handRun();
    expect(step('switch')).toMatchObject({ openedAt: T0, epoch: run().epoch });
    expect(step('propagate')).toMatchObject({ openedAt: null, epoch: null });
    finish();
    expect(step('propagate').epoch?.index).toBeGreaterThan(run().epoch.index);
  });

  test('ends as failed with the first essential step that fails, and still writes its report', () => {
    const { finish, run, open, step } = handRun();
    finish();
    finish({ kind: 'failed', code: 'stale' });
    const failed = { kind: 'failed', at: T0, code: 'propagate: stale' };
    expect(run().outcome).toEqual(failed);
    expect(step('verify').progress).toMatchObject({ kind: 'skipped', code: 'run-stopped' });
    expect(open()).toEqual(['report']);
    finish();
    expect(run().outcome, 'the report tells of the end, it is not part of it').toEqual(failed);
    expect(open()).toEqual([]);
  });

  test('ends as done, with an exception, when only its report is missing', () => {
    const { finish, run } = handRun();
    for (const result of [DONE, DONE, DONE]) {
      finish(result);
    }
    finish({ kind: 'failed', code: 'report-not-stored' });
    const exceptions = ['report: report-not-stored'];
    expect(run().outcome).toMatchObject({ kind: 'done', exceptions });
  });
});

describe('a claim', () => {
  test('is won by one of two workers that claim at once', () => {
    const { run, claim } = handRun();
    const late = { step: 'switch', attempt: 1, at: T0, worker: B } as const;
    expect(claim('switch', A).kind).toBe('claimed');
    expect(claimStep(run(), late)).toEqual({ kind: 'refused', code: 'claimed' });
  });

  test('takes over from a worker that says nothing, whose result then counts no more', () => {
    const { run, claim, step } = handRun();
    claim('switch', A);
    claim('switch', B);
    expect(step('switch')).toMatchObject({ attempt: 2, progress: { worker: B } });
    const late = finishStep(run(), { step: 'switch', attempt: 1, result: DONE, at: T0 });
    expect(late).toEqual({ kind: 'refused', code: 'claim-superseded' });
  });

  test('is refused for a step that is not open, and for a run that is over', () => {
    const { run, claim, finish } = handRun();
    expect(claim('verify')).toEqual({ kind: 'refused', code: 'not-an-open-step' });
    finish({ kind: 'failed', code: 'x' });
    expect(claim('verify')).toEqual({ kind: 'refused', code: 'run-not-open' });
    const result = { step: 'switch', attempt: 1, result: DONE, at: T0 } as const;
    expect(finishStep(run(), result)).toEqual({ kind: 'refused', code: 'run-not-open' });
  });

  test('is refused for a step that the log settles by itself', () => {
    const { claim, open } = handRun({ approval: true });
    expect(open()).toEqual(['approve']);
    expect(claim('approve')).toEqual({ kind: 'refused', code: 'needs-no-worker' });
  });

  test('is needed before a result', () => {
    const result = { step: 'switch', attempt: 0, result: DONE, at: T0 } as const;
    expect(finishStep(handRun().run(), result)).toEqual({
      kind: 'refused',
      code: 'claim-superseded',
    });
  });
});

describe('a step that does not work out', () => {
  test('says why, and by whom, until it is done', () => {
    const { finish, claim, step } = handRun();
    finish(AGAIN);
    expect(step('switch')).toMatchObject({ worker: A, lastCode: AGAIN.code, attempt: 1 });
    claim('switch', B);
    expect(step('switch')).toMatchObject({ worker: B, lastCode: AGAIN.code, attempt: 2 });
    finish();
    expect(step('switch')).toMatchObject({ worker: A, lastCode: null });
  });

  test('is tried as often as its limit says, then fails the run', () => {
    const { finish, run } = handRun();
    let attempts = 0;
    while (run().outcome.kind === 'open') {
      finish(AGAIN);
      attempts += 1;
    }
    expect(attempts).toBe(RUN_LIMITS.attemptsMax);
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'switch: dns-did-not-answer' });
  });

  test('fails the run too when every worker dies over it without a word', () => {
    const { claim, run } = handRun();
    for (let attempt = 1; attempt <= RUN_LIMITS.attemptsMax; attempt += 1) {
      expect(claim('switch', OBSERVERS[attempt % 3]).kind).toBe('claimed');
    }
    expect(claim('switch')).toMatchObject({ kind: 'failed', code: 'workers-lost' });
    expect(run().outcome).toEqual({ kind: 'failed', at: T0, code: 'switch: workers-lost' });
  });

  test('may wait as often as it likes, for as long as its time-out says', () => {
    const { finish, wait, run, step } = handRun();
    for (let look = 0; look < 2 * RUN_LIMITS.attemptsMax; look += 1) {
      finish(WAITING);
    }
    expect(step('switch')).toMatchObject({ waits: 2 * RUN_LIMITS.attemptsMax });
    wait(RUN_LIMITS.stepTimeoutMs - 1);
    expect(run().outcome.kind).toBe('open');
    finish(AGAIN);
    expect(run().outcome.kind, 'a wait counts no attempt').toBe('open');
    wait(1);
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'switch: step-timed-out' });
  });

  test('fails at the next claim when its time is over, and never before it had its chance', () => {
    const { run, claim } = handRun();
    const late = { step: 'switch', worker: B, at: atMs(RUN_LIMITS.stepTimeoutMs) };
    expect(claimStep(run(), { ...late, attempt: 1 }).kind, 'a clock may be wrong').toBe('claimed');
    claim('switch', A);
    const second = claimStep(run(), { ...late, attempt: 2 });
    expect(second).toMatchObject({ kind: 'failed', code: 'step-timed-out' });
  });

  test('is not timed out by a look while a worker is at it', () => {
    const { claim, wait, run } = handRun();
    claim('switch', A);
    wait(2 * RUN_LIMITS.stepTimeoutMs);
    expect(run().outcome.kind).toBe('open');
  });

  test('holds a run open for a report only a few times', () => {
    const { finish, run } = handRun({ to: WEST });
    for (const result of [DONE, DONE, DONE]) {
      finish(result);
    }
    let attempts = 0;
    while (run().outcome.kind === 'open') {
      finish(AGAIN);
      attempts += 1;
    }
    expect(attempts).toBe(RUN_LIMITS.extraAttemptsMax);
    expect(run().outcome.kind).toBe('done');
  });
});
