/** The host that a terminal user has: this process, its streams, clocks and random source. */
import { randomBytes, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';
import { processVariables } from '../config/environment.ts';
import { EXIT } from './exit-codes.ts';
import type { Host } from './host.ts';

const TOKEN_BYTES = 32;

export function createProcessHost(): Host {
  endQuietlyOnClosedPipe();
  let interruption: AbortController | null = null;
  return {
    writeOutput: (text) => process.stdout.write(text),
    writeMessage: (text) => process.stderr.write(text),
    outputIsTerminal: process.stdout.isTTY === true,
    messagesAreTerminal: process.stderr.isTTY === true,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    variables: processVariables(),
    clock: {
      wallNow: () => epochMillis(Date.now()),
      monotonicNow: () => monotonicMillis(performance.now()),
      sleep: (durationMs) =>
        new Promise((resolve) => {
          setTimeout(resolve, durationMs);
        }),
    },
    random: Math.random,
    randomId: () => randomUUID(),
    randomToken: () => randomBytes(TOKEN_BYTES).toString('base64url'),
    ask: askOnTerminal,
    interruption: () => {
      interruption ??= listenForSignals();
      return interruption.signal;
    },
  };
}

async function askOnTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => {
    terminal.once('close', () => resolve(''));
    terminal.once('SIGINT', () => {
      terminal.close();
      process.kill(process.pid, 'SIGINT');
    });
  });
  try {
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}

/** The first signal lets the command end in good order; a second one does not wait for it. */
function listenForSignals(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) {
        process.exit(EXIT.interrupted);
      }
      controller.abort();
    });
  }
  return controller;
}

/** `tripoint log | head`: the reader has what it wanted. */
function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EPIPE') {
      throw cause;
    }
    process.exit(EXIT.ok);
  });
}
