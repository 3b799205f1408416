/** A host without a process: its clock jumps over every wait, and Ctrl-C comes when a test says so. */
import { epochMillis, monotonicMillis } from '../../../lib/base/identifiers.ts';
import type { Host } from '../../../lib/cli/host.ts';

export interface ScriptedHost extends Host {
  /** All waits so far, in milliseconds. */
  readonly waits: readonly number[];
}

export function scriptedHost(interruptAtWait: number = Number.POSITIVE_INFINITY): ScriptedHost {
  const waits: number[] = [];
  const interruption = new AbortController();
  let now = 0;
  const refuse = () => {
    throw new Error('not part of this test');
  };
  return {
    waits,
    writeOutput: refuse,
    writeMessage: refuse,
    outputIsTerminal: false,
    messagesAreTerminal: false,
    isInteractive: false,
    variables: {},
    clock: {
      wallNow: () => epochMillis(now),
      monotonicNow: () => monotonicMillis(now),
      sleep: (durationMs) => {
        waits.push(durationMs);
        now += durationMs;
        if (waits.length >= interruptAtWait) {
          interruption.abort();
        }
        return Promise.resolve();
      },
    },
    random: () => 0.5,
    randomId: () => 'id-1',
    randomToken: refuse,
    ask: refuse,
    interruption: () => interruption.signal,
  };
}
