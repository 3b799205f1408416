import { describe, expect, test } from 'vitest';
import type { ReadAnswer } from '../../../lib/api/client.ts';
import type { RunJson } from '../../../lib/api/schemas.ts';
import { followRun } from '../../../lib/cli/follow-run.ts';
import { problemJson, runJson } from './fixtures.ts';
import { scriptedHost } from './scripted-host.ts';

type Answer = ReadAnswer<RunJson>;

const SILENT: Answer = {
  kind: 'unreachable',
  silences: [{ endpoint: 'http://a', cause: 'refused' }],
};
const NOT_FOUND: Answer = {
  kind: 'problem',
  problem: problemJson({ status: 404, code: 'unknown-run', detail: 'not known here' }),
  endpoint: 'http://a',
};

function ok(value: RunJson): Answer {
  return { kind: 'ok', value, endpoint: 'http://a' };
}

/** Follows while the regions answer this, the last of it for ever. */
async function follow(answers: readonly Answer[], host = scriptedHost()) {
  const told: (readonly [number, number])[] = [];
  const doneIn = ({ steps }: RunJson) => steps.filter(({ state }) => state === 'done').length;
  let asked = 0;
  const followed = await followRun({
    client: {
      run: () => {
        const answer = answers[Math.min(asked, answers.length - 1)] ?? SILENT;
        asked += 1;
        return Promise.resolve(answer);
      },
    },
    host,
    id: 'checkout-42',
    timeoutMs: 2000,
    onChange: (before, after) => told.push([before === null ? -1 : doneIn(before), doneIn(after)]),
  });
  return { followed, told };
}

describe('followRun', () => {
  test('tells each new state once and ends with the run', async () => {
    const answers = [runJson(0), runJson(0), runJson(1), runJson(3), runJson(4)].map(ok);
    const { followed, told } = await follow(answers);
    expect(told).toEqual([
      [-1, 0],
      [0, 1],
      [1, 3],
      [3, 4],
    ]);
    expect(followed).toMatchObject({ kind: 'ended', run: { outcome: { kind: 'done' } } });
  });

  test('passes over a region that lags, does not know the run yet, or is silent', async () => {
    const { followed, told } = await follow([
      NOT_FOUND,
      SILENT,
      ok(runJson(2)),
      ok(runJson(1)),
      NOT_FOUND,
      ok(runJson(4)),
    ]);
    expect(told).toEqual([
      [-1, 2],
      [2, 4],
    ]);
    expect(followed.kind).toBe('ended');
  });

  test('ends with a run that failed', async () => {
    const failed = runJson(1, { outcome: { kind: 'failed', at: null, code: 'x', exceptions: [] } });
    expect((await follow([ok(runJson(1)), ok(failed)])).followed).toMatchObject({
      kind: 'ended',
      run: { outcome: { kind: 'failed' } },
    });
  });

  test.each([
    [ok(runJson(1)), 'the run is still open'],
    [NOT_FOUND, 'not known here'],
    [SILENT, 'no region answers\n  http://a: refused'],
  ])('gives up after its time, with what was seen last, case %#', async (answer, detail) => {
    const host = scriptedHost();
    const { followed } = await follow([answer], host);
    expect(followed).toMatchObject({ kind: 'timed-out', detail });
    expect(host.waits.reduce((sum, wait) => sum + wait, 0)).toBe(2000);
  });

  test('stops at Ctrl-C', async () => {
    const { followed } = await follow([ok(runJson(1))], scriptedHost(2));
    expect(followed).toMatchObject({ kind: 'interrupted', run: { run: 'checkout-42' } });
  });

  test('tells a second attempt of a step', async () => {
    const waiting = runJson(1);
    const at = (attempt: number, state: 'claimed' | 'waiting') =>
      ok({
        ...waiting,
        steps: waiting.steps.map((step) =>
          step.name === 'propagate' ? { ...step, attempt, state } : step,
        ),
      });
    const { told } = await follow([
      at(1, 'claimed'),
      at(1, 'waiting'),
      at(2, 'claimed'),
      at(1, 'waiting'),
      ok(runJson(4)),
    ]);
    expect(told).toHaveLength(4);
  });
});
