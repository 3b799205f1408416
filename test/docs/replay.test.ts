import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { invoke } from '../support/command-line.ts';
import { expectGeneratedPage } from './generated-page.ts';

const PAGE = 'docs/replay.md';
const CONSOLE = /```console\n\$ tripoint ([^\n]+)\n[^`]*```/g;

/** The page with what its commands print today. */
async function playedAgain(page: string): Promise<string> {
  let played = '';
  let end = 0;
  for (const match of page.matchAll(CONSOLE)) {
    const [block, line = ''] = match;
    const { exitCode, output } = await invoke([...line.split(' '), '--quiet']);
    expect(exitCode, line).toBe(0);
    played += `${page.slice(end, match.index)}\`\`\`console\n$ tripoint ${line}\n${output}\`\`\``;
    end = match.index + block.length;
  }
  return played + page.slice(end);
}

describe('docs/replay.md', () => {
  test('shows what its commands print', async () => {
    const page = readFileSync(PAGE, 'utf8');
    expect([...page.matchAll(CONSOLE)].length).toBeGreaterThanOrEqual(3);
    expectGeneratedPage(PAGE, await playedAgain(page));
  });

  test('shows the timeline that the command draws', async () => {
    const file = join(tmpdir(), `tripoint-replay-${process.pid}.svg`);
    const policies = ['phi:8/16', 'misses:3', 'fixed:10s'].flatMap((one) => ['--policy', one]);
    const words = ['replay', 'docs/examples/beats.csv', ...policies, '--svg', file, '--quiet'];
    expect((await invoke(words)).exitCode).toBe(0);
    const drawn = readFileSync(file, 'utf8');
    rmSync(file);
    expectGeneratedPage('docs/replay.svg', drawn);
  });
});
