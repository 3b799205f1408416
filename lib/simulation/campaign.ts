/**
 * A campaign: many seeds, one verdict. What `npm run simulate` and `tripoint simulate` run.
 *
 * A fault that was never installed proves nothing, and neither does a path that was never taken: a
 * campaign in which one kind never occurred fails as vacuous. A failing seed is printed with the
 * command that replays it.
 */
import { describeError } from '../base/errors.ts';
import type { Sha256 } from '../base/json.ts';
import { type ConsensusRunResult, runConsensus } from './consensus-run.ts';

export interface CampaignOptions {
  /** How many lives to simulate, at least 1. */
  readonly seeds: number;
  readonly firstSeed: number;
  readonly sha256: Sha256;
  /** Called after each seed. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface CampaignResult {
  readonly seeds: number;
  readonly events: number;
  readonly committed: number;
  readonly acknowledged: number;
  readonly violations: number;
  readonly failures: readonly {
    readonly seed: number;
    readonly cause: string;
    readonly replay: string;
  }[];
  /** How often each fault was installed, and each rare path taken, over the whole campaign. */
  readonly faults: Counts;
  /** Kinds that never occurred; not empty = the campaign is vacuous. */
  readonly missingFaults: readonly string[];
  /** Lives in which some register was compacted. */
  readonly compactions: number;
}

interface Counts {
  readonly [kind: string]: number;
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const results: ConsensusRunResult[] = [];
  const failures: CampaignResult['failures'][number][] = [];
  for (let done = 0; done < options.seeds; done += 1) {
    const seed = options.firstSeed + done;
    try {
      results.push(await runConsensus({ seed, sha256: options.sha256 }));
    } catch (thrown) {
      failures.push({ seed, cause: describeError(thrown), replay: replayCommand(seed) });
    }
    options.onProgress(done + 1, options.seeds);
  }
  const faults = totals(results.map((result) => ({ ...result.faults, ...result.paths })));
  return {
    seeds: options.seeds,
    events: sumOf(results, ({ events }) => events),
    committed: sumOf(results, ({ committed }) => committed),
    acknowledged: sumOf(results, ({ acknowledged }) => acknowledged),
    violations: failures.length,
    failures,
    faults,
    missingFaults: Object.keys(faults).filter((kind) => faults[kind] === 0),
    compactions: results.filter(({ paths }) => paths.compactions > 0).length,
  };
}

function replayCommand(seed: number): string {
  return `npm run simulate -- --first-seed ${seed} --seeds 1`;
}

function totals(lives: readonly Counts[]): Counts {
  const sums: { [kind: string]: number } = {};
  for (const life of lives) {
    for (const [kind, count] of Object.entries(life)) {
      sums[kind] = (sums[kind] ?? 0) + count;
    }
  }
  return sums;
}

function sumOf(
  results: readonly ConsensusRunResult[],
  figure: (result: ConsensusRunResult) => number,
): number {
  return results.reduce((sum, result) => sum + figure(result), 0);
}
