/**
 * The bodies of log entries: everything that can ever happen to the state of the control plane.
 *
 * Only changes enter the log. `at` is the proposer's wall clock: people read it and hold-downs use
 * it; it orders nothing. The reducer is `lib/control/machine.ts`.
 */
import type { EpochMillis, LogIndex, RegionId } from '../base/identifiers.ts';
import type { Forecast } from '../detection/forecast.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { OverrideRule } from '../recovery/overrides.ts';
import type { RunMode } from '../recovery/plan.ts';
import type { MonitorPolicy, ServicePolicy } from '../recovery/policy.ts';
import type { Finding } from '../recovery/readiness.ts';
import type { LagReading, LagSource } from '../recovery/replication.ts';
import type { StepResult } from '../recovery/run.ts';

interface Stamped {
  readonly at: EpochMillis;
}

interface Requested extends Stamped {
  /** Who asked: a person or a program, at most 100 characters. */
  readonly by: string;
  /** Why, at most 500 characters. */
  readonly reason: string;
}

export type ControlCommand =
  /** Replaces all policies. Services that are gone are forgotten, new ones begin at their primary. */
  | (Requested & {
      readonly kind: 'configure';
      readonly configHash: string;
      readonly policies: readonly ServicePolicy[];
      /** Absent in logs that were written before there were monitors. */
      readonly monitors?: readonly MonitorPolicy[];
    })
  /** A site of a monitor was heard for the first time, with a token that lets it come into being. */
  | (Stamped & {
      readonly kind: 'provision-site';
      readonly service: string;
      readonly site: string;
    })
  /** An observer changed its mind about a site. */
  | (Stamped & {
      readonly kind: 'verdict';
      readonly observer: RegionId;
      readonly service: string;
      readonly site: string;
      readonly verdict: Verdict;
      /** As the site last reported it to this observer; null = never. */
      readonly replicationLagMs: number | null;
    })
  /** An observer sees a sign of a failure to come, or sees it no more. Told, never acted on. */
  | (Stamped & {
      readonly kind: 'warning';
      readonly observer: RegionId;
      readonly service: string;
      readonly site: string;
      readonly warning: Forecast;
    })
  /** How far a site's data lags changed enough to matter. Measured by the site, or by its cloud. */
  | (Stamped &
      Pick<LagReading, 'lagMs' | 'writes' | 'measuredAt' | 'risingMsPerMinute'> & {
        readonly kind: 'lag';
        readonly observer: RegionId;
        readonly service: string;
        readonly site: string;
        readonly source: LagSource;
      })
  /** A CloudWatch (or other) alarm about a site changed its state. */
  | (Stamped & {
      readonly kind: 'alarm';
      readonly service: string;
      readonly site: string;
      readonly name: string;
      readonly state: 'alarm' | 'ok' | 'insufficient-data';
      /** When it changed by the clock of its monitor, which orders its messages. Absent where it has none. */
      readonly changedAt?: EpochMillis;
    })
  | (Requested & {
      readonly kind: 'failover';
      readonly service: string;
      /** Target site; null = the policy chooses. */
      readonly to: string | null;
      /** Also to a site that is not healthy. Written down with the name of who forced it. */
      readonly force: boolean;
      /** null = emergency where the active site failed, else graceful. Absent in older logs. */
      readonly mode?: RunMode | null;
      /** Whether the one who asks accepts the loss that the data-loss gate tells of. */
      readonly acceptLoss?: boolean;
    })
  | (Requested & {
      readonly kind: 'failback';
      readonly service: string;
      readonly force: boolean;
      readonly mode?: RunMode | null;
      readonly acceptLoss?: boolean;
      /** All of the traffic in one step, whatever the policy's steps are. */
      readonly atOnce?: boolean;
    })
  /** Shares of the traffic of an active-active service, whole per cent, sum 100. */
  | (Requested & {
      readonly kind: 'set-weights';
      readonly service: string;
      readonly weights: { readonly [site: string]: number };
    })
  /** A person has seen the last automatic run; the next one may follow. */
  | (Requested & { readonly kind: 'acknowledge'; readonly service: string })
  /** Nothing moves by itself for so long; `service: null` = of all services. */
  | (Requested & {
      readonly kind: 'freeze';
      readonly service: string | null;
      readonly durationMs: number;
    })
  | (Requested & { readonly kind: 'unfreeze'; readonly service: string | null })
  /** Sets one safety rule of a service aside for so long. */
  | (Requested & {
      readonly kind: 'override';
      readonly service: string;
      readonly rule: OverrideRule;
      readonly durationMs: number;
    })
  | (Requested & {
      readonly kind: 'override-end';
      readonly service: string;
      readonly rule: OverrideRule;
    })
  /** A practice run: the traffic goes to a site, stays for a while and comes back. */
  | (Requested & {
      readonly kind: 'drill';
      readonly service: string;
      /** null = the site of the policy, or the first that is ready. */
      readonly to: string | null;
      /** null = as long as the policy says. */
      readonly durationMs: number | null;
      /** Whether the calendar asked, and no person. */
      readonly scheduled: boolean;
      /** The instant of the calendar that asks; absent when a person does. */
      readonly occurrence?: EpochMillis;
    })
  | (Requested & {
      readonly kind: 'drill-end';
      readonly service: string;
      /** Also to a home that is not healthy. Absent in older logs = no. */
      readonly force?: boolean;
    })
  /** Asks whoever leads for a look at the plans of a service now. */
  | (Requested & { readonly kind: 'check-plans'; readonly service: string })
  /** What the look at the plans of a service found; only changes are proposed. */
  | (Requested & {
      readonly kind: 'readiness';
      readonly service: string;
      readonly findings: readonly Finding[];
    })
  | (Stamped & {
      readonly kind: 'claim-step';
      readonly run: string;
      readonly step: string;
      readonly attempt: number;
      readonly worker: RegionId;
    })
  | (Stamped & {
      readonly kind: 'finish-step';
      readonly run: string;
      readonly step: string;
      readonly attempt: number;
      readonly result: StepResult;
    })
  /** A second person lets an `approve` step pass, or ends the run. */
  | (Requested & {
      readonly kind: 'approve';
      readonly run: string;
      readonly step: string;
      readonly verdict: 'approve' | 'reject';
    })
  /** Ends an open run, and takes back what it did. */
  | (Requested & { readonly kind: 'cancel-run'; readonly run: string })
  /** No automatic run of this service, or away from or to this site, for so long. */
  | (Requested & {
      readonly kind: 'maintenance-start';
      readonly service: string;
      /** null = the whole service. */
      readonly site: string | null;
      /** A length, not an end: the same request sent again through another region is the same. */
      readonly durationMs: number;
    })
  | (Requested & {
      readonly kind: 'maintenance-end';
      readonly service: string;
      readonly site: string | null;
    })
  /** People were told of everything up to this entry, or it was given up. */
  | (Stamped & {
      readonly kind: 'notified';
      readonly through: LogIndex;
      /** What did not reach somebody. */
      readonly failed: readonly string[];
    })
  /** The time of a `reviewAt` has come. */
  | (Stamped & { readonly kind: 'review'; readonly service: string })
  /** A person's remark on the timeline. */
  | (Requested & { readonly kind: 'note'; readonly service: string });

/** What the reducer answers to the one who proposed the command. Kept for retries of its id. */
export type CommandResult =
  | {
      readonly kind: 'accepted';
      readonly code: string;
      readonly sentence: string;
      readonly run?: string;
    }
  | { readonly kind: 'refused'; readonly code: string; readonly sentence: string };
