/** Parts that several answers of the API share: instants, counters, verdicts, observations. */
import { z } from '@hono/zod-openapi';
import { FORECAST_CODES } from '../detection/forecast.ts';

export const instant = z
  .string()
  .openapi({ format: 'date-time', example: '2026-11-23T09:40:00.000Z' });
export const counter = z.int().min(0);
export const durationMs = z.number().min(0);

const VERDICT_STATES = ['pending', 'healthy', 'suspect', 'failed', 'degraded', 'unknown'] as const;
const verdictState = z.enum(VERDICT_STATES);
export const epochSchema = z
  .object({ term: counter, index: counter })
  .openapi('Epoch', { description: 'The log entry that authorised an effect: the fence.' });

export const verdictSchema = z
  .object({
    observer: z.string(),
    state: verdictState,
    code: z.string(),
    sentence: z.string(),
    phi: z.number(),
    lastBeatAt: instant.nullable(),
    at: instant,
    index: counter,
  })
  .openapi('Verdict', { description: "One observer's verdict, as committed." });
export type VerdictJson = z.infer<typeof verdictSchema>;

export const observationSchema = z
  .object({
    phi: z.number(),
    silentMs: durationMs.nullable(),
    lastBeatAt: instant.nullable(),
    suspectAt: instant.nullable(),
    failAt: instant.nullable(),
    replicationLagMs: durationMs.nullable(),
    sentence: z.string(),
  })
  .openapi('Observation', { description: 'What this region sees now, fresher than the log.' });
export type ObservationJson = z.infer<typeof observationSchema>;

export const opinionSchema = z.object({
  state: verdictState,
  code: z.string(),
  sentence: z.string(),
  sinceAt: instant.nullable(),
});

export const detectionSchema = z.object({
  intervalMs: durationMs,
  suspectPhi: z.number(),
  failPhi: z.number(),
  silenceMsMax: durationMs,
});

export const warningSchema = z
  .object({
    observer: z.string(),
    code: z.enum([...FORECAST_CODES, 'rpo-at-risk']),
    sentence: z.string(),
    sinceAt: instant,
  })
  .openapi('Warning', {
    description:
      'A sign of a failure to come, as one observer sees it, or of a loss, as the log says. Nothing is decided by it.',
  });
export type WarningJson = z.infer<typeof warningSchema>;
