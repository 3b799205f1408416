/**
 * The schema of the configuration file that people write, `tripoint.yaml`.
 *
 * One source for four things: the parser, the JSON Schema for editors, `docs/configuration.md` and
 * the fix that each listed problem proposes. Unknown keys are rejected everywhere: a misspelled
 * `holdDwon` that is silently ignored would show itself in the middle of an incident.
 * Rules between values stand in `relations.ts`, so that they are reported beside these.
 */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import {
  described,
  detectionSchema,
  durationField,
  NAMED,
  numberField,
  tokensField,
} from './file-fields.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { monitorSchema } from './monitor-file-schema.ts';
import { probesField } from './probe-file-schema.ts';
import {
  alarmsFileSchema,
  capacityFileSchema,
  databaseFileSchema,
  drillFileSchema,
  fencingField,
  notifyField,
  PEOPLE_FIELDS,
  plansFileSchema,
  replicationFileSchema,
  returningFileSchema,
  strategyField,
  weightField,
} from './recovery-file-schema.ts';
import { isProbeUrl, isServiceDnsName, NAME_PATTERN } from './schema.ts';
import { planFileSchema } from './step-file-schema.ts';

/** Whole seconds, because that is what DNS can say. */
const ttlField = described(
  z
    .string()
    .regex(DURATION_PATTERN)
    .superRefine((value, context) => {
      const seconds = (parseDuration(value) ?? 0) / 1000;
      const { ttlSecondsMin, ttlSecondsMax } = CONFIG_LIMITS;
      if (!Number.isInteger(seconds) || seconds < ttlSecondsMin || seconds > ttlSecondsMax) {
        context.addIssue({
          code: 'custom',
          message: `must be ${ttlSecondsMin}s to ${ttlSecondsMax}s, in whole seconds`,
        });
      }
    }),
  {
    description: `How long resolvers may cache the answer; it adds to the RTO. ${CONFIG_LIMITS.ttlSecondsMin}s to ${CONFIG_LIMITS.ttlSecondsMax}s, whole seconds.`,
    example: '5s',
    type: 'duration',
  },
).transform((value) => (parseDuration(value) ?? 0) / 1000);

const dnsSchema = z.strictObject({
  name: described(
    z
      .string()
      .refine(
        isServiceDnsName,
        'must be a DNS name in lower case, with a dot, without a trailing one',
      ),
    {
      description: `The name that clients use; absolute, lower case, no trailing dot, at most ${CONFIG_LIMITS.dnsNameCharactersMax} characters.`,
      example: 'checkout.example.com',
      type: 'DNS name',
    },
  ),
  type: described(z.enum(['A', 'AAAA', 'CNAME']), {
    description: 'Type of the record that is switched.',
    example: 'A',
    type: 'one of',
  }).prefault('A'),
  ttl: ttlField.prefault('5s'),
  dataPlane: described(
    z
      .string()
      .refine(
        isServiceDnsName,
        'must be a DNS name in lower case, with a dot, without a trailing one',
      )
      .optional(),
    {
      description:
        'A second name, steered by Route 53 health checks alone (path A): a deployment makes its records, and each run measures when it turned. Two sites, or `active-active`.',
      defaultText: 'none',
      example: 'checkout.path-a.example.com',
      type: 'DNS name',
    },
  ),
});

const objectivesSchema = z.strictObject({
  rto: durationField({
    description: 'Recovery time objective: from the last sign of life to verified service.',
    min: CONFIG_LIMITS.rtoMsMin,
    max: CONFIG_LIMITS.rtoMsMax,
    example: '30s',
  }).prefault('30s'),
  rpo: durationField({
    description: 'Recovery point objective: data that may be lost, as replication lag.',
    min: CONFIG_LIMITS.rpoMsMin,
    max: CONFIG_LIMITS.rpoMsMax,
    example: '5s',
  }).prefault('5s'),
});

const safetySchema = z.strictObject({
  holdDown: durationField({
    description: 'No automatic run for this long after a run ended.',
    min: CONFIG_LIMITS.holdDownMsMin,
    max: CONFIG_LIMITS.holdDownMsMax,
    example: '5m',
  }).prefault('5m'),
  automaticRunsPerDay: numberField(z.int(), {
    description: 'Automatic runs that may start within any 24 hours.',
    min: CONFIG_LIMITS.automaticRunsPerDayMin,
    max: CONFIG_LIMITS.automaticRunsPerDayMax,
    example: 3,
  }).prefault(3),
  ...PEOPLE_FIELDS,
});

