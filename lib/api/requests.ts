/**
 * What the API accepts: parameters, headers and bodies.
 *
 * Commands are strict: a misspelt member of a failover request is an error, not a default. A
 * heartbeat is lenient: an agent newer than this region may send members it does not know yet, and
 * a site must not look dead for that.
 */
import { z } from '@hono/zod-openapi';
import { logIndex, term } from '../base/identifiers.ts';
import { monitorIssues, monitorsSchema } from '../config/monitor-schema.ts';
import { NAME_PATTERN, policiesSchema } from '../config/schema.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import { OVERRIDE_RULES } from '../recovery/overrides.ts';
import { API_LIMITS } from './limits.ts';
import { PING_ACTION } from './ping.ts';

/** Lines of text for people: no control characters, no half surrogates. */
const CONTROL_CHARACTERS = /[\p{Cc}--[\n\t]]/v;

function text(charactersMax: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(charactersMax)
    .refine(
      (value) => value.isWellFormed() && !CONTROL_CHARACTERS.test(value),
      'text must not hold control characters; remove them',
    );
}

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name has letters, digits, dots and dashes')
  .max(API_LIMITS.nameCharactersMax);

const actor = text(API_LIMITS.actorCharactersMax)
  .optional()
  .openapi({ description: 'Who asks, for the record; default `operator`.' });
const reason = text(API_LIMITS.reasonCharactersMax);
const dryRun = z
  .boolean()
  .default(false)
  .openapi({ description: 'Only say what would happen; change nothing.' });
const force = z
  .boolean()
  .default(false)
  .openapi({ description: 'Also to a site that is not healthy. Recorded with who asked.' });

const mode = z.enum(['graceful', 'emergency']).optional().openapi({
  description:
    'graceful: nothing may be lost; emergency: what cannot be had is left out. Absent = emergency where the active site failed, else graceful.',
});
const acceptLoss = z
  .boolean()
  .default(false)
  .openapi({ description: 'Accepts the loss that the data-loss gate tells of. Recorded.' });

export const serviceParams = z.object({ service: name });
export const siteParams = z.object({ service: name, site: name });
export const runParams = z.object({
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a run id has letters, digits, dots and dashes')
    .max(API_LIMITS.runIdCharactersMax),
});
export const commandParams = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'a command id is 1 to 128 printable characters'),
});

const token = z.string().min(1).max(API_LIMITS.tokenCharactersMax);
export const plainPingParams = z.object({ token });
export const pingParams = z.object({
  token,
  action: z
    .string()
    .regex(PING_ACTION, 'start, fail, log or an exit code of 0 to 255')
    .openapi({ description: '`start`, `fail`, `log`, or an exit code: 0 = it ended well.' }),
});
export const pingQuery = z.object({
  site: z
    .string()
    .regex(NAME_PATTERN, 'lower-case letters, digits and dashes, from a letter')
    .optional()
    .openapi({ description: 'Which site, where the token stands for several or lets them come.' }),
});

export const reportQuery = z.object({ format: z.enum(['json', 'markdown']).optional() });
export const logQuery = z.object({
  after: wholeNumber('15').default(0),
  limit: wholeNumber('4')
    .pipe(z.int().min(1).max(API_LIMITS.logPageMax))
    .default(API_LIMITS.logPageDefault),
});

function wholeNumber(digitsMax: string) {
  return z
    .string()
    .regex(new RegExp(`^\\d{1,${digitsMax}}$`), 'a whole number, 0 or more')
    .transform(Number)
    .openapi({ type: 'integer', minimum: 0 });
}

/** With or without the quotes of the draft (a structured-field string). */
export const commandHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces')
    .max(API_LIMITS.idempotencyKeyCharactersMax)
    .optional()
    .openapi({ description: 'Becomes the command id. Send the same key to repeat a command.' }),
});

const epochNumber = z.int().min(0);

/** To a microsecond: a table has no use for less, and cannot hold the smallest numbers of JSON. */
const replicationLagMs = z
  .number()
  .min(0)
  .max(1e12)
  .overwrite((value) => Math.round(value * 1000) / 1000)
  .nullable()
  .default(null);

const acknowledgedEpoch = z
  .strictObject({ term: epochNumber, index: epochNumber })
  .transform(({ term: atTerm, index }) => ({ term: term(atTerm), index: logIndex(index) }))
  .nullable()
  .default(null);

export const heartbeatBody = z
  .object({
    sequence: z.int().min(1).openapi({ description: 'Rises with every beat of one boot.' }),
    bootId: z
      .string()
      .regex(/^[\x21-\x7e]{1,64}$/, '1 to 64 printable characters')
      .openapi({ description: "Random id of the sender's process." }),
    status: z.enum(['ok', 'degraded', 'failing', 'leaving']).default('ok'),
    replicationLagMs,
    replicationLagWrites: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .openapi({ description: 'Writes that the site does not have yet.' }),
    acknowledgedEpoch: acknowledgedEpoch.openapi({
      description: 'The epoch of the answer by which the site has given up its role.',
    }),
    fenced: z.boolean().default(false).openapi({
      description: 'The site holds no role now, because no answer gets back to it that renews one.',
    }),
  })
  .openapi('Heartbeat');

export const batchBody = z
  .object({
    beats: z
      .array(heartbeatBody.extend({ site: name }))
      .min(1)
      .max(API_LIMITS.beatsPerBatchMax)
      .openapi({ description: 'In the order in which they were sent.' }),
  })
  .openapi('HeartbeatBatch');

