/** The hook of one site, in its own process, and what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./capacity-hook-main.ts', import.meta.url));

export interface HookCapacity {
  readonly desired: number;
  readonly ready: number;
  /** Times that somebody asked for another size. */
  readonly changes: number;
}

export interface CapacityHook {
  readonly url: string;
  readonly read: () => Promise<HookCapacity>;
  readonly stop: () => void;
}

export async function startCapacityHook(standby: number): Promise<CapacityHook> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, String(standby)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = () => {
    child.kill('SIGKILL');
  };
  process.once('exit', stop);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const url = `http://127.0.0.1:${line.toString('utf8').trim()}/capacity`;
  return {
    url,
    read: async () => (await fetch(url)).json() as Promise<HookCapacity>,
    stop,
  };
}
