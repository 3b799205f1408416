/** Monitors as JSON: what is watched and never moved, and what is known of its jobs. */
import { z } from '@hono/zod-openapi';
import {
  counter,
  detectionSchema,
  durationMs,
  instant,
  observationSchema,
  opinionSchema,
  verdictSchema,
  warningSchema,
} from './schema-parts.ts';

const scheduleSchema = z
  .object({
    cron: z.string().nullable(),
    timezone: z.string().nullable(),
    everyMs: durationMs.nullable(),
    graceMs: durationMs,
    runMsMax: durationMs.nullable(),
  })
  .openapi('Schedule', { description: 'Either `cron` with `timezone`, or `everyMs`.' });
export type ScheduleJson = z.infer<typeof scheduleSchema>;

const jobSchema = z
  .object({
    expectedAt: instant.nullable(),
    lastStartedAt: instant.nullable(),
    lastSucceededAt: instant.nullable(),
    lastFailedAt: instant.nullable(),
    runningSince: instant.nullable(),
    exitCode: z.int().nullable(),
    message: z.string().nullable(),
  })
  .openapi('Job', { description: 'What this region heard of the runs of a site with a schedule.' });
export type JobJson = z.infer<typeof jobSchema>;

const monitorSiteSchema = z
  .object({
    site: z.string(),
    isProvisioned: z.boolean().openapi({ description: 'It came into being by its first beat.' }),
    schedule: scheduleSchema.nullable(),
    opinion: opinionSchema,
    verdicts: z.array(verdictSchema),
    observation: observationSchema.nullable(),
    job: jobSchema.nullable(),
    warnings: z.array(warningSchema),
  })
  .openapi('MonitorSite');
export type MonitorSiteJson = z.infer<typeof monitorSiteSchema>;

export const monitorSchema = z
  .object({
    monitor: z.string(),
    detection: detectionSchema,
    provisioning: z
      .object({ sitesMax: counter, sites: counter, schedule: scheduleSchema.nullable() })
      .nullable(),
    sites: z.array(monitorSiteSchema),
  })
  .openapi('Monitor', { description: 'A service that is watched and never moved.' });
export type MonitorJson = z.infer<typeof monitorSchema>;

/** Pending is no trouble: a job that never ran may run tonight. */
export function isTroubled({ opinion }: Pick<MonitorSiteJson, 'opinion'>): boolean {
  return opinion.state !== 'healthy' && opinion.state !== 'pending';
}

/** Why a site is as it is: as this region sees it, or one that has heard it where this one has not. */
export function sentenceOf({ observation, verdicts, opinion }: MonitorSiteJson): string {
  const own = observation?.lastBeatAt == null ? undefined : observation.sentence;
  const witness = verdicts.find(({ state }) => state === opinion.state)?.sentence;
  return own ?? witness ?? observation?.sentence ?? opinion.sentence;
}
