/**
 * Plans: what a run will do, in order, as the owner of a service wrote it down or as its strategy
 * brings it along.
 *
 * A plan is a list of stages; the steps of one stage are worked on together, and the next stage is
 * opened when all of them have ended. Steps name sites by their place in the run (`target`, `source`), so
 * that one plan serves every pair of sites. Nothing here acts: `run.ts` holds what became of a
 * plan, `lib/control/effects.ts` does it.
 *
 * Source: the blocks of AWS ARC Region switch ("Add execution blocks"), less what it cannot do: fences,
 * weights, a data-loss gate, undo.
 */
import type { SchedulePolicy } from './policy.ts';

/** Graceful: everything lives, nothing may be lost. Emergency: what cannot be had is left out. */
export type RunMode = 'graceful' | 'emergency';

/** A site by its place in the run, or by name. */
export type SiteReference = 'target' | 'source' | { readonly site: string };

/** What can be made larger and smaller. Names are literals: nothing is looked up during a run. */
export type ScalableResource =
  | { readonly kind: 'auto-scaling-group'; readonly region: string; readonly group: string }
  | {
      readonly kind: 'ecs-service';
      readonly region: string;
      readonly cluster: string;
      readonly service: string;
    }
  /** Provisioned concurrency of an alias or version. */
  | {
      readonly kind: 'lambda-concurrency';
      readonly region: string;
      readonly functionName: string;
      readonly qualifier: string;
    }
  /** Anything else: `GET` answers `{desired, ready}`, `PUT {desired}` changes it. */
  | { readonly kind: 'hook'; readonly url: string };

/** How much of a site runs. Whole units of the resource: instances, tasks, executions. */
export interface CapacityPolicy {
  readonly resource: ScalableResource;
  /** While it serves all of the traffic. */
  readonly serving: number;
  /** While it stands by; 0 = a pilot light. */
  readonly standby: number;
}

/** A database that has one writer. Members by site. */
export type DatabasePolicy =
  | {
      readonly kind: 'aurora-global';
      readonly globalCluster: string;
      /** Region, and ARN of the cluster there. */
      readonly members: { readonly [site: string]: { region: string; cluster: string } };
    }
  | {
      readonly kind: 'rds-replica';
      /** Region, and identifier of the instance there. */
      readonly members: { readonly [site: string]: { region: string; instance: string } };
    };

/** Somebody or something to tell. */
export type NotificationTarget =
  | { readonly kind: 'sns'; readonly topicArn: string }
  /** A JSON body by POST: chat systems and pagers. `secretName` names an environment variable. */
  | { readonly kind: 'webhook'; readonly url: string; readonly secretName: string | null };

/** A DynamoDB table to copy, or to make from a copy. */
export interface TableReference {
  readonly region: string;
  readonly table: string;
}

/** What one step does. */
export type StepAction =
  /** Takes the authority from the source; done when its lease must have lapsed. */
  | { readonly kind: 'fence' }
  /** Makes the name resolve to what the run wants in the end. */
  | { readonly kind: 'switch' }
  /** Gives the target this share of the traffic, 0 to 100 per cent; the others share the rest as before. */
  | { readonly kind: 'weights'; readonly targetPercent: number }
  /** Waits until the data plane (path A) gives the traffic to the target. */
  | { readonly kind: 'routing' }
  /** Waits until the name's own servers answer with it. */
  | { readonly kind: 'propagate' }
  /** Asks the target as a client would. */
  | { readonly kind: 'verify' }
  | { readonly kind: 'scale'; readonly site: SiteReference; readonly to: 'serving' | 'standby' }
  | { readonly kind: 'database' }
  | {
      readonly kind: 'lambda';
      readonly region: string;
      readonly functionName: string;
      /** Given to the function beside `{run, step, service, from, to, epoch, mode}`. */
      readonly payload: { readonly [key: string]: string };
    }
  | {
      readonly kind: 'webhook';
      readonly url: string;
      /** Environment variable that holds the key of the signature; null = unsigned. */
      readonly secretName: string | null;
    }
  /** Until the site has been healthy by the quorum for so long. */
  | { readonly kind: 'wait-healthy'; readonly site: SiteReference; readonly forMs: number }
  /** Until the target has all but this much of the data. */
  | { readonly kind: 'wait-replication'; readonly lagMsMax: number }
  /** Until a person says so; never the one who asked for the run. */
  | { readonly kind: 'approve'; readonly sentence: string }
  /** Lets it stand for so long; an alarm or a verdict against the target fails the step. */
  | { readonly kind: 'hold'; readonly forMs: number }
  | { readonly kind: 'snapshot'; readonly source: TableReference }
  /** Makes a new table from the newest copy; never overwrites one. */
  | { readonly kind: 'restore'; readonly source: TableReference; readonly into: TableReference }
  | { readonly kind: 'notify'; readonly target: NotificationTarget; readonly sentence: string }
  /** Starts a failover of another service, and waits for its end. */
  | { readonly kind: 'child-plan'; readonly service: string }
  /** Writes the evidence. Always last; every run has it. */
  | { readonly kind: 'report' };

export type ActionKind = StepAction['kind'];

export type Precondition = 'source-alive' | 'source-failed' | 'target-healthy';

export interface PlannedStep {
  /** Unique within the plan; letters, digits and dashes. */
  readonly name: string;
  readonly action: StepAction;
  /** An essential step that fails ends the run; another one leaves an exception. */
  readonly essential: boolean;
  /** Longest time from when the step is opened until it must have ended, milliseconds. */
  readonly timeoutMs: number;
  /** Claims until the step counts as failed. */
  readonly attemptsMax: number;
  /** In which runs it is done at all. */
  readonly mode: RunMode | 'both';
  /** Looked at when the step is opened; where it does not hold the step is skipped. */
  readonly when: Precondition | null;
  /** What takes it back when a later step fails or a drill ends; null = nothing to take back. */
  readonly undo: StepAction | null;
}

export interface PlanPolicy {
  readonly stages: readonly (readonly PlannedStep[])[];
  /** Whether a run that fails takes back what it did, newest first. */
  readonly onFailure: 'stop' | 'undo';
}

/** What a practice run may do, and when. */
export interface DrillPolicy {
  /** When it comes by itself; null = only when somebody asks. */
  readonly schedule: Extract<SchedulePolicy, { readonly kind: 'cron' }> | null;
  /** Which site takes the traffic. */
  readonly to: string;
  /** How long the traffic stays there before it goes back. */
  readonly durationMs: number;
  /** Alarms (of any site) that keep a drill from starting and end one that runs; `*` = all. */
  readonly blockingAlarms: readonly string[];
  /** Days without drills, UTC, `2026-12-24`. */
  readonly blockedDates: readonly string[];
}
