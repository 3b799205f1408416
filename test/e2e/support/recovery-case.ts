/** What a case about strategies is given: the second cluster, and what stands beside it. */
import type { Figures } from './case.ts';
import type { LocalCluster } from './cluster.ts';
import type { Surroundings } from './recovery-place.ts';

export interface RecoveryContext {
  readonly cluster: LocalCluster;
  readonly surroundings: Surroundings;
  readonly say: (line: string) => void;
}

export type RecoveryCase = (context: RecoveryContext) => Promise<Figures>;
