/** Real child processes, under a real clock: what they do to each other is the point. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CommandOutcome, createCommandRunner } from '../../../lib/agent/child-command.ts';
import { OUTPUT_BYTES_MAX } from '../../../lib/agent/limits.ts';
import { createSystemClock } from '../../../lib/agent/system-clock.ts';

const clock = createSystemClock({ keepProcessAlive: true });
const environment = { PATH: '/usr/bin:/bin', GIVEN: 'by the test' };
const never = new AbortController().signal;

const runnerOf = (script: string, timeoutMs = 10_000) =>
  createCommandRunner({ words: ['/bin/sh', '-c', script], timeoutMs }, clock);
const run = (script: string, timeoutMs?: number, signal: AbortSignal = never) =>
  runnerOf(script, timeoutMs)({ environment, signal });
const outputOf = (outcome: CommandOutcome) => ('output' in outcome ? outcome.output : '');

/** false once nobody has that process id any more, not even as a zombie. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<boolean> {
  for (let looks = 0; looks < 100 && exists(pid); looks += 1) {
    await delay(20);
  }
  return !exists(pid);
}

describe('a command', () => {
  it('gives its exit code and what it printed on both streams', async () => {
    expect(await run('echo out; echo err >&2; exit 3')).toMatchObject({ kind: 'exited', code: 3 });
    expect(
      outputOf(await run('echo out; echo err >&2'))
        .split('\n')
        .toSorted(),
    ).toEqual(['', 'err', 'out']);
  });

  it('sees the environment that it is given and nothing else', async () => {
    const outcome = await run('/usr/bin/env');
    expect(outputOf(outcome)).toContain('GIVEN=by the test');
    expect(outputOf(outcome)).not.toMatch(/^(HOME|npm_|NODE_|VITEST)/m);
  });

  it('says why it could not be started', async () => {
    const runner = createCommandRunner({ words: ['/no/such/program'], timeoutMs: 1000 }, clock);
    expect(await runner({ environment, signal: never })).toEqual({
      kind: 'not-started',
      detail: expect.stringContaining('ENOENT'),
    });
  });

  it('says which signal ended it', async () => {
    expect(await run('kill -9 $$')).toMatchObject({ kind: 'killed', signal: 'SIGKILL' });
  });

  it('is ended in time with all that it started, though it ignores being asked', async () => {
    const began = performance.now();
    const outcome = await run(`trap '' TERM; sleep 60 & echo $!; wait; sleep 60`, 200);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(outcome.kind).toBe('timed-out');
    expect(await untilGone(Number(outputOf(outcome)))).toBe(true);
  });

  it('is ended at once when it is no longer wanted', async () => {
    const controller = new AbortController();
    const outcome = run('sleep 60', 60_000, controller.signal);
    controller.abort();
    expect((await outcome).kind).toBe('cancelled');
    expect((await run('exit 0', 1000, controller.signal)).kind).toBe('cancelled');
  });

  it('may print without end, and only the first part is kept', async () => {
    const outcome = await run('yes tripoint | head -c 20000000; exit 0');
    expect(outcome).toMatchObject({ kind: 'exited', code: 0 });
    expect(outputOf(outcome)).toHaveLength(OUTPUT_BYTES_MAX);
  });

  it('does not keep us waiting by what it leaves running with our pipe in its hands', async () => {
    const began = performance.now();
    const outcome = await run('sleep 60 & echo $!');
    const left = Number(outputOf(outcome));
    expect(outcome).toMatchObject({ kind: 'exited', code: 0 });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(exists(left)).toBe(true);
    process.kill(left, 'SIGKILL');
  });

  it('never runs twice at once', async () => {
    const controller = new AbortController();
    const runner = runnerOf('sleep 60');
    const first = runner({ environment, signal: controller.signal });
    await delay(50);
    expect(await runner({ environment, signal: never })).toMatchObject({ kind: 'not-started' });
    controller.abort();
    expect((await first).kind).toBe('cancelled');
  });
});
