import { describe, expect, test } from 'vitest';
import { logIndex, regionId, term } from '../../../lib/base/identifiers.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import {
  claimStep,
  currentStep,
  finishStep,
  planOf,
  type Run,
  type RunKind,
  type StepName,
  type StepResult,
} from '../../../lib/recovery/run.ts';
import { atMs, EAST, OBSERVERS, T0, WEST } from '../../support/service-states.ts';

const [A, B] = [regionId('us-east-1'), regionId('us-west-2')];

function openRun(kind: RunKind = 'failover'): Run {
  return {
    id: 'checkout-7',
    service: 'checkout',
    kind,
    trigger: 'automatic',
    from: EAST,
    to: WEST,
    epoch: { term: term(1), index: logIndex(7) },
    requestedBy: 'tripoint',
    reason: 'automatic',
    analysis: 'active-site-failed',
    origin: { lastBeatAt: null, firstFailedVerdictAt: null, replicationLagMs: null },
    authorisedAt: T0,
    steps: planOf(kind),
    outcome: { kind: 'open' },
  };
}

function claimed(run: Run, worker = A): Run {
  const current = currentStep(run);
  const attempt = (current?.step.attempt ?? 0) + 1;
  const outcome = claimStep(run, {
    step: current?.step.name ?? 'switch',
    attempt,
    worker,
    at: atMs(1),
  });
  expect(outcome.kind).toBe('claimed');
  return outcome.kind === 'claimed' ? outcome.run : run;
}

function finished(run: Run, result: StepResult): Run {
  const { step } = currentStep(run) ?? { step: null };
  const finish = { step: step?.name ?? 'switch', attempt: step?.attempt ?? 0, result, at: atMs(2) };
  const outcome = finishStep(run, finish);
  expect(outcome.kind).toBe('recorded');
  return outcome.kind === 'recorded' ? outcome.run : run;
}

const DONE: StepResult = { kind: 'done', evidence: { changes: 2 } };
const stepDone = (run: Run) => finished(claimed(run), DONE);
const nameOf = (run: Run): StepName | undefined => currentStep(run)?.step.name;

describe('a run', () => {
  test('goes through its steps in order and ends once', () => {
    let run = openRun();
    const names: (StepName | undefined)[] = [];
    for (let step = 0; step < 4; step += 1) {
      names.push(nameOf(run));
      run = stepDone(run);
    }
    expect(names).toEqual(['switch', 'propagate', 'verify', 'report']);
    expect(run.outcome).toEqual({ kind: 'done', at: atMs(2), exceptions: [] });
    expect(currentStep(run)).toBeNull();
  });

  test('of setup writes records and waits for them, no more', () => {
    const run = stepDone(stepDone(openRun('setup')));
    expect(run.outcome.kind).toBe('done');
  });

  test('ends as failed with the first essential step that fails', () => {
    const run = finished(claimed(stepDone(openRun())), { kind: 'failed', code: 'stale' });
    expect(run.outcome).toEqual({ kind: 'failed', at: atMs(2), code: 'propagate: stale' });
  });

  test('ends as done, with an exception, when only its report is missing', () => {
    const before = stepDone(stepDone(stepDone(openRun())));
    const run = finished(claimed(before), { kind: 'failed', code: 'report-not-stored' });
    expect(run.outcome).toMatchObject({ kind: 'done', exceptions: ['report: report-not-stored'] });
  });
});

describe('a claim', () => {
  test('is won by one of two workers that claim at once', () => {
    const claim = { step: 'switch', attempt: 1, at: T0 } as const;
    const first = claimStep(openRun(), { ...claim, worker: A });
    expect(first.kind).toBe('claimed');
    const run = first.kind === 'claimed' ? first.run : openRun();
    expect(claimStep(run, { ...claim, worker: B })).toEqual({ kind: 'refused', code: 'claimed' });
  });

  test('takes over from a worker that says nothing, whose result then counts no more', () => {
    const dead = claimed(openRun(), A);
    const taken = claimed(dead, B);
    expect(currentStep(taken)?.step).toMatchObject({ attempt: 2, progress: { worker: B } });
    const late = finishStep(taken, { step: 'switch', attempt: 1, result: DONE, at: T0 });
    expect(late).toEqual({ kind: 'refused', code: 'claim-superseded' });
    expect(nameOf(finished(taken, DONE))).toBe('propagate');
  });

  test('is refused for a step that is not the current one, and for a run that is over', () => {
    const claim = { step: 'verify', attempt: 1, worker: A, at: T0 } as const;
    expect(claimStep(openRun(), claim)).toEqual({ kind: 'refused', code: 'not-the-current-step' });
    const over = finished(claimed(openRun()), { kind: 'failed', code: 'x' });
    expect(claimStep(over, claim)).toEqual({ kind: 'refused', code: 'run-not-open' });
    const finish = { step: 'switch', attempt: 1, result: DONE, at: T0 } as const;
    expect(finishStep(over, finish)).toEqual({ kind: 'refused', code: 'run-not-open' });
  });

  test('is needed before a result', () => {
    const finish = { step: 'switch', attempt: 0, result: DONE, at: T0 } as const;
    expect(finishStep(openRun(), finish)).toEqual({ kind: 'refused', code: 'claim-superseded' });
  });
});

describe('a step that does not work out', () => {
  const again = { kind: 'again', code: 'dns-did-not-answer' } as const;

  test('says why, and by whom, until it is done', () => {
    const waiting = finished(claimed(openRun(), B), again);
    expect(waiting.steps[0]).toMatchObject({ worker: B, lastCode: again.code, attempt: 1 });
    const taken = claimed(waiting, A);
    expect(taken.steps[0]).toMatchObject({ worker: A, lastCode: again.code, attempt: 2 });
    expect(finished(taken, DONE).steps[0]).toMatchObject({ worker: A, lastCode: null });
  });

  test('is tried as often as its limit says, then fails the run', () => {
    let run = openRun();
    let attempts = 0;
    while (run.outcome.kind === 'open') {
      run = finished(claimed(run), again);
      attempts += 1;
    }
    expect(attempts).toBe(RUN_LIMITS.attemptsMax);
    expect(run.outcome).toMatchObject({ kind: 'failed', code: 'switch: dns-did-not-answer' });
  });

  test('fails the run too when every worker dies over it without a word', () => {
    let run = openRun();
    for (let attempt = 1; attempt <= RUN_LIMITS.attemptsMax; attempt += 1) {
      run = claimed(run, OBSERVERS[attempt % 3]);
    }
    const last = claimStep(run, {
      step: 'switch',
      attempt: RUN_LIMITS.attemptsMax + 1,
      worker: A,
      at: atMs(9),
    });
    expect(last).toMatchObject({
      kind: 'exhausted',
      run: { outcome: { kind: 'failed', at: atMs(9), code: 'switch: workers-lost' } },
    });
  });

  test('holds a run open for a report only a few times', () => {
    let run = stepDone(stepDone(stepDone(openRun())));
    let attempts = 0;
    while (run.outcome.kind === 'open') {
      run = finished(claimed(run), again);
      attempts += 1;
    }
    expect(attempts).toBe(RUN_LIMITS.extraAttemptsMax);
    expect(run.outcome.kind).toBe('done');
  });
});