const siteSchema = z.strictObject({
  region: described(z.string().regex(NAME_PATTERN).optional(), {
    description: 'Region where the site runs; the control region of this name acts first.',
    example: 'us-east-1',
    type: 'name',
    defaultText: 'the name of the site',
  }),
  address: described(z.string().min(1).max(253), {
    description: 'What the service name resolves to while this site is active.',
    example: '192.0.2.10',
    type: 'IPv4, IPv6 or host name',
  }),
  probe: described(
    z
      .string()
      .refine(isProbeUrl, 'must be an http or https URL without credentials or fragment')
      .optional(),
    {
      description:
        'URL that answers 2xx while the site serves: every region probes it, and a run verifies it.',
      example: 'https://us-east-1.checkout.example.com/healthz',
      type: 'URL',
      defaultText: 'none',
    },
  ),
  probes: probesField,
  weight: weightField,
  capacity: capacityFileSchema.optional().meta({
    description: 'What is made larger before the site takes the traffic.',
    'x-default': 'always as large as it must be',
  }),
  tokens: tokensField,
});

const serviceSchema = z.strictObject({
  dns: dnsSchema.meta({ description: 'The DNS record that Tripoint switches.' }),
  strategy: strategyField,
  automatic: described(z.boolean(), {
    description: 'Whether a failure starts a run without a person. Off until you say so.',
    example: true,
    type: 'boolean',
  }).prefault(false),
  primary: described(z.string().regex(NAME_PATTERN), {
    description: 'The site that serves when all is well, and the first to do so.',
    example: 'us-east-1',
    type: 'name',
  }),
  objectives: objectivesSchema
    .meta({ description: 'What each run is measured against.' })
    .prefault({}),
  detection: detectionSchema.meta({ description: 'When silence is a failure.' }).prefault({}),
  safety: safetySchema.meta({ description: 'What holds a run back.' }).prefault({}),
  fencing: fencingField,
  replication: replicationFileSchema
    .meta({ description: 'How much data a run may lose, and how that is known.' })
    .prefault({}),
  alarms: alarmsFileSchema.meta({ description: 'What alarms mean.' }).prefault({}),
  returning: returningFileSchema
    .meta({ description: 'How traffic goes back to a site that is well again.' })
    .prefault({}),
  database: databaseFileSchema.optional().meta({
    description: 'The database with one writer that is promoted with the site.',
    'x-default': 'none',
  }),
  notify: notifyField,
  plans: plansFileSchema
    .meta({ description: 'What runs do, step by step, where the strategy does not say it well.' })
    .prefault({}),
  drill: drillFileSchema.optional().meta({
    description: 'Practice runs: the traffic goes to a site for a while, and comes back.',
    'x-default': 'only when asked for',
  }),
  sites: z
    .record(z.string(), siteSchema)
    .meta({ description: 'Deployments of the service by name, in order of preference.', ...NAMED }),
});

export const fileSchema = z.strictObject({
  version: described(z.literal(1), {
    description: 'Version of this format.',
    example: 1,
    type: 'number',
  }),
  services: z
    .record(z.string(), serviceSchema)
    .meta({ description: 'Protected services by name.', ...NAMED }),
  monitors: z
    .record(z.string(), monitorSchema)
    .meta({
      description: 'Services that are watched and never moved, by name; cron jobs too.',
      ...NAMED,
      'x-default': 'none',
    })
    .prefault({}),
});

/** The parts of one service that rules between values read, each on its own. */
export const FIELD_SCHEMAS = {
  dnsName: dnsSchema.shape.name,
  recordType: dnsSchema.shape.type,
  dataPlaneName: dnsSchema.shape.dataPlane,
  primary: serviceSchema.shape.primary,
  interval: detectionSchema.shape.interval,
  maxSilence: detectionSchema.shape.maxSilence,
  suspectPhi: detectionSchema.shape.suspectPhi,
  failPhi: detectionSchema.shape.failPhi,
  address: siteSchema.shape.address,
  strategy: serviceSchema.shape.strategy,
  fencing: serviceSchema.shape.fencing,
  returning: serviceSchema.shape.returning,
  database: databaseFileSchema,
  drill: drillFileSchema,
  plan: planFileSchema,
  weight: siteSchema.shape.weight,
  capacity: capacityFileSchema,
} as const;

export type ConfigurationFile = z.infer<typeof fileSchema>;
