/**
 * The bodies of log entries: everything that can ever happen to the state of the control plane.
 *
 * Only changes enter the log. `at` is the proposer's wall clock: people read it and hold-downs use
 * it; it orders nothing. The reducer is `lib/control/machine.ts`.
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
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
