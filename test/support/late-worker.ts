/** Starts the worker that freezes before its write, and waits until it is frozen indeed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { SwitchOutcome } from '../../lib/recovery/switch-once.ts';
import type { SwitchIntent } from '../../lib/recovery/switch-plan.ts';
import type { ChangeOutcome } from '../../lib/recovery/switch-port.ts';

export type ZonePlace =
  | { readonly kind: 'embedded'; readonly url: string; readonly token: string }
  | { readonly kind: 'route53'; readonly url: string; readonly hostedZoneId: string }
  | {
      readonly kind: 'rfc2136';
      readonly port: number;
      readonly zone: string;
      readonly keyName: string;
      readonly algorithm: 'hmac-sha256' | 'hmac-sha512';
      /** Base64. */
      readonly secret: string;
    };

export interface LateWorkerTask {
  readonly place: ZonePlace;
  readonly intent: SwitchIntent;
}

export interface LateWorkerResult {
  /** What its write came to that it had planned before it froze. */
  readonly first: ChangeOutcome;
  readonly outcome: SwitchOutcome;
}

export interface FrozenWorker {
  /** Lets it go on; resolves with what became of its switch. */
  readonly wake: () => Promise<LateWorkerResult>;
}

const MAIN = new URL('./late-worker-main.ts', import.meta.url).pathname;
const LOOKS_MAX = 2000;
const LOOK_PAUSE_MS = 10;

export async function startLateWorker(task: LateWorkerTask): Promise<FrozenWorker> {
  const child = spawn(process.execPath, [MAIN, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString('utf8');
  });
  const closed = once(child, 'close');
  await untilStopped(child);
  return {
    wake: async () => {
      child.kill('SIGCONT');
      await closed;
      return JSON.parse(output) as LateWorkerResult;
    },
  };
}

/** `T` in the process table: stopped by a signal. */
async function untilStopped(child: ChildProcess): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) {
      return;
    }
    await pause(LOOK_PAUSE_MS);
  }
  child.kill('SIGKILL');
  throw new Error('the worker did not freeze');
}
