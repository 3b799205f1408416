/**
 * What the owner of a service decided: its sites, when to act, and how safe to be.
 *
 * Policies enter the Raft log by a `configure` command, so every region decides by the same text;
 * `lib/config` parses the YAML file into these types. Durations are whole milliseconds.
 */
import type { DetectionPolicy } from '../detection/policy.ts';
import type {
  CapacityPolicy,
  DatabasePolicy,
  DrillPolicy,
  NotificationTarget,
  PlanPolicy,
} from './plan.ts';
import type { ProbePolicy } from './probe-policy.ts';

/**
 * How traffic moves when a site fails:
 * - `failover`: all of it to one other site that is ready to take it (hot standby);
 * - `warm-standby`: the same, after the standby has grown to full size;
 * - `pilot-light`: the same, after the standby's compute was started from nothing;
 * - `active-active`: every site serves its share; one that fails gets none.
 */
export type Strategy = 'failover' | 'warm-standby' | 'pilot-light' | 'active-active';

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
  /** What is scaled before the site takes the traffic; null = it is always as large as it must be. */
  readonly capacity: CapacityPolicy | null;
  /** Share of the traffic while all is well, 0 to 100; only of `active-active`. */
  readonly weight: number;
}

export interface SafetyPolicy {
  /** No automatic run for this long after a run ended. */
  readonly holdDownMs: number;
  /** Automatic runs that may start within any 24 hours. */
  readonly automaticRunsPerDayMax: number;
  /** After an automatic run none follows until a person has acknowledged it. */
  readonly acknowledgement: boolean;
  /** Which runs wait for a second person: none, those that a person asked for, or all. */
  readonly approval: 'none' | 'manual' | 'all';
}

/** How much data a switch may lose, and how that is known. */
export interface ReplicationPolicy {
  /** Lag above which the gate closes; null = there is no gate. */
  readonly lagMsMax: number | null;
  /** What a closed gate does: refuses the run, waits for the lag to fall, or goes on and says what was lost. */
  readonly overLimit: 'block' | 'wait' | 'accept';
  /** Whether a site that reports no lag, or none lately, passes the gate. */
  readonly unknownLag: 'block' | 'accept';
  /** A CloudWatch metric of the lag, beside what heartbeats report; null = heartbeats only. */
  readonly metric: LagMetric | null;
}

/** In seconds or milliseconds, per site: the metric of the replica there. */
export interface LagMetric {
  readonly region: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: { readonly [name: string]: string };
  readonly unit: 'milliseconds' | 'seconds';
}

/** What alarms mean. */
export interface AlarmPolicy {
  /** What an alarm without data counts as: nothing, what it was before, or an alarm. */
  readonly missingData: 'ignore' | 'last-known' | 'alarm';
  /** Alarms of the active site that start a run; `*` = all. Others are only told. */
  readonly triggering: readonly string[];
}

/** How traffic goes back to the primary, or to a site of an active-active service that is well again. */
export interface ReturnPolicy {
  /** Shares of the target, rising to 100: [100] = at once. */
  readonly percents: readonly number[];
  /** How long each share but the last is watched. */
  readonly holdMs: number;
}

export interface ServicePolicy {
  readonly service: string;
  /** The name that clients use, absolute, lower case, no trailing dot. */
  readonly dnsName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  readonly ttlSeconds: number;
  /** A second name, steered by health checks alone (path A); absent = there is none. */
  readonly dataPlaneName?: string | undefined;
  readonly strategy: Strategy;
  /** Whether a failure starts a run without a person. Detection and analysis run either way. */
  readonly automatic: boolean;
  /** The site that should serve when all is well, and the first to do so. */
  readonly primary: string;
  /** Objectives that each run's actual RTO and RPO are held against. */
  readonly objectives: { readonly rtoMs: number; readonly rpoMs: number };
  readonly detection: DetectionPolicy;
  readonly safety: SafetyPolicy;
  /**
   * Whether a site is given the traffic only when the one before must have given up its role. Costs
   * up to a lease of RTO where that one does not answer.
   */
  readonly fencing: 'none' | 'lease';
  readonly replication: ReplicationPolicy;
  readonly alarms: AlarmPolicy;
  readonly returning: ReturnPolicy;
  /** The database that is promoted with the site; null = none. */
  readonly database: DatabasePolicy | null;
  /** Who is told of runs, refusals and overrides that end. */
  readonly notify: readonly NotificationTarget[];
  /** The owner's own plans; null = that of the strategy. */
  readonly plans: { readonly failover: PlanPolicy | null; readonly failback: PlanPolicy | null };
  /** null = no practice runs by themselves. */
  readonly drill: DrillPolicy | null;
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
