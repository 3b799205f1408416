/**
 * One command as a child process that cannot outstay, flood or pile up.
 *
 * It gets a process group of its own, and when its time is over the whole group is ended: first
 * asked, then killed. Output is read to the end, so that the child never blocks, but only its first
 * part is kept. A child that does not even end when killed (stuck in the kernel) is not waited for;
 * the next run of the same command is refused until it is gone, so runs never overlap.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describeError } from '../base/errors.ts';
import { KILL_GRACE_MS, OUTPUT_BYTES_MAX, OUTPUT_GRACE_MS } from './limits.ts';
import type { AgentClock } from './system-clock.ts';

export interface Command {
  readonly words: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

export type CommandOutcome =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  /** Ended by a signal that was not ours. */
  | { readonly kind: 'killed'; readonly signal: string; readonly output: string }
  | { readonly kind: 'timed-out'; readonly output: string }
  | { readonly kind: 'cancelled'; readonly output: string }
  | { readonly kind: 'not-started'; readonly detail: string };

/** Runs the command once. Never rejects; runs of one runner never overlap. */
export type CommandRunner = (call: {
  readonly environment: Readonly<Record<string, string>>;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}) => Promise<CommandOutcome>;

export function createCommandRunner(command: Command, clock: AgentClock): CommandRunner {
  let last: ChildProcess | null = null;
  return async ({ environment, signal }) => {
    if (last !== null && isRunning(last)) {
      return { kind: 'not-started', detail: 'the run before has not ended' };
    }
    if (signal.aborted) {
      return { kind: 'cancelled', output: '' };
    }
    const started = await start(command, environment);
    if (started.kind === 'not-started') {
      return started;
    }
    last = started.child;
    return await supervise(started.child, { command, clock, signal });
  };
}

type Started =
  | { readonly kind: 'started'; readonly child: ChildProcess }
  | { readonly kind: 'not-started'; readonly detail: string };

async function start(
  { words: [file, ...rest] }: Command,
  environment: Readonly<Record<string, string>>,
): Promise<Started> {
  try {
    const child = spawn(file, rest, {
      // A group of its own, so that what it starts ends with it; and no terminal to be stopped by.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    });
    // A late error, e.g. of a kill that came too late, must find somebody who listens.
    child.on('error', () => undefined);
    await once(child, 'spawn');
    return { kind: 'started', child };
  } catch (thrown) {
    return { kind: 'not-started', detail: describeError(thrown) };
  }
}

interface Supervision {
  readonly command: Command;
  readonly clock: AgentClock;
  readonly signal: AbortSignal;
}

async function supervise(child: ChildProcess, supervision: Supervision): Promise<CommandOutcome> {
  const { command, clock, signal } = supervision;
  const output = collectOutput(child);
  const ended = new AbortController();
  const exit = exitOf(child).finally(() => ended.abort());
  const cut = await Promise.race([
    exit.then(() => null),
    clock.sleep(command.timeoutMs, ended.signal).then(() => 'timed-out' as const),
    aborted(signal, ended.signal).then(() => 'cancelled' as const),
  ]);
  if (cut !== null && isRunning(child)) {
    await endGroup(child, clock, ended.signal);
    output.close();
    return { kind: cut, output: output.text() };
  }
  // What the child wrote last may still be on its way; what it left running may hold the pipe.
  const closing = new AbortController();
  await Promise.race([
    output.closed.finally(() => closing.abort()),
    clock.sleep(OUTPUT_GRACE_MS, closing.signal),
  ]);
  output.close();
  const { code, signal: by } = await exit;
  return code === null
    ? { kind: 'killed', signal: by ?? 'unknown', output: output.text() }
    : { kind: 'exited', code, output: output.text() };
}

/** Asks, waits a moment, kills. Does not wait for ever: see the first comment. */
async function endGroup(child: ChildProcess, clock: AgentClock, ended: AbortSignal): Promise<void> {
  signalGroup(child, 'SIGTERM');
  await clock.sleep(KILL_GRACE_MS, ended);
  // Also when the child itself has gone: others of its group may not have heard the first one.
  signalGroup(child, 'SIGKILL');
  if (!ended.aborted) {
    await clock.sleep(KILL_GRACE_MS, ended);
  }
}

function signalGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended by itself.
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      signal.removeEventListener('abort', finish);
      over.removeEventListener('abort', finish);
      resolve();
    };
    signal.addEventListener('abort', finish);
    over.addEventListener('abort', finish);
    // It may have come while the child was being started.
    if (signal.aborted) {
      finish();
    }
  });
}

interface Output {
  readonly text: () => string;
  readonly closed: Promise<unknown>;
  readonly close: () => void;
}

/** Both streams in the order of arrival, up to `OUTPUT_BYTES_MAX`; what follows is read and lost. */
function collectOutput({ stdout, stderr }: ChildProcess): Output {
  const streams = [stdout, stderr].filter((stream): stream is Readable => stream !== null);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (const stream of streams) {
    stream.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, Math.max(0, OUTPUT_BYTES_MAX - bytes));
      bytes += kept.length;
      if (kept.length > 0) {
        chunks.push(kept);
      }
    });
    stream.on('error', () => undefined);
  }
  return {
    text: () => Buffer.concat(chunks).toString('utf8'),
    closed: Promise.all(streams.map((stream) => once(stream, 'close').catch(() => undefined))),
    close: () => {
      for (const stream of streams) {
        stream.destroy();
      }
    },
  };
}
