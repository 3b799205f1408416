/**
 * What the owner of a service decided: its sites, when to act, and how safe to be.
 *
 * Policies enter the Raft log by a `configure` command, so every region decides by the same text;
 * `lib/config` parses the YAML file into these types. Durations are whole milliseconds.
 */

/** How traffic moves when a site fails. Later issues add the other strategies. */
export type Strategy = 'failover';

export interface SitePolicy {
  /** Name of the site within its service, e.g. `us-east-1`. */
  readonly site: string;
  /** AWS region (or any label) where the site runs; the control region of this name acts first. */
  readonly region: string;
  /** What the service name resolves to while this site is active (IPv4, IPv6 or host name). */
  readonly address: string;
  /** URL that answers 2xx while the site serves; null = heartbeats only. */
  readonly probeUrl: string | null;
  /** SHA-256 (hex) of each accepted heartbeat token; more than one while a token is rotated. */
  readonly tokenHashes: readonly string[];
}

export interface DetectionPolicy {
  /** Nominal time between heartbeats (Δ), 100 to 86,400,000. */
  readonly intervalMs: number;
  /** φ at which a site is suspect; default 8. */
  readonly suspectPhi: number;
  /** φ at which a site is failed; default 16, above `suspectPhi`. */
  readonly failPhi: number;
  /** A site this long silent is failed whatever φ says; at least 3 Δ. */
  readonly silenceMsMax: number;
}

export interface SafetyPolicy {
  /** No automatic run for this long after a run ended. */
  readonly holdDownMs: number;
  /** Automatic runs that may start within any 24 hours. */
  readonly automaticRunsPerDayMax: number;
}

export interface ServicePolicy {
  readonly service: string;
  /** The name that clients use, absolute, lower case, no trailing dot. */
  readonly dnsName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  readonly ttlSeconds: number;
  readonly strategy: Strategy;
  /** Whether a failure starts a run without a person. Detection and analysis run either way. */
  readonly automatic: boolean;
  /** The site that should serve when all is well, and the first to do so. */
  readonly primary: string;
  /** Objectives that each run's actual RTO and RPO are held against. */
  readonly objectives: { readonly rtoMs: number; readonly rpoMs: number };
  readonly detection: DetectionPolicy;
  readonly safety: SafetyPolicy;
  /** Two or more, in order of preference. */
  readonly sites: readonly SitePolicy[];
}
