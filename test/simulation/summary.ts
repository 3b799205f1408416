/** What a run of `npm run simulate` found, as one line of JSON or for a reader. */
import { isConclusive, renderCampaign } from '../../lib/cli/render/campaign.ts';
import type { Style } from '../../lib/cli/render/style.ts';
import type { CampaignResult } from '../../lib/simulation/campaign.ts';
import type { Hunt } from './mutants/hunt.ts';

export interface Findings {
  readonly campaign: CampaignResult;
  /** In the order of the catalogue; empty when none were hunted. */
  readonly hunts: readonly Hunt[];
  readonly elapsedMs: number;
  /** Time of all cores together. */
  readonly machineMs: number;
}

interface MutantSummary {
  readonly total: number;
  readonly caught: number;
  readonly byLives: number;
  readonly byTests: number;
  readonly survived: readonly string[];
  /** The one that took the most lives to find. */
  readonly slowest: { readonly name: string; readonly seed: number } | null;
}

/** Whether nothing was violated, every fault occurred, and every mutant was found out. */
export function isPassed({ campaign, hunts }: Findings): boolean {
  return isConclusive(campaign) && hunts.every(isCaught);
}

function isCaught({ kind }: Hunt): boolean {
  return kind !== 'survived';
}

export function summaryOf(findings: Findings): object {
  const { campaign, hunts, elapsedMs, machineMs } = findings;
  const mutants = hunts.length > 0 ? mutantSummary(hunts) : null;
  return { passed: isPassed(findings), ...campaign, mutants, elapsedMs, machineMs };
}

function mutantSummary(hunts: readonly Hunt[]): MutantSummary {
  const byLives = hunts.filter((hunt) => hunt.kind === 'caught-by-life');
  const slowest = byLives.toSorted((left, right) => right.seed - left.seed)[0];
  return {
    total: hunts.length,
    caught: hunts.filter(isCaught).length,
    byLives: byLives.length,
    byTests: hunts.filter(({ kind }) => kind === 'caught-by-test').length,
    survived: hunts.filter(({ kind }) => kind === 'survived').map(({ name }) => name),
    slowest: slowest === undefined ? null : { name: slowest.name, seed: slowest.seed },
  };
}

export function renderFindings(findings: Findings, style: Style): readonly string[] {
  const { campaign, hunts, elapsedMs, machineMs } = findings;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    ...(campaign.seeds > 0 ? renderCampaign(campaign, style) : []),
    ...hunts.map((hunt) => renderHunt(hunt, style)),
    `${campaign.seeds} seeds, ${hunts.length} mutants in ${seconds(elapsedMs)}, ${seconds(machineMs)} of machine time`,
  ];
}

function renderHunt(hunt: Hunt, style: Style): string {
  switch (hunt.kind) {
    case 'caught-by-life':
      return `  ${hunt.name}: seed ${hunt.seed}, ${hunt.violation}`;
    case 'caught-by-test':
      return `  ${hunt.name}: ${hunt.test}`;
    default:
      return style(`✖ ${hunt.name}: survived ${hunt.tries} tries`, 'bad');
  }
}
