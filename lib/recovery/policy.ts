/**
 * What the owner of a service decided: its sites, when to act, and how safe to be.
 *
 * Policies enter the Raft log by a `configure` command, so every region decides by the same text;
 * `lib/config` parses the YAML file into these types. Durations are whole milliseconds.
 */
import type { DetectionPolicy } from '../detection/policy.ts';
import type { ProbePolicy } from './probe-policy.ts';

/** How traffic moves when a site fails. Later issues add the other strategies. */
export type Strategy = 'failover';

export interface SitePolicy {
  /** Name of the site within its service, e.g. `us-east-1`. */
  readonly site: string;
  /** AWS region (or any label) where the site runs; the control region of this name acts first. */
  readonly region: string;
  /** What the service name resolves to while this site is active (IPv4, IPv6 or host name). */
  readonly address: string;
  /** URL that answers 2xx while the site serves: what a run verifies; null = by heartbeats. */
  readonly probeUrl: string | null;
  /** What each region asks the site all the time, beside its heartbeats; may be empty. */
  readonly probes: readonly ProbePolicy[];
  /** SHA-256 (hex) of each accepted heartbeat token; more than one while a token is rotated. */
  readonly tokenHashes: readonly string[];
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

/** When a job must be heard. Instants of an expression are found by `lib/config/cron.ts`. */
export type SchedulePolicy =
  | {
      readonly kind: 'cron';
      /** Five fields or a nickname such as `@daily`. */
      readonly cron: string;
      /** IANA name, e.g. `Europe/Berlin`. */
      readonly timezone: string;
      readonly graceMs: number;
      readonly runMsMax: number | null;
    }
  | {
      readonly kind: 'every';
      /** Longest time from one success to the next. */
      readonly everyMs: number;
      /** How late a run may end before it counts as missed. */
      readonly graceMs: number;
      /** A run that is open longer has failed; null = only a missing success tells. */
      readonly runMsMax: number | null;
    };

export interface MonitorSitePolicy {
  readonly site: string;
  /** SHA-256 (hex) of each accepted heartbeat token; more than one while a token is rotated. */
  readonly tokenHashes: readonly string[];
  /** null = it beats all the time and is judged by φ. */
  readonly schedule: SchedulePolicy | null;
}

/** Sites that come into being by their first beat. */
export interface ProvisioningPolicy {
  readonly tokenHashes: readonly string[];
  /** Sites that may come into being this way. */
  readonly sitesMax: number;
  readonly schedule: SchedulePolicy | null;
}

/** A service that Tripoint watches and never moves: no DNS, no runs. */
export interface MonitorPolicy {
  /** Its name; services and monitors share one namespace. */
  readonly service: string;
  readonly detection: DetectionPolicy;
  readonly provisioning: ProvisioningPolicy | null;
  readonly sites: readonly MonitorSitePolicy[];
}
