/**
 * The ports through which the steps of a run act on the world beside DNS: capacity, databases, functions,
 * webhooks, messages, copies of tables.
 *
 * One law for all of them: look first, change only what is not so yet, say what is seen. A caller that
 * lost an answer, or a worker that takes over from a dead one, calls again and finds the work done. So
 * the outcomes differ only in what is known: it is so (`done`), it is on its way (`pending`: call again
 * later), it will never be so as things are (`refused`), nobody knows (`unknown`: call again and look).
 *
 * The fencing of these effects is the claim of the step in the log, not the port: none of the services
 * behind them takes a number that it would compare. What is not idempotent by nature (a webhook, an
 * invoked function) is given the token of the step and must heed it.
 *
 * Implementations: `lib/aws/actions`. Contract suites: `test/contract/*-port-contract.ts`; memory twins in
 * `test/support/memory-actions.ts`.
 */
import type { JsonValue } from '../base/json.ts';
import type {
  DatabasePolicy,
  NotificationTarget,
  RunMode,
  ScalableResource,
  StepAction,
  TableReference,
} from './plan.ts';

/** Why an action waits. Each is explained in `docs/failure-modes.md`. */
export const ACTION_WAITS = [
  'capacity-growing',
  'database-moving',
  'receiver-pending',
  'copy-under-way',
  'restore-under-way',
  'throttled',
] as const;

/** Why an action will not be done as things are. Each is explained in `docs/failure-modes.md`. */
export const ACTION_REFUSALS = [
  /** More than the resource may ever have; the fix is in `detail`. */
  'capacity-over-max',
  'capacity-under-min',
  'resource-absent',
  'not-permitted',
  'request-refused',
  'answer-malformed',
  'not-a-member',
  'database-cannot-move',
  'function-error',
  'receiver-refused',
  'secret-not-set',
  'copy-absent',
  'copy-damaged',
  'copy-too-large',
  'table-has-items',
  'table-not-same',
] as const;

export type ActionWait = (typeof ACTION_WAITS)[number];
export type ActionRefusal = (typeof ACTION_REFUSALS)[number];

/** It will not be so, however often it is asked for, until a person changes something. */
export interface ActionRefused {
  readonly kind: 'refused';
  readonly code: ActionRefusal;
  /** What happened and what to do about it. */
  readonly detail: string;
}

/** The answer was lost, or made no sense yet. Look before anything else. */
export interface ActionUnknown {
  readonly kind: 'unknown';
  readonly cause: string;
}

export type ActionOutcome =
  | { readonly kind: 'done'; readonly evidence: JsonValue }
  /** Asked for and not there yet. Nothing is wrong: the same call later sees how far it is. */
  | { readonly kind: 'pending'; readonly code: ActionWait; readonly evidence: JsonValue }
  | ActionRefused
  | ActionUnknown;

/** `run/step`: the same for every attempt at one step, different for every other step. */
export type ActionToken = string;

/** What an outside function is told of the step that calls it. */
export interface ActionContext {
  readonly run: string;
  readonly step: string;
  readonly service: string;
  readonly from: string;
  readonly to: string;
  /** Fencing number of the step: a receiver that has seen a higher one must not act. */
  readonly epoch: { readonly term: number; readonly index: number };
  readonly mode: RunMode;
}

export function actionToken({ run, step }: Pick<ActionContext, 'run' | 'step'>): ActionToken {
  return `${run}/${step}`;
}

/** Whole units of the resource: instances, tasks, executions. */
export interface Capacity {
  readonly desired: number;
  /** Running and healthy by the resource's own account. */
  readonly ready: number;
  /** The most that it may ever be set to; null = not known here. */
  readonly max: number | null;
}

export type CapacityReading =
  | { readonly kind: 'read'; readonly capacity: Capacity }
  | ActionRefused
  | ActionUnknown;

export interface ScaleRequest {
  readonly resource: ScalableResource;
  /** 0 or more. */
  readonly desired: number;
  /**
   * True only for a site that is to stand by: it may become smaller, and what was raised for its growth
   * (the floor under a scaling policy) is put back. False: what is larger already stays as it is.
   */
  readonly mayLower: boolean;
  readonly token: ActionToken;
}

export interface ScalePort {
  readonly read: (resource: ScalableResource) => Promise<CapacityReading>;
  /** Done when it is set so and at least `desired` units are ready. What is taken away is not waited for. */
  readonly set: (request: ScaleRequest) => Promise<ActionOutcome>;
}

export interface DatabaseMember {
  readonly isWriter: boolean;
  /** In the words of the database service, e.g. `available`. */
  readonly status: string;
}

export type DatabaseReading =
  | { readonly kind: 'read'; readonly members: { readonly [site: string]: DatabaseMember } }
  | ActionRefused
  | ActionUnknown;

export interface Promotion {
  /** Site that shall have the writer. */
  readonly to: string;
  /** Graceful loses nothing and needs the writer of before; emergency accepts loss. */
  readonly mode: RunMode;
  readonly token: ActionToken;
}

export interface DatabasePort {
  /** Members that cannot be read are left out. */
  readonly read: (database: DatabasePolicy) => Promise<DatabaseReading>;
  /** Done when the member of `to` is the writer and available. */
  readonly promote: (database: DatabasePolicy, promotion: Promotion) => Promise<ActionOutcome>;
}

export type LambdaAction = Extract<StepAction, { readonly kind: 'lambda' }>;
export type WebhookAction = Extract<StepAction, { readonly kind: 'webhook' }>;

export interface InvokePort {
  /** Calls the function and waits for its answer; `{status: "pending"}` is asked again later. */
  readonly lambda: (action: LambdaAction, context: ActionContext) => Promise<ActionOutcome>;
  /** Posts JSON, signed where a secret is named. 202 pending, other 2xx done, 409 refused, else unknown. */
  readonly webhook: (action: WebhookAction, context: ActionContext) => Promise<ActionOutcome>;
}

export interface Notice {
  /** One line, for a subject or a title. */
  readonly subject: string;
  readonly sentence: string;
  /** What a machine may want to know. */
  readonly details: { readonly [key: string]: JsonValue | undefined };
}

export interface NotifyPort {
  /** At least once: a lost answer may lead to a second notice with the same token. */
  readonly notify: (
    target: NotificationTarget,
    notice: Notice,
    token: ActionToken,
  ) => Promise<ActionOutcome>;
}

export interface TablePort {
  /** Copies all items into the snapshot store, some at each call until it is done. */
  readonly snapshot: (source: TableReference, token: ActionToken) => Promise<ActionOutcome>;
  /** Makes `into` from the newest complete copy of `source`, some at each call; never over items. */
  readonly restore: (
    source: TableReference,
    into: TableReference,
    token: ActionToken,
  ) => Promise<ActionOutcome>;
}

export interface ActionPorts {
  readonly scale: ScalePort;
  readonly database: DatabasePort;
  readonly invoke: InvokePort;
  readonly notify: NotifyPort;
  readonly tables: TablePort;
}
