/**
 * Which resources the plans of `tripoint.yaml` act on, so that the controller gets rights on exactly these.
 *
 * The same fields of the same file, read by the same functions that make the policies: a resource that
 * is added to a plan is added to the permissions by the next deployment, and one that is taken out loses
 * them. Nothing else is looked at, tokens least of all.
 */
import { z } from 'zod';
import { FIELD_SCHEMAS } from '../lib/config/file-schema.ts';
import { capacityOf, databaseOf } from '../lib/config/recovery-file.ts';
import {
  databaseFileSchema,
  notifyField,
  plansFileSchema,
  replicationFileSchema,
} from '../lib/config/recovery-file-schema.ts';
import { notificationTargetOf, planPolicyOf } from '../lib/config/step-file.ts';
import type {
  DatabasePolicy,
  NotificationTarget,
  ScalableResource,
  StepAction,
  TableReference,
} from '../lib/recovery/plan.ts';

export interface ActedResources {
  readonly scalable: readonly ScalableResource[];
  readonly databases: readonly DatabasePolicy[];
  readonly functions: readonly { readonly region: string; readonly functionName: string }[];
  /** ARNs. */
  readonly topics: readonly string[];
  /** Tables that are copied. */
  readonly copied: readonly TableReference[];
  /** Tables that are made from a copy. */
  readonly restored: readonly TableReference[];
  /** Whether some service has its replication lag read from a metric. */
  readonly hasLagMetrics: boolean;
  /** Names of the keys that sign webhooks. */
  readonly secretNames: readonly string[];
}

/** What a service of the file says of what its runs act on. */
export const ACTING_FIELDS = {
  replication: replicationFileSchema.prefault({}),
  database: databaseFileSchema.optional(),
  notify: notifyField,
  plans: plansFileSchema.prefault({}),
} as const;

export const ACTING_SITE_FIELDS = {
  region: z.string().optional(),
  capacity: FIELD_SCHEMAS.capacity.optional(),
} as const;

const actingService = z.object({
  ...ACTING_FIELDS,
  sites: z.record(z.string(), z.object(ACTING_SITE_FIELDS)),
});

type ActingService = z.output<typeof actingService>;

export function actedResourcesOf(services: readonly ActingService[]): ActedResources {
  const actions = services.flatMap(actionsOf);
  const targets = [
    ...services.flatMap(({ notify }) => notify.map(notificationTargetOf)),
    ...actions.flatMap((action) => (action.kind === 'notify' ? [action.target] : [])),
  ];
  return {
    scalable: distinct(services.flatMap(scalableOf)),
    databases: services.flatMap(({ database, sites }) =>
      database === undefined ? [] : [databaseOf(database, sites)],
    ),
    functions: distinct(
      actions.flatMap((action) =>
        action.kind === 'lambda'
          ? [{ region: action.region, functionName: action.functionName }]
          : [],
      ),
    ),
    topics: distinct(targets.flatMap((target) => (target.kind === 'sns' ? [target.topicArn] : []))),
    copied: distinct(
      actions.flatMap((action) => (action.kind === 'snapshot' ? [action.source] : [])),
    ),
    restored: distinct(
      actions.flatMap((action) => (action.kind === 'restore' ? [action.into] : [])),
    ),
    hasLagMetrics: services.some(({ replication }) => replication.metric !== undefined),
    secretNames: distinct(secretsOf(targets, actions)),
  };
}

/** Steps, and what takes them back. */
function actionsOf({ plans }: ActingService): readonly StepAction[] {
  return [plans.failover, plans.failback].flatMap((plan) =>
    plan === undefined
      ? []
      : planPolicyOf(plan)
          .stages.flat()
          .flatMap(({ action, undo }) => (undo === null ? [action] : [action, undo])),
  );
}

function scalableOf({ sites }: ActingService): readonly ScalableResource[] {
  return Object.entries(sites).flatMap(([site, { region = site, capacity }]) =>
    capacity === undefined ? [] : [capacityOf(capacity, region).resource],
  );
}

function secretsOf(
  targets: readonly NotificationTarget[],
  actions: readonly StepAction[],
): readonly string[] {
  const named = [...targets, ...actions].map((from) =>
    from.kind === 'webhook' ? from.secretName : null,
  );
  return named.filter((name) => name !== null);
}

/** In the order in which they were met first. */
function distinct<Value>(values: readonly Value[]): readonly Value[] {
  const byText = new Map(values.map((value) => [JSON.stringify(value), value]));
  return [...byText.values()];
}
