import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { invoke } from '../../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'tripoint-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const BEATS = fileWith(
  'beats.csv',
  ['a_x,a_y', ...Array.from({ length: 60 }, (_, k) => `${k * 1000},${k * 1000 + 5}`)].join('\n'),
);

describe('tripoint replay', () => {
  test('prints one document with what each policy would have done', async () => {
    const words = ['replay', BEATS, '--policy', 'misses:3', '--crash-at', '30s', '--json'];
    const { exitCode, output } = await invoke(words);
    expect(exitCode).toBe(EXIT.ok);
    const document = JSON.parse(output);
    expect(document).toMatchObject({ intervalMs: 1000, crashAt: 30_000 });
    expect(document.targets).toHaveLength(1);
    expect(document.targets[0].policies[0]).toMatchObject({
      policy: 'misses:3',
      wrongCount: 0,
      crash: { failedAt: 33_500, detectedMs: 3500 },
    });
  });

  test('draws a timeline that a hostile name cannot break out of', async () => {
    const header = '"</text><script>alert(1)</script>\uFFFE\uFFFF"';
    const rows = Array.from({ length: 30 }, (_, k) => k * 1000);
    const file = fileWith('hostile.csv', [header, ...rows].join('\n'));
    const svg = join(folder, 'timeline.svg');
    expect((await invoke(['replay', file, '--crash-at', 'end', '--svg', svg])).exitCode).toBe(0);
    const drawn = readFileSync(svg, 'utf8');
    expect(drawn).not.toContain('<script');
    expect(drawn).not.toMatch(/[\uFFFE\uFFFF]/);
    expect(drawn).toContain('class="failed"');
    expect(drawn.match(/<svg/g)).toHaveLength(1);
  });

  test('understands the words of the evaluation, and every threshold a configuration may have', async () => {
    const words = ['--kind', 'arrival', '--interval-ms', '500', '--policy', 'phi:1/2', '--json'];
    const { exitCode, output } = await invoke(['replay', BEATS, ...words]);
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(output)).toMatchObject({ intervalMs: 500 });
    const same = await invoke([
      'replay',
      BEATS,
      '--kind',
      'arrivals',
      '--interval',
      '500ms',
      '--json',
    ]);
    expect(JSON.parse(same.output)).toMatchObject({ intervalMs: 500 });
  });

  test('takes the detection of a monitor from a configuration', async () => {
    const name = 'docs/examples/tripoint.yaml:nightly';
    const { exitCode, output } = await invoke(['replay', BEATS, '--policy', name, '--json']);
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(output).targets[0].policies[0].policy).toBe(name);
  });

  test.each([
    [['--policy', 'guess'], 'policy-unknown'],
    [['--policy', 'phi:16/8'], 'policy-unknown'],
    [['--policy', 'phi:0.9/8'], 'policy-unknown'],
    [['--policy', 'fixed:soon'], 'policy-unknown'],
    [['--policy', 'misses:0'], 'policy-unknown'],
    [['--policy', 'docs/examples/tripoint.yaml:nobody'], 'policy-unknown'],
    [['--policy', 'docs/missing.yaml:checkout'], 'config-unreadable'],
    [['--config', 'docs/examples/tripoint.yaml'], 'policy-incomplete'],
    [['--crash-at', '9h'], 'crash-outside-recording'],
    [['--observers', 'z'], 'recording-observers-unknown'],
    [['--svg', join(folder, 'none', 'x.svg')], 'timeline-unwritable'],
    [Array.from({ length: 9 }, () => ['--policy', 'misses:2']).flat(), 'policy-too-many'],
  ])('refuses %j with a code and a hint', async (words, code) => {
    const { exitCode, output } = await invoke(['replay', BEATS, ...words, '--json']);
    expect(exitCode).toBe(EXIT.error);
    expect(JSON.parse(output).error.code).toBe(code);
    expect(JSON.parse(output).error.hint).not.toBe('');
  });

  test('refuses a file that is not there, and one beat without a pace', async () => {
    const missing = await invoke(['replay', join(folder, 'missing.csv'), '--json']);
    expect(JSON.parse(missing.output).error.code).toBe('recording-unreadable');
    const lonely = fileWith('one.jsonl', '{"site":"a","arrivedAt":1}\n');
    const one = await invoke(['replay', lonely, '--json']);
    expect(JSON.parse(one.output).error.code).toBe('recording-without-pace');
  });

  test('refuses heartbeats that are years apart, and shows times after the last calendar year', async () => {
    const lines = (instants: readonly number[]) =>
      instants.map((arrivedAt) => JSON.stringify({ site: 'a', arrivedAt })).join('\n');
    const sparse = fileWith('sparse.jsonl', lines([0, 1e12]));
    const refused = await invoke(['replay', sparse, '--json']);
    expect(JSON.parse(refused.output).error.code).toBe('recording-pace-invalid');
    const last = Array.from({ length: 60 }, (_, k) => 8.64e15 - (60 - k) * 1000);
    const late = fileWith('late.jsonl', lines(last));
    const shown = await invoke(['replay', late, '--crash-at', 'end']);
    expect(shown.exitCode).toBe(EXIT.ok);
    expect(shown.output).toContain('as if all had died after 59.00 s');
  });
});
