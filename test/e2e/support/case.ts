/** What every end-to-end case is given and gives back. */
import type { RunJson } from '../../../lib/api/schemas.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import type { LocalCluster } from './cluster.ts';
import type { SeededRandom } from './random.ts';

export interface CaseContext {
  readonly cluster: LocalCluster;
  /** Starts the cluster again from its folder. */
  readonly restart: () => Promise<number>;
  readonly random: SeededRandom;
  readonly seed: number;
  /** One line of progress. */
  readonly say: (line: string) => void;
  readonly rounds: number;
  readonly kills: number;
}

/** Figures of the case, durations in whole milliseconds. A case that fails throws. */
export type Figures = { readonly [name: string]: JsonValue };

export type Case = (context: CaseContext) => Promise<Figures>;

/** The split of the actual RTO as the product reports it. */
export function stagesOf({ stages }: RunJson): Figures {
  return { ...stages };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