export const failoverBody = z
  .strictObject({
    to: name.optional().openapi({ description: 'Target site; absent = the policy chooses.' }),
    reason,
    force,
    mode,
    acceptLoss,
    dryRun,
    by: actor,
  })
  .openapi('Failover');

export const failbackBody = z
  .strictObject({
    reason,
    force,
    mode,
    acceptLoss,
    atOnce: z
      .boolean()
      .default(false)
      .openapi({ description: "All of the traffic in one step, whatever the policy's steps are." }),
    dryRun,
    by: actor,
  })
  .openapi('Failback');

export const weightsBody = z
  .strictObject({
    weights: z
      .record(name, z.int().min(0).max(100))
      .openapi({ description: 'Per cent by site; they come to 100.' }),
    reason,
    dryRun,
    by: actor,
  })
  .openapi('Weights');

/** Why, and who: all that an acknowledgement or the end of something needs. */
export const wordsBody = z.strictObject({ reason, dryRun, by: actor }).openapi('Words');

export const freezeBody = z
  .strictObject({ forMs: lengthUpTo(RUN_LIMITS.freezeMsMax, 'a week'), reason, dryRun, by: actor })
  .openapi('FreezeRequest');

export const overrideBody = z
  .strictObject({ forMs: lengthUpTo(RUN_LIMITS.overrideMsMax, 'a day'), reason, dryRun, by: actor })
  .openapi('OverrideRequest');

export const drillBody = z
  .strictObject({
    to: name.optional().openapi({ description: 'Absent = the site of the policy.' }),
    forMs: lengthUpTo(RUN_LIMITS.drillMsMax, 'a day').optional(),
    reason,
    dryRun,
    by: actor,
  })
  .openapi('DrillRequest');

export const tabletopBody = z
  .strictObject({
    kind: z.enum(['drill', 'failover', 'failback']).default('drill'),
    to: name.optional(),
    forMs: lengthUpTo(RUN_LIMITS.drillMsMax, 'a day').optional(),
    mode: z.enum(['graceful', 'emergency']).optional(),
    force: z.boolean().default(false),
    acceptLoss: z.boolean().default(false),
    atOnce: z.boolean().default(false).openapi({ description: 'Only of a failback.' }),
    by: actor,
  })
  .openapi('TabletopRequest');

export const planQuery = z.object({
  kind: z.enum(['failover', 'failback', 'drill']).default('failover'),
  mode: z
    .enum(['graceful', 'emergency'])
    .optional()
    .openapi({ description: 'Absent = the one that such a run would have now.' }),
  to: name.optional(),
});

export const reportsQuery = z.object({
  limit: wholeNumber('4')
    .pipe(z.int().min(1).max(API_LIMITS.logPageMax))
    .default(API_LIMITS.logPageDefault),
});

export const overrideParams = z.object({ service: name, rule: z.enum(OVERRIDE_RULES) });

export const wordsQuery = z.object({ reason, by: actor });

export const drillEndQuery = wordsQuery.extend({
  force: z
    .enum(['true', 'false'])
    .default('false')
    .transform((word) => word === 'true')
    .openapi({ description: 'Also to a home that is not healthy. Recorded with who asked.' }),
});

export const approvalBody = z
  .strictObject({
    step: text(API_LIMITS.nameCharactersMax).openapi({ description: 'The `approve` step.' }),
    verdict: z.enum(['approve', 'reject']),
    reason,
    dryRun,
    by: actor,
  })
  .openapi('ApprovalRequest');

function lengthUpTo(max: number, words: string) {
  return z
    .int()
    .min(1000)
    .max(max)
    .openapi({ description: `How long; at most ${words}. It ends by itself.` });
}

export const maintenanceBody = z
  .strictObject({
    site: name.optional().openapi({ description: 'Absent = the whole service.' }),
    forMs: z
      .int()
      .min(1000)
      .max(RUN_LIMITS.maintenanceMsMax)
      .openapi({ description: 'How long; at most a week. It ends by itself.' }),
    reason,
    dryRun,
    by: actor,
  })
  .openapi('Maintenance');

export const maintenanceQuery = z.object({
  site: name.optional().openapi({ description: 'Absent = the window of the whole service.' }),
  reason: reason.default('maintenance is over'),
  by: actor,
});

export const noteBody = z.strictObject({ text: reason, by: actor }).openapi('Note');

export const alarmBody = z
  .strictObject({
    service: name,
    site: name,
    name: text(API_LIMITS.alarmNameCharactersMax),
    state: z.enum(['alarm', 'ok', 'insufficient-data']),
  })
  .openapi('Alarm');

export const configBody = z
  .strictObject({
    // Wrapped, because `openapi` is only on schemas that are made after it was added to zod.
    policies: z
      .lazy(() => policiesSchema)
      .openapi('Policies', {
        description: 'Every policy of the cluster; services that are absent are forgotten.',
        type: 'array',
        items: { type: 'object' },
      }),
    monitors: z
      .lazy(() => monitorsSchema)
      .default([])
      .openapi('Monitors', {
        description: 'Every monitor of the cluster; those that are absent are forgotten.',
        type: 'array',
        items: { type: 'object' },
      }),
    reason: reason.default('configuration applied'),
    dryRun,
    by: actor,
  })
  .superRefine(({ policies, monitors }, context) => {
    for (const { path, message } of monitorIssues(policies, monitors)) {
      context.addIssue({ code: 'custom', path: ['monitors', ...path], message });
    }
  })
  .openapi('Configuration');
