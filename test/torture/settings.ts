/** What the processes of a torture run are told, and what is the same for all of them. */
import { type RegionId, regionId } from '../../lib/base/identifiers.ts';
import {
  type ConsensusTimings,
  checkTimings,
  LOCAL_TIMINGS,
} from '../../lib/consensus/settings.ts';

export const REGIONS: readonly RegionId[] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);

/** Few, so that clients meet at each of them. */
export const KEYS = ['a', 'b', 'c', 'd'] as const;

/** Clients in one process. */
export const CLIENTS_PER_PROCESS = 3;

/**
 * Twice the local ones: ten processes share what may be two cores, and an election for want of a time
 * slice tests nothing.
 */
export const TIMINGS: ConsensusTimings = checkTimings({
  ...LOCAL_TIMINGS,
  beatMs: 100,
  electionTimeoutMsMin: 400,
  electionTimeoutMsMax: 800,
  proposeTimeoutMs: 2000,
});

export interface StoreSettings {
  readonly region: RegionId;
  readonly folder: string;
  readonly port: number;
  /** Whether its table must be made first. */
  readonly isNew: boolean;
}

/** A process that takes part in the log. */
export interface MemberSettings {
  readonly clusterId: string;
  readonly region: RegionId;
  /** How this process reaches each store; a proxy of its own stands in between. */
  readonly stores: readonly { readonly region: RegionId; readonly databaseUrl: string }[];
  /** File of the entries that it applies. */
  readonly entriesFile: string;
}

export interface ClientSettings extends MemberSettings {
  /** File of what its clients ask and hear. */
  readonly operationsFile: string;
  /** Number of its first client; no two clients of a run have the same, whatever was killed. */
  readonly firstClient: number;
  readonly seed: number;
  /** False in the negative control: reads come from the local replica as it stands. */
  readonly isReadConfirmed: boolean;
}
