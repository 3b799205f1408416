/** The command line that judges a history, by its exit codes and its JSON. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'tripoint-linearize-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function operation(op: object, at: number, result: string | null = null): string {
  return JSON.stringify({ client: 1, op, invoke: at, complete: at + 1, outcome: 'ok', result });
}

const WRITE = operation({ kind: 'write', key: 'k', value: 'v' }, 0);
const READ = operation({ kind: 'read', key: 'k' }, 2, 'v');
const STALE_READ = operation({ kind: 'read', key: 'k' }, 4, null);

function linearize(lines: readonly string[], ...words: readonly string[]) {
  const file = join(folder, 'history.jsonl');
  writeFileSync(file, lines.join('\n'));
  const script = 'test/torture/linearize/main.ts';
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, file, ...words], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('npm run linearize', () => {
  test('says ok and ends with 0', () => {
    const { status, stdout } = linearize([WRITE, READ], '--json');
    expect(JSON.parse(stdout)).toMatchObject({ linearizable: 'ok', operations: 2, keys: 1 });
    expect(status).toBe(0);
  });

  test('explains what is illegal and ends with 1', () => {
    const { status, stdout } = linearize([WRITE, READ, STALE_READ], '--json');
    const stuck = JSON.parse(STALE_READ) as object;
    expect(JSON.parse(stdout)).toMatchObject({ linearizable: 'illegal', key: 'k', stuck });
    expect(status).toBe(1);
  });

  test('says unknown when it has no steps left, and ends with 3', () => {
    expect(linearize([WRITE, READ], '--steps', '1')).toMatchObject({
      status: 3,
      stdout: expect.stringContaining('out of steps for: k'),
    });
  });

  test('names the line of a history that is malformed, and ends with 2', () => {
    expect(linearize([WRITE, '{"client":"x"}'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('line 2 of the history'),
    });
  });
});
