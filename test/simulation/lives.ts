/** A campaign on all cores: each thread lives a share of the seeds and sums it up by itself. */
import { type CampaignResult, joinCampaigns, runCampaign } from '../../lib/simulation/campaign.ts';
import { runInWorker } from './worker.ts';

interface Seeds {
  readonly firstSeed: number;
  readonly seeds: number;
}

export interface LivesOrder extends Seeds {
  /** Gets one line for each operation of each life (`history-file.ts`). */
  readonly historyFile: string | null;
}

interface Lives extends LivesOrder {
  readonly workers: number;
  /** Called with how many more lives have ended. */
  readonly onLives: (count: number) => void;
}

export async function liveOnAllCores(lives: Lives): Promise<CampaignResult> {
  const entry = new URL('./lives-main.ts', import.meta.url);
  const { historyFile } = lives;
  const parts = sharesOf(lives, lives.workers).map((share) => {
    let told = 0;
    const order: LivesOrder = { ...share, historyFile };
    return runInWorker<CampaignResult>({
      entry,
      order,
      onProgress: (done) => {
        lives.onLives(done - told);
        told = done;
      },
    });
  });
  return joinCampaigns(await Promise.all(parts));
}

/** In this thread, one after the other. */
export async function liveEach(seeds: readonly number[]): Promise<CampaignResult> {
  const parts: CampaignResult[] = [];
  for (const firstSeed of seeds) {
    parts.push(await runCampaign({ firstSeed, seeds: 1, onProgress: () => undefined }));
  }
  return joinCampaigns(parts);
}

/** Neighbouring seeds each, in shares as equal as can be. */
export function sharesOf({ firstSeed, seeds }: Seeds, count: number): readonly Seeds[] {
  const start = (share: number) => Math.floor((seeds * share) / count);
  return Array.from({ length: count }, (_, share) => ({
    firstSeed: firstSeed + start(share),
    seeds: start(share + 1) - start(share),
  })).filter((share) => share.seeds > 0);
}
