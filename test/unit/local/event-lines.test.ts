import { describe, expect, it } from 'vitest';
import { describeChanges } from '../../../lib/local/event-lines.ts';
import { runJson, serviceJson, siteJson, statusJson } from './fixtures/status.ts';

const QUIET = statusJson();

describe('the lines below the screen', () => {
  it('are none while nothing changes', () => {
    expect(describeChanges(QUIET, QUIET)).toEqual([]);
    const later = { ...QUIET, at: '2026-11-23T09:41:00.000Z', region: 'us-west-2' };
    expect(describeChanges(QUIET, later)).toEqual([]);
  });

  it('tell each observer that changed its mind, and what the quorum makes of it', () => {
    const east = siteJson('us-east-1');
    const verdicts = east.verdicts.map((verdict) =>
      verdict.observer === 'us-east-2'
        ? verdict
        : { ...verdict, state: 'failed' as const, sentence: 'silent 8.0 s' },
    );
    const opinion = { ...east.opinion, state: 'failed' as const, sentence: 'a majority misses it' };
    const sites = [{ ...east, verdicts, opinion }, siteJson('us-west-2')];
    const after = statusJson({ services: [serviceJson({ sites })] });
    expect(describeChanges(QUIET, after)).toEqual([
      '  us-east-1 finds checkout@us-east-1 failed: silent 8.0 s',
      '  us-west-2 finds checkout@us-east-1 failed: silent 8.0 s',
      'checkout@us-east-1 is failed: a majority misses it',
    ]);
  });

  it('tell a decision once, by the entry it was made in', () => {
    const decision = {
      kind: 'refuse' as const,
      code: 'hold-down' as const,
      sentence: 'the last run ended too recently',
      at: '2026-11-23T09:40:01.000Z',
      index: 50,
    };
    const after = statusJson({ services: [serviceJson({ decision })] });
    expect(describeChanges(QUIET, after)).toEqual([
      'checkout: refuse (hold-down): the last run ended too recently',
    ]);
    expect(describeChanges(after, after)).toEqual([]);
  });

  it('tell a run from its beginning to its end, with the time each step took since', () => {
    const begun = statusJson({ runs: [runJson()] });
    expect(describeChanges(QUIET, begun)).toEqual([
      'run checkout-42: automatic failover, us-east-1 → us-west-2 (automatic)',
    ]);
    const open = runJson();
    const steps = open.steps.map((step, position) =>
      position === 0
        ? { ...step, state: 'done' as const, at: '2026-11-23T09:40:00.120Z' }
        : position === 1
          ? { ...step, state: 'failed' as const, at: '2026-11-23T09:40:02.000Z', code: 'no-answer' }
          : step,
    );
    const going = statusJson({ runs: [{ ...open, steps }] });
    expect(describeChanges(begun, going)).toEqual([
      '  switch done at +120 ms',
      '  propagate failed (no-answer) at +2.00 s',
    ]);
    const ended = runJson({
      steps,
      outcome: { kind: 'done', at: '2026-11-23T09:40:03.000Z', code: null, exceptions: [] },
      stages: { ...open.stages, actMs: 120, propagateMs: 40, verifyMs: 10, totalMs: 8290 },
    });
    expect(describeChanges(going, statusJson({ runs: [ended] }))).toEqual([
      'run checkout-42 done: detect 8.10 s, decide 20 ms, act 120 ms, propagate 40 ms, verify 10 ms, actual RTO 8.29 s',
    ]);
  });

  it('tell all of a run that came and went between two looks', () => {
    const steps = runJson().steps.map((step) => ({
      ...step,
      state: 'done' as const,
      at: '2026-11-23T09:40:00.500Z',
    }));
    const outcome = {
      kind: 'done' as const,
      at: '2026-11-23T09:40:00.500Z',
      code: null,
      exceptions: [],
    };
    const lines = describeChanges(QUIET, statusJson({ runs: [runJson({ steps, outcome })] }));
    expect(lines).toHaveLength(6);
    expect(lines[0]).toContain('run checkout-42: automatic failover');
    expect(lines[5]).toContain('run checkout-42 done');
  });

  it('tell who leads, and when no majority answers', () => {
    const { consensus } = QUIET;
    const moved = statusJson({ consensus: { ...consensus, leader: 'us-west-2', term: 2 } });
    expect(describeChanges(QUIET, moved)).toEqual(['us-west-2 leads (term 2)']);
    const alone = statusJson({ consensus: { ...consensus, leader: null, quorum: false } });
    expect(describeChanges(QUIET, alone)).toEqual([
      'no majority of regions answers: nothing can be decided, the last state is served',
    ]);
    expect(describeChanges(alone, moved)).toEqual([
      'a majority of regions answers again',
      'us-west-2 leads (term 2)',
    ]);
  });
});
