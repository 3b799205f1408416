/** The verdict of a simulation campaign. */
import type { CampaignResult } from '../../simulation/campaign.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';

/** Below this, a kind of fault may be absent by chance: the rarest comes once in some hundred lives. */
const CONCLUSIVE_SEEDS_MIN = 1000;

/** Whether nothing was violated, by a campaign in which every kind of fault occurred. */
export function isConclusive({ seeds, violations, missingFaults }: CampaignResult): boolean {
  return violations === 0 && (seeds < CONCLUSIVE_SEEDS_MIN || missingFaults.length === 0);
}

export function renderCampaign(result: CampaignResult, style: Style): readonly string[] {
  const { events, committed, acknowledged, compactions, faults, missingFaults } = result;
  const rows = Object.entries(faults).map(([fault, count]) => [cell(fault), cell(String(count))]);
  return [
    `${events} events, ${committed} entries committed, ${acknowledged} acknowledged, ${compactions} lives with compaction`,
    ...renderTable({ header: ['fault', 'times'], rows }, style),
    ...result.failures.flatMap(({ seed, cause, replay }) => [
      style(`✖ seed ${seed}: ${cause}`, 'bad'),
      `  ${replay}`,
    ]),
    ...(missingFaults.length > 0 && result.seeds >= CONCLUSIVE_SEEDS_MIN
      ? [style(`✖ vacuous: never installed: ${missingFaults.join(', ')}`, 'bad')]
      : []),
    isConclusive(result)
      ? style('● no violation', 'good')
      : style(`✖ not passed: ${result.violations} violations`, 'bad'),
  ];
}
