/**
 * The part of the configuration file under `monitors:`: what is watched and never moved.
 *
 * A site without a schedule beats all the time and is judged like a site of a service; one with a
 * schedule is a job, whose silence means nothing until a run is missed.
 */
import { z } from 'zod';
import { checkCron, isTimezone } from './cron.ts';
import { described, detectionSchema, durationField, NAMED, tokensField } from './file-fields.ts';
import { CONFIG_LIMITS } from './limits.ts';

export const cronField = described(
  z.string().superRefine((expression, context) => {
    const checked = checkCron(expression);
    if (checked.kind === 'invalid') {
      context.addIssue({ code: 'custom', message: checked.message });
    }
  }),
  {
    description: 'When runs are expected: five fields of cron, or `@daily` and the like.',
    example: '0 3 * * *',
    type: 'cron expression',
  },
);

export const timezoneField = described(
  z.string().refine(isTimezone, 'is no time zone that is known here'),
  {
    description: 'Time zone of `cron`, an IANA name.',
    example: 'Europe/Berlin',
    type: 'time zone',
    defaultText: '`UTC`',
  },
).optional();

const scheduleShape = z.strictObject({
  cron: cronField.optional().meta({ 'x-default': 'none' }),
  timezone: timezoneField,
  every: durationField({
    description: 'In place of `cron`: longest time from one success to the next.',
    min: CONFIG_LIMITS.everyMsMin,
    max: CONFIG_LIMITS.everyMsMax,
    example: '1h',
    defaultText: 'none',
  }).optional(),
  grace: durationField({
    description: 'How long after the expected instant a run may end well before it is missed.',
    min: CONFIG_LIMITS.graceMsMin,
    max: CONFIG_LIMITS.graceMsMax,
    example: '30m',
  }).prefault('5m'),
  maxRun: durationField({
    description: 'A run that is open longer has failed.',
    min: CONFIG_LIMITS.runMsMin,
    max: CONFIG_LIMITS.runMsMax,
    example: '2h',
    defaultText: 'until the next run is missed',
  }).optional(),
});

const scheduleSchema = scheduleShape.superRefine(({ cron, every, timezone }, context) => {
  if ((cron === undefined) === (every === undefined)) {
    context.addIssue({ code: 'custom', message: 'has either cron or every' });
  }
  if (timezone !== undefined && cron === undefined) {
    const message = 'belongs to cron, which is not there';
    context.addIssue({ code: 'custom', path: ['timezone'], message });
  }
});

const monitorSiteSchema = z.strictObject({
  schedule: scheduleSchema.optional().meta({
    description: 'When its runs are expected, if it is a job.',
    'x-default': 'that of the monitor',
  }),
  tokens: tokensField,
});

const provisioningSchema = z.strictObject({
  maxSites: described(
    z.int().min(CONFIG_LIMITS.provisionedSitesMin).max(CONFIG_LIMITS.provisionedSitesMax),
    {
      description: `Sites that may come into being, ${CONFIG_LIMITS.provisionedSitesMin} to ${CONFIG_LIMITS.provisionedSitesMax}.`,
      example: 50,
      type: 'number',
    },
  ).prefault(50),
  tokens: tokensField,
});

export const monitorSchema = z.strictObject({
  detection: detectionSchema
    .meta({ description: 'When silence is a failure, for sites without a schedule.' })
    .prefault({}),
  schedule: scheduleSchema.optional().meta({
    description: 'When runs are expected of each site that does not say so itself.',
    'x-default': 'none',
  }),
  provisioning: provisioningSchema.optional().meta({
    description: 'Lets sites come into being by their first beat: `/beat/TOKEN?site=NAME`.',
    'x-default': 'none',
  }),
  sites: z
    .record(z.string(), monitorSiteSchema)
    .meta({ description: 'What is watched, by name.', 'x-default': 'none', ...NAMED })
    .prefault({}),
});

/** The parts that rules between values read, each on its own. */
export const MONITOR_FIELDS = {
  interval: detectionSchema.shape.interval,
  maxSilence: detectionSchema.shape.maxSilence,
  suspectPhi: detectionSchema.shape.suspectPhi,
  failPhi: detectionSchema.shape.failPhi,
  maxSites: provisioningSchema.shape.maxSites,
} as const;
