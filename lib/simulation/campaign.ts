/**
 * A campaign: many seeds, one verdict. What `npm run simulate` and `tripoint simulate` run.
 *
 * A fault that was never installed proves nothing, and neither does a path that was never taken: a
 * campaign in which one kind never occurred fails as vacuous. A failing seed is printed with the
 * command that replays it.
 */
import { describeError } from '../base/errors.ts';
import { runConsensus } from './consensus-run.ts';
import type { HistoryOperation } from './history.ts';

export interface CampaignOptions {
  /** How many lives to simulate, at least 1. */
  readonly seeds: number;
  readonly firstSeed: number;
  /** Called after each seed. */
  readonly onProgress: (done: number, total: number) => void;
  /** Gets what the clients of each life asked and were told. */
  readonly onHistory?: (seed: number, history: readonly HistoryOperation[]) => void;
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

/** Failures that are told in full; beyond, they are only counted. */
const FAILURES_TOLD_MAX = 20;

const NOTHING_YET: CampaignResult = {
  seeds: 0,
  events: 0,
  committed: 0,
  acknowledged: 0,
  violations: 0,
  failures: [],
  faults: {},
  missingFaults: [],
  compactions: 0,
};

/** Sums as it goes and keeps no life, so that a million of them need no more memory than one. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  let sum = NOTHING_YET;
  for (let done = 0; done < options.seeds; done += 1) {
    sum = joinCampaigns([sum, await runLife(options.firstSeed + done, options)]);
    options.onProgress(done + 1, options.seeds);
  }
  return sum;
}

/** One life as a campaign of its own. */
async function runLife(seed: number, { onHistory }: CampaignOptions): Promise<CampaignResult> {
  try {
    const life = await runConsensus({ seed, onHistory: (history) => onHistory?.(seed, history) });
    const { events, committed, acknowledged, paths } = life;
    const faults = { ...life.faults, ...paths };
    const compactions = paths.compactions > 0 ? 1 : 0;
    return { ...NOTHING_YET, seeds: 1, events, committed, acknowledged, faults, compactions };
  } catch (thrown) {
    const failure = { seed, cause: describeError(thrown), replay: replayCommand(seed) };
    return { ...NOTHING_YET, seeds: 1, violations: 1, failures: [failure] };
  }
}

/** The campaign that consists of these, in whatever order they ended. */
export function joinCampaigns(parts: readonly CampaignResult[]): CampaignResult {
  const sumOf = (figure: (part: CampaignResult) => number) =>
    parts.reduce((sum, part) => sum + figure(part), 0);
  const faults = totals(parts.map((part) => part.faults));
  return {
    seeds: sumOf(({ seeds }) => seeds),
    events: sumOf(({ events }) => events),
    committed: sumOf(({ committed }) => committed),
    acknowledged: sumOf(({ acknowledged }) => acknowledged),
    violations: sumOf(({ violations }) => violations),
    failures: parts
      .flatMap(({ failures }) => failures)
      .sort((left, right) => left.seed - right.seed)
      .slice(0, FAILURES_TOLD_MAX),
    faults,
    missingFaults: Object.keys(faults).filter((kind) => faults[kind] === 0),
    compactions: sumOf(({ compactions }) => compactions),
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
