/**
 * What the API accepts: parameters, headers and bodies.
 *
 * Commands are strict: a misspelt member of a failover request is an error, not a default. A
 * heartbeat is lenient: an agent newer than this region may send members it does not know yet, and
 * a site must not look dead for that.
 */
import { z } from '@hono/zod-openapi';
import { monitorIssues, monitorsSchema } from '../config/monitor-schema.ts';
import { NAME_PATTERN, policiesSchema } from '../config/schema.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
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

/** To a microsecond: a table has no use for less, and cannot hold the smallest numbers of JSON. */
const replicationLagMs = z
  .number()
  .min(0)
  .max(1e12)
  .overwrite((value) => Math.round(value * 1000) / 1000)
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
    dryRun,
    by: actor,
  })
  .openapi('Failover');

export const failbackBody = z
  .strictObject({ reason, force, dryRun, by: actor })
  .openapi('Failback');

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
