/** What a region keeps of the heartbeats of one site, as JSON. */
import { z } from '@hono/zod-openapi';
import { counter, durationMs, instant } from './schema-parts.ts';

export const beatHistorySchema = z
  .object({
    service: z.string(),
    site: z.string(),
    observer: z.string().openapi({ description: 'The region that answers: it tells its own.' }),
    bootId: z.string().nullable(),
    lastSequence: counter.nullable(),
    lastBeatAt: instant.nullable(),
    intervalsMs: z.array(durationMs).openapi({
      description:
        'The newest 200 at most, oldest first, as the detector learnt them: a gap of lost beats is shared out, a pause is cut to the suspect deadline of its time.',
    }),
    received: counter,
    lost: counter,
  })
  .openapi('BeatHistory');
export type BeatHistoryJson = z.infer<typeof beatHistorySchema>;
