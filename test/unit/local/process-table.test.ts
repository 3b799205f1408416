import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChildPlan } from '../../../lib/local/child.ts';
import {
  describeProcessEvent,
  type ProcessEvent,
  ProcessTable,
} from '../../../lib/local/process-table.ts';
import type { TestChildSettings } from './fixtures/test-child.ts';

let dir: string;
let table: ProcessTable;
let events: ProcessEvent[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-table-'));
  events = [];
  table = new ProcessTable({
    log: () => undefined,
    onEvent: (event) => events.push(event),
    now: () => performance.now(),
  });
});

afterEach(async () => {
  await table.stopAll(0);
  rmSync(dir, { recursive: true, force: true });
});

function plan(name: string, behaviour: TestChildSettings['behaviour']): ChildPlan {
  return {
    name,
    kind: 'site',
    script: new URL('./fixtures/test-child.ts', import.meta.url),
    logFile: join(dir, `${name}.log`),
    cacheDir: join(dir, 'cache'),
    settings: { behaviour },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the process table', () => {
  it('starts a process, kills it for good, and starts it again', async () => {
    table.plan([plan('one', 'works')]);
    const first = await table.start('one');
    expect(first).toMatchObject({ kind: 'started' });
    expect(table.list()).toMatchObject([{ name: 'one', state: 'running', exit: null }]);

    const killed = await table.kill('one');
    expect(killed).toMatchObject({ kind: 'killed' });
    expect(killed.kind === 'killed' && isAlive(killed.pid)).toBe(false);
    expect(table.list()).toMatchObject([
      { name: 'one', state: 'down', pid: null, exit: { code: null, signal: 'SIGKILL' } },
    ]);

    expect(await table.start('one')).toMatchObject({ kind: 'started' });
    expect(events.map(describeProcessEvent)).toEqual([
      expect.stringMatching(/^process one is up \(pid \d+\)$/),
      'process one ended (SIGKILL)',
      expect.stringMatching(/^process one is up \(pid \d+\)$/),
    ]);
  });

  it('gives each name one process, also when two requests to start it meet', async () => {
    table.plan([plan('one', 'works')]);
    const outcomes = await Promise.all([table.start('one'), table.start('one')]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['already-running', 'started']);
  });

  it('says which names there are when it is asked for another one', async () => {
    table.plan([plan('one', 'works')]);
    expect(await table.start('two')).toEqual({ kind: 'unknown-process', known: ['one'] });
    expect(await table.kill('two')).toEqual({ kind: 'unknown-process', known: ['one'] });
    expect(await table.kill('one')).toEqual({ kind: 'not-running' });
  });

  it('passes on in its own words why a process could not start', async () => {
    table.plan([plan('one', 'fails')]);
    expect(await table.start('one')).toEqual({
      kind: 'failed',
      code: 'disk-gone',
      message: 'one: the disk is gone',
      hint: 'Find it.',
    });
    expect(readFileSync(join(dir, 'one.log'), 'utf8')).toContain('"process-start-failed"');
  });

  it('lets an error that nobody handled end its process, and keeps it in the log', async () => {
    table.plan([plan('one', 'crashes')]);
    await table.start('one');
    while (table.list()[0]?.state !== 'down') {
      await sleep(5);
    }
    expect(table.list()[0]?.exit).toEqual({ code: 70, signal: null });
    expect(readFileSync(join(dir, 'one.log'), 'utf8')).toContain('out of cheese');
  });

  it('stops processes in order, and kills the one that does not stop in time', async () => {
    table.plan([plan('one', 'works'), plan('two', 'never-stops')]);
    await Promise.all([table.start('one'), table.start('two')]);
    await table.stopAll(200);
    expect(table.list()).toMatchObject([
      { name: 'one', state: 'down', exit: { code: 0, signal: null } },
      { name: 'two', state: 'down', exit: { code: null, signal: 'SIGKILL' } },
    ]);
  });

  it('leaves no orphan behind when the supervisor itself is killed', async () => {
    const parent = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('./fixtures/lone-parent.ts', import.meta.url)),
        join(dir, 'orphan.log'),
        join(dir, 'cache'),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [chunk]: Buffer[] = await once(parent.stdout, 'data');
    const pid = Number(chunk?.toString('utf8'));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    const deadline = performance.now() + 5000;
    while (isAlive(pid) && performance.now() < deadline) {
      await sleep(5);
    }
    expect(isAlive(pid)).toBe(false);
  });
});
