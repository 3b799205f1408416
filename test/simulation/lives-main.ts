/** The thread of one share of a campaign (`lives.ts`). */
import { parentPort, workerData } from 'node:worker_threads';
import { type CampaignResult, runCampaign } from '../../lib/simulation/campaign.ts';
import { appendHistory } from './history-file.ts';
import type { LivesOrder } from './lives.ts';
import type { WorkerMessage } from './worker.ts';

const { firstSeed, seeds, historyFile } = workerData as LivesOrder;
const answer = await runCampaign({
  firstSeed,
  seeds,
  onHistory: (seed, history) => {
    if (historyFile !== null) {
      appendHistory(historyFile, seed, history);
    }
  },
  onProgress: (done) => say({ kind: 'progress', done }),
});
say({ kind: 'answer', answer });

function say(message: WorkerMessage<CampaignResult>): void {
  parentPort?.postMessage(message);
}
