import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { planned } from '../../../lib/recovery/planned-step.ts';
import { freshStep, type Run, type Step, type StepProgress } from '../../../lib/recovery/run.ts';
import { endingOf as endingAt } from '../../../lib/recovery/run-ending.ts';
import { openRun } from '../../../lib/recovery/run-opening.ts';
import { EAST, serviceState, T0, WEST } from '../../support/service-states.ts';

const MOMENT = { index: logIndex(7), term: term(1), at: T0, requestedBy: 'ann', reason: 'a test' };
const service = serviceState();
const endingOf = (run: Run, standing = service, index = logIndex(9)) =>
  endingAt(run, standing, index);
const epoch = { term: term(1), index: logIndex(7) };
const DONE: StepProgress = { kind: 'done', at: T0, evidence: null };
const FAILED: StepProgress = { kind: 'failed', at: T0, code: 'not-serving' };

function step(kind: 'switch' | 'report', changes: Partial<Step>): Step {
  const fresh = freshStep(planned(`${kind}-${changes.isUndo === true}`, { kind }), 0, false);
  return { ...fresh, ...changes };
}

function endedRun(code: string, steps: readonly Step[]): Run {
  const { run } = openRun(
    service,
    {
      kind: 'failover',
      mode: 'graceful',
      trigger: 'manual',
      to: WEST,
      traffic: { [WEST]: 100 },
      loss: null,
      approval: false,
      atOnce: true,
      revertAt: null,
    },
    MOMENT,
  );
  return { ...run, steps, outcome: { kind: 'failed', at: T0, code } };
}

const opened = { openedAt: T0, epoch, progress: FAILED };
const undone = { openedAt: T0, epoch, isUndo: true };

describe('a run that ended', () => {
  test('was stopped by a person who cancelled it, or did not approve', () => {
    for (const code of ['cancelled', 'approve: approval-rejected']) {
      expect(endingOf(endedRun(code, []), service).kind).toBe('run-cancelled');
    }
    expect(endingOf(endedRun('switch: not-serving', []), service).kind).toBe('run-failed');
    const done = {
      ...endedRun('', []),
      outcome: { kind: 'done', at: T0, exceptions: [] },
    } as const;
    expect(endingOf(done, service)).toEqual({ kind: 'run-done' });
  });

  test('has failed all the same where it left nobody active, or did not do what it was for', () => {
    const run = { ...endedRun('', []), outcome: { kind: 'done', at: T0, exceptions: [] } } as const;
    const failed = { kind: 'run-failed', isTrafficMoved: true };
    expect(endingOf(run, { ...service, granted: false })).toMatchObject(failed);
    expect(endingOf({ ...run, steps: [step('switch', opened)] })).toMatchObject(failed);
    expect(endingOf({ ...run, steps: [step('switch', { ...opened, progress: DONE })] })).toEqual({
      kind: 'run-done',
    });
  });

  test('touched nothing outside where it ended in the entry that authorised it', () => {
    const run = endedRun('child: frozen', []);
    expect(endingOf(run, service, run.epoch.index)).toMatchObject({ isStillborn: true });
    expect(endingOf(run)).toMatchObject({ isStillborn: false });
  });

  test('moved no traffic where no step that may do so was opened', () => {
    const run = endedRun('switch: not-serving', [step('switch', {}), step('report', opened)]);
    expect(endingOf(run, service)).toMatchObject({ isTrafficMoved: false });
  });

  test('moved traffic once such a step was opened, though it failed', () => {
    const run = endedRun('switch: not-serving', [step('switch', opened)]);
    expect(endingOf(run, service)).toMatchObject({ isTrafficMoved: true });
  });

  test('took it back only if the undo is known to be done, and the log agrees', () => {
    const taken = (progress: StepProgress) =>
      endedRun('x', [step('switch', opened), step('switch', { ...undone, progress })]);
    expect(endingOf(taken(DONE), service)).toMatchObject({ isTrafficMoved: false });
    expect(endingOf(taken(FAILED), service)).toMatchObject({ isTrafficMoved: true });
    const elsewhere = { ...service, traffic: { [EAST]: 90, [WEST]: 10 } };
    expect(endingOf(taken(DONE), elsewhere)).toMatchObject({ isTrafficMoved: true });
    const nobody = { ...service, granted: false };
    expect(endingOf(taken(DONE), nobody)).toMatchObject({ isTrafficMoved: true });
  });
});
