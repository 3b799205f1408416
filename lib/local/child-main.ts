/**
 * The child's half of local mode: waits for its settings, runs, and ends when told or orphaned.
 *
 * Three rules. Without a supervisor a child exits at once, so `kill -9` of the supervisor leaves no
 * orphan that holds a port or a store. Ctrl-C reaches the whole process group, but only the
 * supervisor acts on it, so that children stop in order. An error that nobody handled ends the
 * process loudly: a region that lost an invariant must not go on answering.
 */
import { flushCompileCache } from 'node:module';
import { AppError, describeError } from '../base/errors.ts';
import type { LogEvent } from '../base/log.ts';
import { type ChildFailure, type FromChild, isToChild } from './child-messages.ts';
import { createLogger, writeLineTo } from './logger.ts';
import { SYSTEM_CLOCK } from './system-clock.ts';

const EXIT_START_FAILED = 1;
const EXIT_UNHANDLED_ERROR = 70;
const STANDARD_OUTPUT = 1;

export interface ChildContext {
  readonly log: LogEvent;
  /** Tells the supervisor that the stores are open; resolves when the work may begin. */
  readonly prepared: () => Promise<void>;
}

export interface ChildParts {
  /** Closes everything; the process exits when it resolves. */
  readonly stop: () => Promise<void>;
}

/** Takes over the process. `start` gets the settings as the supervisor sent them. */
export function runChild<Settings>(
  source: string,
  start: (settings: Settings, context: ChildContext) => Promise<ChildParts>,
): void {
  const log = createLogger({
    source,
    level: 'info',
    format: 'json',
    clock: SYSTEM_CLOCK,
    write: writeLineTo(STANDARD_OUTPUT),
  });
  endWithSupervisor();
  endOnUnhandledError(log);
  const permission = Promise.withResolvers<void>();
  let parts: ChildParts | null = null;
  process.on('message', (message) => {
    if (!isToChild(message)) {
      return;
    }
    switch (message.kind) {
      case 'settings':
        begin(message.settings as Settings);
        return;
      case 'run':
        permission.resolve();
        return;
      case 'stop':
        stop(parts, log);
        return;
    }
  });

  function begin(settings: Settings): void {
    const prepared = () => {
      tell({ kind: 'prepared' });
      return permission.promise;
    };
    start(settings, { log, prepared }).then(
      (started) => {
        parts = started;
        log('info', 'process-ready');
        tell({ kind: 'ready' });
        // A process that is killed writes nothing at its end, so what it compiled is kept now.
        flushCompileCache();
      },
      (cause: unknown) => {
        const failure = failureOf(cause);
        log('error', 'process-start-failed', { ...failure });
        tell({ kind: 'failed', ...failure }, () => process.exit(EXIT_START_FAILED));
      },
    );
  }
}

/** A child that has not begun its work has nothing to put in order. */
function stop(parts: ChildParts | null, log: LogEvent): void {
  Promise.resolve(parts?.stop()).then(
    () => {
      log('info', 'process-stopped');
      process.exit(0);
    },
    (cause: unknown) => {
      log('error', 'process-stop-failed', { cause: describeError(cause) });
      process.exit(EXIT_UNHANDLED_ERROR);
    },
  );
}

function endWithSupervisor(): void {
  if (!process.connected) {
    process.exit(0);
  }
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => process.exit(0));
}

function endOnUnhandledError(log: LogEvent): void {
  const end = (kind: string) => (thrown: unknown) => {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    log('error', kind, { cause: describeError(thrown), stack });
    process.exit(EXIT_UNHANDLED_ERROR);
  };
  process.on('uncaughtException', end('uncaught-exception'));
  process.on('unhandledRejection', end('unhandled-rejection'));
}

function tell(message: FromChild, sent: () => void = () => undefined): void {
  if (process.send === undefined || !process.connected) {
    sent();
    return;
  }
  process.send(message, undefined, undefined, sent);
}

function failureOf(thrown: unknown): ChildFailure {
  return thrown instanceof AppError
    ? { code: thrown.code, message: thrown.message, hint: thrown.hint }
    : {
        code: 'start-failed',
        message: describeError(thrown),
        hint: 'The log of the process, under .tripoint/logs, tells more.',
      };
}
