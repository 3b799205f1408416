/**
 * What the supervisor tells each kind of child about itself. Holds tokens: sent over IPC only.
 */
import type { RegionId } from '../base/identifiers.ts';

/** One control region as its neighbours need to know it. */
export interface RegionPeer {
  readonly region: RegionId;
  readonly databaseUrl: string;
  readonly snapshotDir: string;
}

export interface RegionSettings {
  readonly clusterId: string;
  readonly region: RegionId;
  /** All control regions, this one among them. */
  readonly peers: readonly RegionPeer[];
  readonly apiPort: number;
  readonly databasePort: number;
  readonly databaseDir: string;
  readonly operatorTokenHash: string;
  /** Whether the cluster was made before: then missing tables are a loss and not a beginning. */
  readonly isBootstrapped: boolean;
  readonly dns: {
    /** Then the environment says how it is reached: this never holds the secret of its key. */
    readonly isOutside: boolean;
    readonly host: string;
    readonly port: number;
    readonly controlUrl: string;
    readonly token: string;
  };
}

export interface DnsSettings {
  readonly zoneFile: string;
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly controlPort: number;
  readonly token: string;
  /** Whether the zone was made before: then a missing file is a loss and not a beginning. */
  readonly isBootstrapped: boolean;
}

export interface SiteSettings {
  readonly service: string;
  readonly site: string;
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly intervalMs: number;
  /** Heartbeat endpoints: the API of every region. */
  readonly endpoints: readonly string[];
}
