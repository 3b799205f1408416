/** Monitors as JSON: what is watched and never moved. Token hashes never leave. */

import type { JobObservation, LiveObservation, StatusView } from '../control/control-plane.ts';
import { scheduleOf } from '../control/monitors.ts';
import type { SchedulePolicy } from '../recovery/policy.ts';
import type { MonitorSiteState, MonitorState } from '../recovery/state.ts';
import type { JobJson, MonitorJson, MonitorSiteJson, ScheduleJson } from './monitor-schemas.ts';
import {
  presentObservation,
  presentOpinion,
  presentVerdicts,
  rfc3339OrNull,
} from './present-parts.ts';
import { presentWarnings } from './present-warnings.ts';

/** In alphabetical order. */
export function presentMonitors({
  state,
  observations,
}: Pick<StatusView, 'state' | 'observations'>): MonitorJson[] {
  const seen = new Map(
    observations.map((observation) => [`${observation.service}/${observation.site}`, observation]),
  );
  return Object.entries(state.monitors)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, monitor]) => ({
      monitor: name,
      detection: { ...detectionOf(monitor) },
      provisioning: presentProvisioning(monitor),
      sites: Object.entries(monitor.sites).map(([site, standing]) =>
        presentSite(
          monitor,
          { site, standing },
          {
            observers: state.observers,
            observation: seen.get(`${name}/${site}`),
          },
        ),
      ),
    }));
}

function detectionOf({ policy }: MonitorState): MonitorJson['detection'] {
  const { intervalMs, suspectPhi, failPhi, silenceMsMax } = policy.detection;
  return { intervalMs, suspectPhi, failPhi, silenceMsMax };
}

function presentProvisioning({ policy, provisioned }: MonitorState): MonitorJson['provisioning'] {
  const { provisioning } = policy;
  return provisioning === null
    ? null
    : {
        sitesMax: provisioning.sitesMax,
        sites: provisioned.length,
        schedule: presentSchedule(provisioning.schedule),
      };
}

function presentSite(
  { policy, provisioned }: MonitorState,
  { site, standing }: { readonly site: string; readonly standing: MonitorSiteState },
  sight: {
    readonly observers: readonly string[];
    readonly observation: LiveObservation | undefined;
  },
): MonitorSiteJson {
  const { observation } = sight;
  return {
    site,
    isProvisioned: provisioned.includes(site),
    schedule: presentSchedule(scheduleOf(policy, provisioned, site)),
    opinion: presentOpinion(standing),
    verdicts: presentVerdicts(standing, sight),
    observation: observation === undefined ? null : presentObservation(observation),
    job: observation === undefined || observation.job === null ? null : presentJob(observation.job),
    warnings: presentWarnings(standing, sight.observers),
  };
}

export function presentSchedule(schedule: SchedulePolicy | null): ScheduleJson | null {
  if (schedule === null) {
    return null;
  }
  const { graceMs, runMsMax } = schedule;
  return schedule.kind === 'cron'
    ? { cron: schedule.cron, timezone: schedule.timezone, everyMs: null, graceMs, runMsMax }
    : { cron: null, timezone: null, everyMs: schedule.everyMs, graceMs, runMsMax };
}

function presentJob(job: JobObservation): JobJson {
  return {
    expectedAt: rfc3339OrNull(job.expectedAt),
    lastStartedAt: rfc3339OrNull(job.lastStartedAt),
    lastSucceededAt: rfc3339OrNull(job.lastSucceededAt),
    lastFailedAt: rfc3339OrNull(job.lastFailedAt),
    runningSince: rfc3339OrNull(job.runningSince),
    exitCode: job.exitCode,
    message: job.message,
  };
}
