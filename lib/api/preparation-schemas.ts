/** JSON of plans, tabletops and the list of reports. */
import { z } from '@hono/zod-openapi';
import { counter, durationMs, instant } from './schema-parts.ts';

export const reportListSchema = z
  .object({
    at: instant,
    reports: z.array(
      z.object({
        run: z.string(),
        bytes: counter,
        kind: z
          .string()
          .nullable()
          .openapi({ description: 'null = the run is remembered no more.' }),
        outcome: z.enum(['open', 'done', 'failed']).nullable(),
        endedAt: instant.nullable(),
      }),
    ),
  })
  .openapi('Reports');
export type ReportListJson = z.infer<typeof reportListSchema>;

export const planSchema = z
  .object({
    service: z.string(),
    kind: z.string(),
    mode: z.enum(['graceful', 'emergency']),
    from: z.string(),
    to: z.string(),
    onFailure: z.enum(['stop', 'undo']),
    stages: z.array(
      z.array(
        z.object({
          name: z.string(),
          kind: z.string(),
          does: z.string().openapi({ description: 'In words.' }),
          essential: z.boolean(),
          timeoutMs: durationMs,
          attemptsMax: counter,
          mode: z.enum(['graceful', 'emergency', 'both']),
          when: z.string().nullable(),
          undo: z.string().nullable(),
        }),
      ),
    ),
  })
  .openapi('Plan', {
    description: 'Stages follow each other; the steps of one are worked on together.',
  });
export type PlanJson = z.infer<typeof planSchema>;

const callSchema = z.object({
  api: z.string().openapi({ description: 'As its service calls it.' }),
  detail: z.string(),
  changes: z.boolean().openapi({ description: 'Whether it would change something.' }),
  records: z
    .array(z.string())
    .optional()
    .openapi({ description: 'Record sets taken away (`-`) and put there (`+`).' }),
});

export const tabletopSchema = z
  .object({
    service: z.string(),
    from: z.string(),
    to: z.string().nullable(),
    decision: z.object({
      kind: z.enum(['accepted', 'refused']),
      code: z.string(),
      sentence: z.string(),
    }),
    ground: z.enum(['read', 'assumed']).openapi({
      description: 'Whether what stands was read, or is taken to be as the log has it.',
    }),
    changes: counter.openapi({ description: 'Calls that would change something. None was made.' }),
    steps: z.array(
      z.object({
        run: z.string(),
        kind: z.string(),
        stage: counter,
        step: z.string(),
        action: z.string(),
        essential: z.boolean(),
        isUndo: z.boolean(),
        state: z.enum(['done', 'failed', 'skipped', 'open']),
        note: z.string().nullable(),
        calls: z.array(callSchema),
      }),
    ),
  })
  .openapi('Tabletop');
export type TabletopJson = z.infer<typeof tabletopSchema>;
