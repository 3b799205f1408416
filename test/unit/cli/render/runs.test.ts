import { describe, expect, test } from 'vitest';
import { renderProgress, renderRun, renderRuns } from '../../../../lib/cli/render/runs.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { runJson } from '../fixtures.ts';

describe('renderRun', () => {
  test('shows steps with their time and the split of the actual RTO', () => {
    const run = runJson(4, {
      origin: { lastBeatAt: null, firstFailedVerdictAt: null },
    });
    expect(renderRun(run, PLAIN)).toEqual([
      'checkout-42  ● done',
      '  automatic failover of checkout: us-east-1 → us-west-2',
      '  by tripoint: active-site-failed',
      '  because active-site-failed; epoch term 3, index 42; 2026-11-23 09:40:00Z',
      '',
      'stage  step       state   at       attempt  worker',
      '1      switch     ● done  +1.00 s  1        –',
      '2      propagate  ● done  +2.00 s  1        –',
      '3      verify     ● done  +3.00 s  1        –',
      '4      report     ● done  +4.00 s  1        –',
      '',
      'stage      time',
      'detect     5.12 s  last sign of life → first verdict failed',
      'decide     310 ms  first verdict failed → run authorised',
      'act        1.00 s  run authorised → records changed',
      'propagate  1.00 s  records changed → name servers agree',
      'verify     1.00 s  name servers agree → new site serves',
      'total      8.43 s  actual RTO',
    ]);
  });

  test('says of a run that no failure preceded from when to when its total is', () => {
    const { stages } = runJson(4);
    const run = runJson(4, {
      stages: { ...stages, detectMs: null, decideMs: null, totalMs: 3000 },
    });
    expect(renderRun(run, PLAIN).at(-1)).toBe(
      'total      3.00 s  run authorised → new site serves',
    );
  });

  test('shows only the stages that a run of a person has', () => {
    const { stages } = runJson(0);
    const lines = renderRun(
      runJson(0, { stages: { ...stages, detectMs: null, decideMs: null } }),
      PLAIN,
    );
    expect(lines.join('\n')).not.toContain('detect');
    expect(lines.join('\n')).not.toContain('stage      time');
  });
});

describe('renderRuns', () => {
  test('lists outcome and time', () => {
    const failed = runJson(1, {
      run: 'checkout-50',
      outcome: { kind: 'failed', at: null, code: 'verify: failing', exceptions: [] },
    });
    expect(renderRuns([runJson(4), failed], PLAIN).map((line) => line.split(/ {2,}/))).toEqual([
      ['run', 'kind', 'trigger', 'from', 'to', 'outcome', 'took', 'started'],
      [
        'checkout-42',
        'failover',
        'automatic',
        'us-east-1',
        'us-west-2',
        '● done',
        '8.43 s',
        '2026-11-23 09:40:00Z',
      ],
      [
        'checkout-50',
        'failover',
        'automatic',
        'us-east-1',
        'us-west-2',
        '✖ failed: verify: failing',
        '–',
        '2026-11-23 09:40:00Z',
      ],
    ]);
  });
});

describe('renderProgress', () => {
  const claimed = runJson(1, {
    steps: runJson(1).steps.map((step) =>
      step.name === 'propagate'
        ? {
            ...step,
            state: 'claimed',
            attempt: 2,
            worker: 'us-west-2',
            at: '2026-11-23T09:40:01.500Z',
          }
        : step,
    ),
  });

  test('tells each step once', () => {
    expect(renderProgress(null, runJson(0), PLAIN)).toEqual([]);
    expect(renderProgress(runJson(0), runJson(1), PLAIN)).toEqual(['  +1.00 s  switch: ● done']);
    expect(renderProgress(runJson(1), claimed, PLAIN)).toEqual([
      '  +1.50 s  propagate: us-west-2 begins (attempt 2)',
    ]);
    expect(renderProgress(claimed, claimed, PLAIN)).toEqual([]);
  });

  test('tells all that happened between two looks, and the end', () => {
    expect(renderProgress(runJson(1), runJson(4), PLAIN)).toEqual([
      '  +2.00 s  propagate: ● done',
      '  +3.00 s  verify: ● done',
      '  +4.00 s  report: ● done',
      '● done',
    ]);
  });

  test('tells what went wrong', () => {
    const failed = runJson(1, {
      outcome: { kind: 'failed', at: null, code: 'propagate: no-answer', exceptions: [] },
      steps: claimed.steps.map((step) =>
        step.name === 'propagate' ? { ...step, state: 'failed', code: 'no-answer' } : step,
      ),
    });
    expect(renderProgress(claimed, failed, PLAIN)).toEqual([
      '  +1.50 s  propagate: ✖ failed: no-answer',
      '✖ failed: propagate: no-answer',
    ]);
  });
});
