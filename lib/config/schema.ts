/**
 * The strict schema of normalised policies: what `PUT /v1/config` takes and the Raft log holds.
 *
 * It has no defaults and no transforms: a program writes it, every value is there and in its final
 * unit. People write the file instead (`file-schema.ts`), which is parsed into this.
 */
import { z } from 'zod';
import type { DetectionPolicy } from '../detection/policy.ts';
import type { PlanPolicy } from '../recovery/plan.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import { isDnsName } from '../recovery/record-set.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { checkFleet } from './plan-relations.ts';
import { probePolicySchema } from './probe-schema.ts';
import type { PlanDraft, RecoveryDraft } from './recovery-relations.ts';
import {
  alarmPolicySchema,
  capacitySchema,
  databaseSchema,
  drillSchema,
  notificationTargetSchema,
  planSchema,
  replicationSchema,
  returnSchema,
} from './recovery-schema.ts';
import { checkRelations, FIELD_PATHS, type Finding, type ServiceDraft } from './relations.ts';

/** Names of services, sites and regions. The colon, `@` and `/` stay free for joined names. */
export const NAME_PATTERN: RegExp = /^[a-z][a-z0-9-]{0,62}$/;
export const TOKEN_HASH_PATTERN: RegExp = /^[0-9a-f]{64}$/;

/** Two labels or more, no trailing dot, and no IPv4 address. */
const NAME_ENDING = /\.[a-z0-9_-]*[a-z_-][a-z0-9_-]*$/;

/** A service name that leaves room for its fence: absolute, lower case, two labels or more. */
export function isServiceDnsName(name: string): boolean {
  return (
    name.length <= CONFIG_LIMITS.dnsNameCharactersMax &&
    name === name.toLowerCase() &&
    NAME_ENDING.test(name) &&
    isDnsName(name)
  );
}

/** An http or https URL without credentials and fragment. */
export function isProbeUrl(text: string): boolean {
  const url = text.length <= CONFIG_LIMITS.probeUrlCharactersMax ? URL.parse(text) : null;
  return (
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    !text.includes('#')
  );
}

export const nameSchema: z.ZodString = z
  .string()
  .regex(NAME_PATTERN, 'lower-case letters, digits and dashes, from a letter');

export function milliseconds(min: number, max: number): z.ZodInt {
  return z.int().min(min).max(max);
}

export const tokenHashesSchema: z.ZodType<readonly string[]> = z
  .array(z.string().regex(TOKEN_HASH_PATTERN, 'SHA-256 as 64 lower-case hex digits'))
  .min(CONFIG_LIMITS.tokensMin)
  .max(CONFIG_LIMITS.tokensMax);

const sitePolicySchema = z.strictObject({
  site: nameSchema,
  region: nameSchema,
  address: z.string().min(1).max(253),
  probeUrl: z
    .string()
    .refine(isProbeUrl, 'an http or https URL without credentials or fragment')
    .nullable(),
  /** One more than a file may list: `probe` is the first of them. */
  probes: z.array(probePolicySchema).max(CONFIG_LIMITS.probesMax + 1),
  tokenHashes: tokenHashesSchema,
  capacity: capacitySchema.nullable(),
  weight: z.int().min(0).max(100),
});

export const detectionPolicySchema: z.ZodType<DetectionPolicy> = z.strictObject({
  intervalMs: milliseconds(CONFIG_LIMITS.intervalMsMin, CONFIG_LIMITS.intervalMsMax),
  suspectPhi: z.number().min(CONFIG_LIMITS.phiMin).max(CONFIG_LIMITS.phiMax),
  failPhi: z.number().min(CONFIG_LIMITS.phiMin).max(CONFIG_LIMITS.phiMax),
  silenceMsMax: milliseconds(CONFIG_LIMITS.silenceMsMin, CONFIG_LIMITS.silenceMsMax),
});

