/**
 * Work in threads: each job in a thread of its own, as many at a time as the machine has cores.
 *
 * A thread says now and then how far it is, and at last what came out. One that says nothing for a
 * long time hangs: it is ended, and its job fails, for a simulation that never ends proves nothing.
 */
import { Worker } from 'node:worker_threads';
import { AppError } from '../../lib/base/errors.ts';

export type WorkerMessage<Answer> =
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'answer'; readonly answer: Answer };

export interface WorkerJob {
  /** The file that the thread runs; it reads `order` as its `workerData`. */
  readonly entry: URL;
  readonly order: unknown;
  /** Called with how much of its work the thread has done. */
  readonly onProgress: (done: number) => void;
}

const SILENCE_MS_MAX = 120_000;

/** @throws whatever the thread threw; AppError `worker-silent` when it hangs. */
export function runInWorker<Answer>({ entry, order, onProgress }: WorkerJob): Promise<Answer> {
  const worker = new Worker(entry, { workerData: order });
  return new Promise<Answer>((resolve, reject) => {
    const silence = setTimeout(() => {
      reject(failure('worker-silent', `said nothing for ${SILENCE_MS_MAX / 1000} s`, order));
    }, SILENCE_MS_MAX);
    worker.on('message', (message: WorkerMessage<Answer>) => {
      silence.refresh();
      if (message.kind === 'progress') {
        onProgress(message.done);
      } else {
        resolve(message.answer);
      }
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      clearTimeout(silence);
      reject(failure('worker-without-answer', 'ended without an answer', order));
    });
  }).finally(() => worker.terminate());
}

function failure(code: string, what: string, order: unknown): AppError {
  const hint = 'Run its order alone to see where it stands.';
  const message = `a thread ${what}; its order was ${JSON.stringify(order)}`;
  return new AppError(message, { code, hint, retryable: false });
}

/** Does all jobs, `atOnce` at a time, in the order given. Answers stand in that order too. */
export async function inParallel<Answer>(
  jobs: readonly (() => Promise<Answer>)[],
  atOnce: number,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const open = jobs.entries();
  const lane = async () => {
    for (const [place, job] of open) {
      answers[place] = await job();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return answers;
}
