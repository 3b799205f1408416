/**
 * The supervisor's half: one spawned process, from its settings to its exit.
 *
 * A child is never restarted by itself. Who watches a failover wants to see what stays down.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AppError } from '../base/errors.ts';
import { processVariables } from '../config/environment.ts';
import { type FromChild, isFromChild, type ToChild } from './child-messages.ts';

const LOG_BYTES_MAX = 16 * 1024 * 1024;
/** Six processes on one laptop: a small young generation halves what each of them takes. */
const NODE_OPTIONS = ['--max-semi-space-size=4'];

export interface ChildPlan {
  readonly name: string;
  readonly kind: 'region' | 'dns' | 'site';
  /** Module to run, e.g. `region-process.ts` beside this one. */
  readonly script: URL;
  readonly logFile: string;
  /** Where Node keeps compiled code: it halves the time a process takes to be back. */
  readonly cacheDir: string;
  readonly settings: unknown;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Resolves when the child has opened its stores. @throws AppError when it could not. */
  readonly prepared: Promise<void>;
  /** Resolves when the child does its work. @throws AppError when it could not start. */
  readonly ready: Promise<void>;
  readonly exited: Promise<ChildExit>;
  /** Lets a prepared child begin. */
  readonly run: () => void;
  /** Asks for an orderly end. */
  readonly stop: () => void;
  /** `kill -9`. */
  readonly kill: () => void;
}

/** @throws AppError `spawn-failed` when the process cannot be created. */
export function spawnChild(plan: ChildPlan): Child {
  const log = openLog(plan.logFile);
  const child = spawn(process.execPath, [...NODE_OPTIONS, fileURLToPath(plan.script), plan.name], {
    stdio: ['ignore', log, log, 'ipc'],
    env: { NODE_COMPILE_CACHE: plan.cacheDir, ...processVariables() },
  });
  closeSync(log);
  const exited = exitOf(child);
  const milestones = milestonesOf(child, { plan, exited });
  send(child, { kind: 'settings', settings: plan.settings });
  if (child.pid === undefined) {
    throw new AppError(`${plan.name} could not be started`, {
      code: 'spawn-failed',
      hint: 'Check that Node.js may create processes here.',
      retryable: true,
    });
  }
  return {
    pid: child.pid,
    ...milestones,
    exited,
    run: () => send(child, { kind: 'run' }),
    stop: () => send(child, { kind: 'stop' }),
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}

function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

interface Milestones {
  readonly prepared: Promise<void>;
  readonly ready: Promise<void>;
}

/** A child that exits before a milestone has failed at it, whether or not it could say why. */
function milestonesOf(
  child: ChildProcess,
  { plan, exited }: { readonly plan: ChildPlan; readonly exited: Promise<ChildExit> },
): Milestones {
  const prepared = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  // Whoever waits for a milestone gets its failure; nobody may be waiting.
  prepared.promise.catch(() => undefined);
  ready.promise.catch(() => undefined);
  const fail = (error: AppError) => {
    prepared.reject(error);
    ready.reject(error);
  };
  child.on('message', (message) => {
    if (!isFromChild(message)) {
      return;
    }
    switch (message.kind) {
      case 'prepared':
        prepared.resolve();
        return;
      case 'ready':
        prepared.resolve();
        ready.resolve();
        return;
      case 'failed':
        fail(startError(plan.name, message));
        return;
    }
  });
  exited.then((exit) => fail(exitError(plan, exit))).catch(() => undefined);
  return { prepared: prepared.promise, ready: ready.promise };
}

function startError(name: string, failure: Extract<FromChild, { kind: 'failed' }>): AppError {
  return new AppError(`${name}: ${failure.message}`, {
    code: failure.code,
    hint: failure.hint,
    retryable: false,
  });
}

function exitError({ name, logFile }: ChildPlan, { code, signal }: ChildExit): AppError {
  return new AppError(`${name} ended (${signal ?? `exit code ${code}`}) before it was ready`, {
    code: 'process-ended-early',
    hint: `Its log tells why: ${logFile}`,
    retryable: true,
  });
}

function send(child: ChildProcess, message: ToChild): void {
  if (child.connected) {
    // A child that dies just now is reported by its exit.
    child.send(message, () => undefined);
  }
}

/** Appends; a log that has grown large makes room and stays readable beside the new one. */
function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) {
    renameSync(file, `${file}.old`);
  }
  return openSync(file, 'a', 0o600);
}
