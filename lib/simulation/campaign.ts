/**
 * A campaign: many seeds, one verdict. What `npm run simulate` and `tripoint simulate` run.
 *
 * A fault that was never installed proves nothing, so a campaign in which one kind never occurred
 * fails as vacuous. A failing seed is printed with the command that replays it.
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
  /** How often each fault was installed over the whole campaign. */
  readonly faults: { readonly [fault: string]: number };
  /** Kinds of fault that never occurred; not empty = the campaign is vacuous. */
  readonly missingFaults: readonly string[];
  readonly compactions: number;
}

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const results: ConsensusRunResult[] = [];
  const failures: CampaignResult['failures'][number][] = [];
  for (let done = 0; done < options.seeds; done += 1) {
    const seed = options.firstSeed + done;
    try {
      results.push(await runConsensus(seed, options.sha256));
    } catch (thrown) {
      failures.push({ seed, cause: describeError(thrown), replay: replayCommand(seed) });
    }
    options.onProgress(done + 1, options.seeds);
  }
  const faults = totals(results);
  return {
    seeds: options.seeds,
    events: sumOf(results, ({ events }) => events),
    committed: sumOf(results, ({ committed }) => committed),
    acknowledged: sumOf(results, ({ acknowledged }) => acknowledged),
    violations: failures.length,
    failures,
    faults,
    missingFaults: Object.keys(faults).filter((fault) => faults[fault] === 0),
    compactions: results.filter(({ compactedUpTo }) => compactedUpTo > 0).length,
  };
}

export function replayCommand(seed: number): string {
  return `npm run simulate -- --first-seed ${seed} --seeds 1`;
}

function totals(results: readonly ConsensusRunResult[]): { [fault: string]: number } {
  const faults: { [fault: string]: number } = {};
  for (const result of results) {
    for (const [fault, count] of Object.entries(result.faults)) {
      faults[fault] = (faults[fault] ?? 0) + count;
    }
  }
  return faults;
}

function sumOf(
  results: readonly ConsensusRunResult[],
  figure: (result: ConsensusRunResult) => number,
): number {
  return results.reduce((sum, result) => sum + figure(result), 0);
}
