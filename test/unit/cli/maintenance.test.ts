/** Maintenance windows from the command line, against the real API of a real region. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { invoke, type LiveApi, startLiveApi } from '../../support/command-line.ts';

let api: LiveApi;

beforeAll(async () => {
  api = await startLiveApi();
});

afterAll(() => api.close());

function tripoint(...words: readonly string[]) {
  return invoke([...words, ...api.options]);
}

const START = ['maintenance', 'start', 'checkout', '--for', '2h', '--reason', 'new disks'] as const;

describe('tripoint maintenance', () => {
  test('begins, shows and ends a window', async () => {
    expect(await tripoint(...START, '--site', 'us-east-1')).toMatchObject({
      exitCode: EXIT.ok,
      output: expect.stringMatching(/^us-east-1 until .*, by cli:\w+: new disks \(entry \d+\)\n$/),
    });
    expect((await tripoint('maintenance', 'list')).output).toMatch(/checkout +us-east-1/);
    expect((await tripoint('status')).output).toContain('maintenance of us-east-1 until');
    const ended = await tripoint('maintenance', 'end', 'checkout', '--site', 'us-east-1');
    expect(ended.exitCode).toBe(EXIT.ok);
    expect((await tripoint('maintenance', 'list')).output).toBe('no maintenance\n');
    expect((await tripoint('log', '--limit', '20')).output).toMatch(
      /maintenance-end +checkout@us-east-1, by cli:\w+: maintenance is over/,
    );
  });

  test('is listed as JSON for programs', async () => {
    await tripoint(...START);
    const { output } = await tripoint('maintenance', 'list', '--json');
    expect(JSON.parse(output)).toMatchObject({
      maintenance: [{ service: 'checkout', site: null, reason: 'new disks' }],
    });
    await tripoint('maintenance', 'end', 'checkout');
  });

  test('that does not stand cannot be ended', async () => {
    const { exitCode, messages } = await tripoint('maintenance', 'end', 'checkout');
    expect(exitCode).toBe(EXIT.refused);
    expect(messages).toContain('no-maintenance');
  });

  test.each(['169h', '500ms', 'tomorrow'])('does not last %s', async (duration) => {
    const words = ['maintenance', 'start', 'checkout', '--for', duration, '--reason', 'x'];
    const { exitCode } = await tripoint(...words);
    expect(exitCode).toBe(EXIT.usage);
  });
});