const shape = z.strictObject({
  service: nameSchema,
  dnsName: z
    .string()
    .refine(isServiceDnsName, 'an absolute DNS name in lower case, without a trailing dot'),
  recordType: z.enum(['A', 'AAAA', 'CNAME']),
  ttlSeconds: z.int().min(CONFIG_LIMITS.ttlSecondsMin).max(CONFIG_LIMITS.ttlSecondsMax),
  dataPlaneName: z
    .string()
    .refine(isServiceDnsName, 'an absolute DNS name in lower case, without a trailing dot')
    .optional(),
  strategy: z.enum(['failover', 'warm-standby', 'pilot-light', 'active-active']),
  automatic: z.boolean(),
  primary: nameSchema,
  objectives: z.strictObject({
    rtoMs: milliseconds(CONFIG_LIMITS.rtoMsMin, CONFIG_LIMITS.rtoMsMax),
    rpoMs: milliseconds(CONFIG_LIMITS.rpoMsMin, CONFIG_LIMITS.rpoMsMax),
  }),
  detection: detectionPolicySchema,
  safety: z.strictObject({
    holdDownMs: milliseconds(CONFIG_LIMITS.holdDownMsMin, CONFIG_LIMITS.holdDownMsMax),
    automaticRunsPerDayMax: z
      .int()
      .min(CONFIG_LIMITS.automaticRunsPerDayMin)
      .max(CONFIG_LIMITS.automaticRunsPerDayMax),
    acknowledgement: z.boolean(),
    approval: z.enum(['none', 'manual', 'all']),
  }),
  fencing: z.enum(['none', 'lease']),
  replication: replicationSchema,
  alarms: alarmPolicySchema,
  returning: returnSchema,
  database: databaseSchema.nullable(),
  notify: z.array(notificationTargetSchema).max(CONFIG_LIMITS.notificationTargetsMax),
  plans: z.strictObject({ failover: planSchema.nullable(), failback: planSchema.nullable() }),
  drill: drillSchema.nullable(),
  /** Counted by `checkRelations`; the bounds here are for readers of the schema. */
  sites: z
    .array(sitePolicySchema)
    .meta({ minItems: CONFIG_LIMITS.sitesMin, maxItems: CONFIG_LIMITS.sitesMax }),
});

/** One policy with the rules within it. Rules between services need `policiesSchema`. */
export const policySchema: z.ZodType<ServicePolicy> = shape.superRefine((policy, context) => {
  for (const finding of checkRelations([draftOf(policy)])) {
    context.addIssue({ code: 'custom', path: pathWithin(finding), message: textOf(finding) });
  }
  // Whether the service of a child plan exists, only all policies together can say.
  const alone = checkFleet([recoveryDraftOf(policy)]).filter(({ fleet }) => !fleet);
  for (const finding of alone) {
    context.addIssue({ code: 'custom', path: [...finding.policy], message: textOf(finding) });
  }
});

/** All policies of a cluster with every rule: within services and between them. */
export const policiesSchema: z.ZodType<readonly ServicePolicy[]> = z
  .array(shape)
  .meta({ minItems: CONFIG_LIMITS.servicesMin, maxItems: CONFIG_LIMITS.servicesMax })
  .superRefine((policies, context) => {
    for (const finding of checkRelations(policies.map(draftOf))) {
      const path = [...(finding.service === null ? [] : [finding.service]), ...pathWithin(finding)];
      context.addIssue({ code: 'custom', path, message: textOf(finding) });
    }
    for (const finding of checkFleet(policies.map(recoveryDraftOf))) {
      const path = [finding.service, ...finding.policy];
      context.addIssue({ code: 'custom', path, message: textOf(finding) });
    }
  });

function draftOf(policy: ServicePolicy): ServiceDraft {
  const { service, dnsName, recordType, primary, detection, sites } = policy;
  return { service, dnsName, recordType, primary, ...detection, sites };
}

function pathWithin({ service, field, site }: Finding): (string | number)[] {
  if (service === null) {
    return [];
  }
  const own = [...FIELD_PATHS[field].policy];
  return site === null ? own : [...own, site.position, site.key];
}

function recoveryDraftOf(policy: ServicePolicy): RecoveryDraft {
  const { service, strategy, primary, fencing, returning, database, drill, plans, sites } = policy;
  const placed = (plan: PlanPolicy | null): PlanDraft | null =>
    plan === null ? null : { plan, places: [] };
  return {
    ...{ service, strategy, primary, fencing, returning, drill, sites },
    members: database === null ? null : Object.keys(database.members),
    failover: placed(plans.failover),
    failback: placed(plans.failback),
  };
}

function textOf({ message, fix }: Pick<Finding, 'message' | 'fix'>): string {
  return `${message}; ${fix}`;
}
