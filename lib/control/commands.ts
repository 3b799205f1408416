/**
 * The bodies of log entries: everything that can ever happen to the state of the control plane.
 *
 * Only changes enter the log. `at` is the proposer's wall clock: people read it and hold-downs use
 * it; it orders nothing. The reducer is `lib/control/machine.ts`.
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import type { Forecast } from '../detection/forecast.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { MonitorPolicy, ServicePolicy } from '../recovery/policy.ts';
import type { StepName, StepResult } from '../recovery/run.ts';

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
  /** A CloudWatch (or other) alarm about a site changed its state. */
  | (Stamped & {
      readonly kind: 'alarm';
      readonly service: string;
      readonly site: string;
      readonly name: string;
      readonly state: 'alarm' | 'ok' | 'insufficient-data';
    })
  | (Requested & {
      readonly kind: 'failover';
      readonly service: string;
      /** Target site; null = the policy chooses. */
      readonly to: string | null;
      /** Also to a site that is not healthy. Written down with the name of who forced it. */
      readonly force: boolean;
    })
  | (Requested & { readonly kind: 'failback'; readonly service: string; readonly force: boolean })
  | (Stamped & {
      readonly kind: 'claim-step';
      readonly run: string;
      readonly step: StepName;
      readonly attempt: number;
      readonly worker: RegionId;
    })
  | (Stamped & {
      readonly kind: 'finish-step';
      readonly run: string;
      readonly step: StepName;
      readonly attempt: number;
      readonly result: StepResult;
    })
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
