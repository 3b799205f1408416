/**
 * The strict schema of normalised monitors: what `PUT /v1/config` takes and the Raft log holds.
 * As in `schema.ts`: no defaults, no transforms, every value in its final unit.
 */
import { z } from 'zod';
import type { MonitorPolicy, SchedulePolicy, ServicePolicy } from '../recovery/policy.ts';
import { checkCron, isTimezone } from './cron.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { checkMonitors, type MonitorDraft } from './monitor-relations.ts';
import type { Path } from './problem.ts';
import { detectionPolicySchema, milliseconds, nameSchema, tokenHashesSchema } from './schema.ts';

const cronSchema = z.string().superRefine((expression, context) => {
  const checked = checkCron(expression);
  if (checked.kind === 'invalid') {
    context.addIssue({ code: 'custom', message: `${checked.message}; ${checked.fix}` });
  }
});

const bounds = {
  graceMs: milliseconds(CONFIG_LIMITS.graceMsMin, CONFIG_LIMITS.graceMsMax),
  runMsMax: milliseconds(CONFIG_LIMITS.runMsMin, CONFIG_LIMITS.runMsMax).nullable(),
};

const scheduleSchema: z.ZodType<SchedulePolicy> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('cron'),
    cron: cronSchema,
    timezone: z.string().refine(isTimezone, 'is no time zone; write an IANA name'),
    ...bounds,
  }),
  z.strictObject({
    kind: z.literal('every'),
    everyMs: milliseconds(CONFIG_LIMITS.everyMsMin, CONFIG_LIMITS.everyMsMax),
    ...bounds,
  }),
]);

const monitorSchema = z.strictObject({
  service: nameSchema,
  detection: detectionPolicySchema,
  provisioning: z
    .strictObject({
      tokenHashes: tokenHashesSchema,
      sitesMax: z
        .int()
        .min(CONFIG_LIMITS.provisionedSitesMin)
        .max(CONFIG_LIMITS.provisionedSitesMax),
      schedule: scheduleSchema.nullable(),
    })
    .nullable(),
  sites: z.array(
    z.strictObject({
      site: nameSchema,
      tokenHashes: tokenHashesSchema,
      schedule: scheduleSchema.nullable(),
    }),
  ),
});

/** Shapes and ranges only; `monitorIssues` has the rules between values. */
export const monitorsSchema: z.ZodType<readonly MonitorPolicy[]> = z.array(monitorSchema);

/** Every rule that monitors break among themselves and against the services. */
export function monitorIssues(
  policies: readonly ServicePolicy[],
  monitors: readonly MonitorPolicy[],
): readonly { readonly path: Path; readonly message: string }[] {
  const tokens = policies.flatMap(({ sites }) => sites.flatMap(({ tokenHashes }) => tokenHashes));
  const taken = { services: policies.map(({ service }) => service), tokens: new Set(tokens) };
  return checkMonitors(monitors.map(draftOf), taken).map(({ monitor, policy, message, fix }) => ({
    path: monitor === null ? [] : [monitor, ...policy],
    message: `${message}; ${fix}`,
  }));
}

function draftOf({ service, detection, sites, provisioning }: MonitorPolicy): MonitorDraft {
  return {
    service,
    ...detection,
    sites: sites.map(({ site, tokenHashes }) => ({ site, tokens: tokenHashes })),
    provisioning:
      provisioning === null
        ? undefined
        : { sitesMax: provisioning.sitesMax, tokens: provisioning.tokenHashes },
  };
}
