/** The thread of one share of the year campaign (`year-campaign.ts`). */
import { parentPort, workerData } from 'node:worker_threads';
import { liveYears, type YearOrder, type YearResult } from '../../lib/simulation/whole/year.ts';
import type { WorkerMessage } from './worker.ts';

const answer = await liveYears(workerData as YearOrder, (done) => say({ kind: 'progress', done }));
say({ kind: 'answer', answer });

function say(message: WorkerMessage<YearResult>): void {
  parentPort?.postMessage(message);
}
