/** A bundled function in a process of its own, as Lambda runs it: environment in, events in, log out. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface LambdaProcess {
  /** Resolves with what the handler returned. @throws an Error with the handler's message and code */
  readonly invoke: (event: unknown) => Promise<unknown>;
  /** Lines that the function wrote so far, parsed. */
  readonly lines: () => readonly { readonly [key: string]: unknown }[];
  readonly kill: () => Promise<void>;
}

interface Outcome {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code?: string };
}

/** Resolves when the module is loaded; rejects when loading it fails. */
export async function startLambdaProcess(
  path: string,
  environment: { readonly [name: string]: string },
): Promise<LambdaProcess> {
  const child = fork(new URL('./lambda-process-main.ts', import.meta.url), [path], {
    env: { ...environment },
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = collect(child);
  const pending = new Map<number, (outcome: Outcome) => void>();
  child.on('message', (outcome: Outcome) => pending.get(outcome.id)?.(outcome));
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the function ended: ${output()}`);
  });
  const answerTo = (id: number) =>
    Promise.race([new Promise<Outcome>((resolve) => pending.set(id, resolve)), ended]);
  await answerTo(0);
  let invocations = 0;
  return {
    invoke: async (event) => {
      invocations += 1;
      const answer = answerTo(invocations);
      child.send({ id: invocations, event });
      const { result, error } = await answer;
      if (error !== undefined) {
        throw Object.assign(new Error(error.message), { code: error.code });
      }
      return result;
    },
    lines: () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { readonly [key: string]: unknown }),
    kill: async () => {
      ended.catch(() => undefined);
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
    },
  };
}

function collect({ stdout, stderr }: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  for (const stream of [stdout, stderr]) {
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  }
  return () => Buffer.concat(chunks).toString('utf8');
}
