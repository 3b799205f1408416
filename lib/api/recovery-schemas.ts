/** JSON of what recovery adds to services and runs: shares, losses, people's rules and their words. */
import { z } from '@hono/zod-openapi';
import { READINESS_CODES } from '../recovery/readiness.ts';
import { counter, durationMs, epochSchema, instant } from './schema-parts.ts';

const trafficSchema = z.record(z.string(), z.int().min(0).max(100)).openapi('Traffic', {
  description: 'Per cent of the traffic by site; a site that is absent has none.',
});

const lossSchema = z
  .object({
    lagMs: durationMs.nullable().openapi({ description: 'null = nobody knows.' }),
    writes: counter.nullable(),
    measuredAt: instant.nullable(),
    acceptedBy: z.string().nullable().openapi({ description: 'null = nobody had to.' }),
    sentence: z.string().openapi({ description: 'The same in words, and what the run waits for.' }),
  })
  .openapi('Loss', { description: 'Data that a run may lose, as measured when it began.' });

export const freezeSchema = z
  .object({ sinceAt: instant, untilAt: instant, by: z.string(), reason: z.string() })
  .openapi('Freeze', { description: 'Nothing moves by itself until it ends.' });
export type FreezeJson = z.infer<typeof freezeSchema>;

const approvalSchema = z
  .object({
    step: z.string(),
    by: z.string(),
    verdict: z.enum(['approve', 'reject']),
    reason: z.string(),
    at: instant,
  })
  .openapi('Approval');

const findingSchema = z
  .object({
    code: z.enum(READINESS_CODES),
    severity: z.enum(['warning', 'failing']),
    subject: z.string(),
    sentence: z.string(),
    fix: z.string(),
  })
  .openapi('ReadinessFinding');

/** Members of a service. Each has a default, so that a region of before is understood. */
export const RECOVERY_MEMBERS = {
  traffic: trafficSchema.default({}),
  granted: z
    .boolean()
    .default(true)
    .openapi({ description: 'false = nobody is active: an authority was taken, and lapses.' }),
  fencing: z.enum(['none', 'lease']).default('none'),
  freeze: freezeSchema.nullable().default(null),
  overrides: z
    .array(
      z.object({
        rule: z.string(),
        sinceAt: instant,
        untilAt: instant,
        by: z.string(),
        reason: z.string(),
      }),
    )
    .default([])
    .openapi({ description: 'Safety rules that a person has set aside, each for a while.' }),
  acknowledgement: z
    .object({ run: z.string(), sinceAt: instant })
    .nullable()
    .default(null)
    .openapi({ description: 'An automatic run that nobody has acknowledged yet.' }),
  drill: z
    .object({
      run: z.string(),
      site: z.string(),
      home: trafficSchema,
      revertAt: instant.nullable().openapi({ description: 'null = the traffic is not there yet.' }),
    })
    .nullable()
    .default(null),
  unprotectedSinceAt: instant
    .nullable()
    .default(null)
    .openapi({ description: 'Since when no other site could take over; null = one can.' }),
  weights: trafficSchema
    .nullable()
    .default(null)
    .openapi({ description: "Shares that a person asked for in place of the policy's." }),
  readiness: z
    .object({ at: instant, findings: z.array(findingSchema) })
    .nullable()
    .default(null)
    .openapi({ description: 'What a run would trip over; null = nobody looked yet.' }),
  readinessDueAt: instant
    .nullable()
    .default(null)
    .openapi({ description: 'Somebody asked for a look at its plans, which has not come yet.' }),
  recovery: z
    .record(z.string(), z.string())
    .default({})
    .openapi({ description: 'What else the policy says, as text, by key.' }),
};

/** Members of a run. */
export const RUN_MEMBERS = {
  mode: z.enum(['graceful', 'emergency']).default('emergency'),
  traffic: trafficSchema.default({}).openapi({ description: 'What it wants in the end.' }),
  before: trafficSchema.default({}).openapi({ description: 'What stood when it began.' }),
  loss: lossSchema.nullable().default(null),
  approvals: z.array(approvalSchema).default([]),
  waitingFor: z
    .array(z.object({ step: z.string(), detail: z.string(), sinceAt: instant }))
    .default([])
    .openapi({ description: 'Steps that wait now for a person other than who asked for it.' }),
  parent: z
    .string()
    .nullable()
    .default(null)
    .openapi({ description: 'The run that began this one, for a plan with children.' }),
  reverting: z
    .object({ code: z.string(), at: instant })
    .nullable()
    .default(null)
    .openapi({ description: 'Why it takes back what it did.' }),
  revertAt: instant.nullable().default(null),
};

/** Members of a step. */
export const STEP_MEMBERS = {
  kind: z.string().default(''),
  stage: counter.default(0).openapi({
    description: 'Steps of one stage are worked on together; the lowest unfinished one is open.',
  }),
  isUndo: z.boolean().default(false),
  openedAt: instant.nullable().default(null),
  timeoutAt: instant.nullable().default(null),
  epoch: epochSchema.nullable().default(null),
  detail: z.string().default('').openapi({ description: 'What it does, or waits for, in words.' }),
};
