/**
 * What the command line needs of the process it runs in, as a port: streams, terminal, time, chance.
 *
 * `process-host.ts` is the real one. Tests pass their own and run whole commands in one process.
 */
import type { Clock, Random } from '../base/clock.ts';
import type { Variables } from '../config/expansion.ts';

export interface Host {
  /** Data: what a script reads. */
  readonly writeOutput: (text: string) => void;
  /** Messages: what a person reads. */
  readonly writeMessage: (text: string) => void;
  readonly outputIsTerminal: boolean;
  readonly messagesAreTerminal: boolean;
  /** Whether a person can be asked: both the input and the messages are a terminal. */
  readonly isInteractive: boolean;
  readonly variables: Variables;
  readonly clock: Clock;
  readonly random: Random;
  /** A new random UUID. */
  readonly randomId: () => string;
  /** 256 random bits as URL-safe text. */
  readonly randomToken: () => string;
  /** Shows the question and resolves with the line that was typed; empty at the end of input. */
  readonly ask: (question: string) => Promise<string>;
  /**
   * Aborts at the first Ctrl-C or SIGTERM. Without a call of this, a signal simply ends the
   * process; so a command that can be interrupted in good order asks for it.
   */
  readonly interruption: () => AbortSignal;
}

/** Resolves after `durationMs`, or at once when the signal aborts; true = the time has passed. */
export async function pause(host: Host, durationMs: number, signal: AbortSignal): Promise<boolean> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  if (!signal.aborted) {
    await Promise.race([host.clock.sleep(durationMs), aborted.promise]);
  }
  signal.removeEventListener('abort', onAbort);
  return !signal.aborted;
}
