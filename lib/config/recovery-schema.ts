/**
 * The strict schema of what a policy says about recovery: plans, gates, capacity, drills. Used by
 * `schema.ts`; as there, no defaults and no transforms.
 */
import { z } from 'zod';
import type {
  CapacityPolicy,
  DatabasePolicy,
  DrillPolicy,
  NotificationTarget,
  PlanPolicy,
  StepAction,
} from '../recovery/plan.ts';
import type { AlarmPolicy, ReplicationPolicy, ReturnPolicy } from '../recovery/policy.ts';
import { CONFIG_LIMITS } from './limits.ts';

const NAME = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes');
export const STEP_NAME_PATTERN: RegExp = /^[a-z][a-z0-9-]{0,39}$/;
export const SECRET_NAME_PATTERN: RegExp = /^[A-Z][A-Z0-9_]{0,63}$/;

/** An http or https URL that holds no credentials: those are named by a variable, and sign. */
export function isHttpUrl(text: string): boolean {
  const url = text.length <= CONFIG_LIMITS.probeUrlCharactersMax ? URL.parse(text) : null;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  return isHttp && url?.username === '' && url.password === '';
}

/** A day of the calendar, `2026-12-24`. */
export function isDay(text: string): boolean {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  return day !== null && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

const STEP_NAME = z.string().regex(STEP_NAME_PATTERN, 'lower-case letters, digits, dashes');
const RESOURCE = z.string().min(1).max(CONFIG_LIMITS.resourceCharactersMax);
const SENTENCE = z.string().min(1).max(CONFIG_LIMITS.sentenceCharactersMax);
const SECRET_NAME = z.string().regex(SECRET_NAME_PATTERN, 'the name of an environment variable');
const PERCENT = z.int().min(0).max(100);
const DURATION_MS = z.int().min(0).max(CONFIG_LIMITS.stepMsMax);
const HTTP_URL = z.string().refine(isHttpUrl, 'an http or https URL without credentials');

const siteReference = z.union([z.enum(['target', 'source']), z.strictObject({ site: NAME })]);
const tableReference = z.strictObject({ region: NAME, table: RESOURCE });

export const notificationTargetSchema: z.ZodType<NotificationTarget> = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('sns'),
      topicArn: z
        .string()
        .regex(/^arn:[\w-]+:sns:/)
        .max(CONFIG_LIMITS.resourceCharactersMax),
    }),
    z.strictObject({
      kind: z.literal('webhook'),
      url: HTTP_URL,
      secretName: SECRET_NAME.nullable(),
    }),
  ],
);

const stepAction: z.ZodType<StepAction> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fence') }),
  z.strictObject({ kind: z.literal('switch') }),
  z.strictObject({ kind: z.literal('weights'), targetPercent: PERCENT }),
  z.strictObject({ kind: z.literal('routing') }),
  z.strictObject({ kind: z.literal('propagate') }),
  z.strictObject({ kind: z.literal('verify') }),
  z.strictObject({
    kind: z.literal('scale'),
    site: siteReference,
    to: z.enum(['serving', 'standby']),
  }),
  z.strictObject({ kind: z.literal('database') }),
  z.strictObject({
    kind: z.literal('lambda'),
    region: NAME,
    functionName: RESOURCE,
    payload: z.record(
      z.string().max(CONFIG_LIMITS.payloadKeyCharactersMax),
      z.string().max(CONFIG_LIMITS.payloadCharactersMax),
    ),
  }),
  z.strictObject({ kind: z.literal('webhook'), url: HTTP_URL, secretName: SECRET_NAME.nullable() }),
  z.strictObject({ kind: z.literal('wait-healthy'), site: siteReference, forMs: DURATION_MS }),
  z.strictObject({ kind: z.literal('wait-replication'), lagMsMax: DURATION_MS }),
  z.strictObject({ kind: z.literal('approve'), sentence: SENTENCE }),
  z.strictObject({ kind: z.literal('hold'), forMs: DURATION_MS }),
  z.strictObject({ kind: z.literal('snapshot'), source: tableReference }),
  z.strictObject({ kind: z.literal('restore'), source: tableReference, into: tableReference }),
  z.strictObject({
    kind: z.literal('notify'),
    target: notificationTargetSchema,
    sentence: SENTENCE,
  }),
  z.strictObject({ kind: z.literal('child-plan'), service: NAME }),
  z.strictObject({ kind: z.literal('report') }),
]);

