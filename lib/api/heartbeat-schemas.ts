/** What a site gets back for its heartbeats. */
import { z } from '@hono/zod-openapi';
import { durationMs, epochSchema, instant } from './schema-parts.ts';

export const heartbeatAnswerSchema = z
  .object({
    role: z.enum(['active', 'standby', 'unknown']),
    epoch: epochSchema.nullable(),
    nextBeatMs: durationMs.openapi({
      description: 'When to beat again; of a job, when its next run is expected.',
    }),
    leaseMs: durationMs.nullable().openapi({
      description:
        'How long the site may believe `role` without a further answer, from sending; 0 = this region cannot vouch for it now; null where it has none.',
    }),
    duplicate: z.boolean().openapi({
      description: 'The beat was not newer than one that is known, and changed nothing.',
    }),
    receivedAt: instant,
  })
  .openapi('HeartbeatAnswer');
export type HeartbeatAnswerJson = z.infer<typeof heartbeatAnswerSchema>;

export const batchAnswerSchema = z
  .object({
    receivedAt: instant,
    results: z
      .array(
        z.discriminatedUnion('kind', [
          heartbeatAnswerSchema.omit({ receivedAt: true, duplicate: true }).extend({
            kind: z.enum(['accepted', 'duplicate']),
            site: z.string(),
          }),
          z.object({
            kind: z.literal('refused'),
            site: z.string(),
            code: z.string(),
            retryable: z.boolean(),
          }),
        ]),
      )
      .openapi({ description: 'One for each beat, in their order.' }),
  })
  .openapi('HeartbeatBatchAnswer');
export type BatchResultJson = z.infer<typeof batchAnswerSchema>['results'][number];
