import { describe, expect, test } from 'vitest';
import type { CommandAnswer } from '../../../lib/api/client.ts';
import { sendOnce } from '../../../lib/cli/send.ts';
import { problemJson } from './fixtures.ts';
import { scriptedHost } from './scripted-host.ts';

const UNKNOWN: CommandAnswer = {
  kind: 'unknown',
  command: 'key:cli-id-1',
  key: 'cli-id-1',
  silences: [],
};
const UNREACHABLE: CommandAnswer = { kind: 'unreachable', silences: [] };
const ACCEPTED: CommandAnswer = {
  kind: 'ok',
  value: { dryRun: false, command: 'key:cli-id-1', index: 7, term: 1, code: 'noted', sentence: '' },
  endpoint: 'http://a',
};

function problem(change: Parameters<typeof problemJson>[0]): CommandAnswer {
  return { kind: 'problem', problem: problemJson(change), endpoint: 'http://a' };
}

const NO_QUORUM = problem({ status: 503, code: 'no-quorum', retryable: true });
const REFUSED = problem({ status: 409, code: 'hold-down', index: 9 });
const INVALID = problem({ status: 400, code: 'validation-failed' });

async function send(answers: readonly CommandAnswer[], host = scriptedHost()) {
  const keys: string[] = [];
  const sent = await sendOnce(host, (key) => {
    keys.push(key);
    return Promise.resolve(answers[keys.length - 1] ?? UNKNOWN);
  });
  return { sent, keys };
}

describe('sendOnce', () => {
  test.each([
    ['accepted', [ACCEPTED], 1],
    ['accepted', [UNKNOWN, UNKNOWN, ACCEPTED], 3],
    ['problem', [REFUSED], 1],
    ['problem', [UNKNOWN, REFUSED], 2],
    ['problem', [NO_QUORUM], 1],
    ['problem', [UNKNOWN, INVALID], 2],
    ['unreachable', [UNREACHABLE], 1],
    ['unknown', [UNKNOWN], 5],
    ['unknown', [UNKNOWN, NO_QUORUM, NO_QUORUM, NO_QUORUM, NO_QUORUM], 5],
    ['unknown', [UNKNOWN, UNREACHABLE, UNREACHABLE, UNREACHABLE, UNREACHABLE], 5],
    ['accepted', [UNKNOWN, UNREACHABLE, NO_QUORUM, ACCEPTED], 4],
  ] as const)(
    'says %s of case %#, after the right number of attempts',
    async (kind, answers, attempts) => {
      const { sent, keys } = await send(answers);
      expect(sent.kind).toBe(kind);
      expect(keys).toHaveLength(attempts);
    },
  );

  test('repeats under the same key, so that a repeat is no second command', async () => {
    const { keys } = await send([UNKNOWN, UNKNOWN, ACCEPTED]);
    expect(new Set(keys)).toEqual(new Set(['cli-id-1']));
  });

  test('names the command when the outcome stays unknown', async () => {
    expect((await send([UNKNOWN])).sent).toMatchObject({ command: 'key:cli-id-1' });
  });

  test('stops asking at Ctrl-C, and does not call it a failure', async () => {
    const { sent, keys } = await send([UNKNOWN], scriptedHost(2));
    expect(sent.kind).toBe('unknown');
    expect(keys).toHaveLength(2);
  });
});