export const planSchema: z.ZodType<PlanPolicy> = z.strictObject({
  stages: z
    .array(
      z
        .array(
          z.strictObject({
            name: STEP_NAME,
            action: stepAction,
            essential: z.boolean(),
            timeoutMs: DURATION_MS,
            attemptsMax: z.int().min(1).max(CONFIG_LIMITS.stepAttemptsMax),
            mode: z.enum(['graceful', 'emergency', 'both']),
            when: z.enum(['source-alive', 'source-failed', 'target-healthy']).nullable(),
            undo: stepAction.nullable(),
          }),
        )
        .min(1)
        .max(CONFIG_LIMITS.stepsPerStageMax),
    )
    .min(1)
    .max(CONFIG_LIMITS.stagesMax),
  onFailure: z.enum(['stop', 'undo']),
});

export const capacitySchema: z.ZodType<CapacityPolicy> = z.strictObject({
  resource: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('auto-scaling-group'), region: NAME, group: RESOURCE }),
    z.strictObject({
      kind: z.literal('ecs-service'),
      region: NAME,
      cluster: RESOURCE,
      service: RESOURCE,
    }),
    z.strictObject({
      kind: z.literal('lambda-concurrency'),
      region: NAME,
      functionName: RESOURCE,
      qualifier: RESOURCE,
    }),
    z.strictObject({ kind: z.literal('hook'), url: HTTP_URL }),
  ]),
  serving: z.int().min(1).max(CONFIG_LIMITS.capacityMax),
  standby: z.int().min(0).max(CONFIG_LIMITS.capacityMax),
});

export const databaseSchema: z.ZodType<DatabasePolicy> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('aurora-global'),
    globalCluster: RESOURCE,
    members: z.record(NAME, z.strictObject({ region: NAME, cluster: RESOURCE })),
  }),
  z.strictObject({
    kind: z.literal('rds-replica'),
    members: z.record(NAME, z.strictObject({ region: NAME, instance: RESOURCE })),
  }),
]);

export const replicationSchema: z.ZodType<ReplicationPolicy> = z.strictObject({
  lagMsMax: DURATION_MS.nullable(),
  overLimit: z.enum(['block', 'wait', 'accept']),
  unknownLag: z.enum(['block', 'accept']),
  metric: z
    .strictObject({
      region: NAME,
      namespace: RESOURCE,
      name: RESOURCE,
      dimensions: z.record(RESOURCE, RESOURCE),
      unit: z.enum(['milliseconds', 'seconds']),
    })
    .nullable(),
});

const ALARM_NAMES = z
  .array(z.string().min(1).max(CONFIG_LIMITS.alarmNameCharactersMax))
  .max(CONFIG_LIMITS.alarmNamesMax);

export const alarmPolicySchema: z.ZodType<AlarmPolicy> = z.strictObject({
  missingData: z.enum(['ignore', 'last-known', 'alarm']),
  triggering: ALARM_NAMES,
});

export const returnSchema: z.ZodType<ReturnPolicy> = z.strictObject({
  percents: z.array(z.int().min(1).max(100)).min(1).max(CONFIG_LIMITS.returnPercentsMax),
  holdMs: DURATION_MS,
});

export const drillSchema: z.ZodType<DrillPolicy> = z.strictObject({
  schedule: z
    .strictObject({
      kind: z.literal('cron'),
      cron: z.string().min(1).max(100),
      timezone: z.string().min(1).max(64),
      graceMs: DURATION_MS,
      runMsMax: DURATION_MS.nullable(),
    })
    .nullable(),
  to: NAME,
  durationMs: DURATION_MS,
  blockingAlarms: ALARM_NAMES,
  blockedDates: z
    .array(z.string().refine(isDay, 'a day such as 2026-12-24'))
    .max(CONFIG_LIMITS.blockedDatesMax),
});
