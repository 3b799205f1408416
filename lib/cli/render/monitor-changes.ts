/** What `tripoint apply` would change about monitors, key by key; their tokens are not shown. */
import type { MonitorJson, ScheduleJson } from '../../api/monitor-schemas.ts';
import { presentSchedule } from '../../api/present-monitors.ts';
import { formatDuration } from '../../config/duration.ts';
import type { MonitorPolicy } from '../../recovery/policy.ts';
import {
  type ConfigurationChange,
  memberChanges,
  type Visible,
  whole,
} from './configuration-changes.ts';

/** In the order of the new configuration; monitors that go come last. Pure; total. */
export function monitorChanges(
  current: readonly MonitorJson[],
  wanted: readonly MonitorPolicy[],
): readonly ConfigurationChange[] {
  const known = new Map(current.map((monitor) => [monitor.monitor, monitor]));
  const changes = wanted.flatMap((policy) => {
    const before = known.get(policy.service);
    const count = sizeOf(policy);
    return before === undefined
      ? [{ ...whole('add', policy.service, count), path: 'monitor' }]
      : memberChanges(policy.service, visibleBefore(before), visibleAfter(policy));
  });
  const kept = new Set(wanted.map(({ service }) => service));
  const removed = current.filter(({ monitor }) => !kept.has(monitor));
  return [
    ...changes,
    ...removed.map((gone) => ({ ...whole('remove', gone.monitor, sizeOf(gone)), path: 'monitor' })),
  ];
}

function sizeOf({ sites }: { readonly sites: readonly unknown[] }): string {
  return `monitor of ${sites.length} ${sites.length === 1 ? 'site' : 'sites'}`;
}

/** Sites that came by themselves are no part of the configuration. */
function visibleBefore({ detection, provisioning, sites }: MonitorJson): Visible {
  return visibleOf({
    detection,
    provisioning,
    sites: sites.filter(({ isProvisioned }) => !isProvisioned),
  });
}

function visibleAfter({ detection, provisioning, sites }: MonitorPolicy): Visible {
  return visibleOf({
    detection,
    provisioning:
      provisioning === null
        ? null
        : { ...provisioning, schedule: presentSchedule(provisioning.schedule) },
    sites: sites.map(({ site, schedule }) => ({ site, schedule: presentSchedule(schedule) })),
  });
}

interface Shown {
  readonly detection: MonitorJson['detection'];
  readonly provisioning: {
    readonly sitesMax: number;
    readonly schedule: ScheduleJson | null;
  } | null;
  readonly sites: readonly { readonly site: string; readonly schedule: ScheduleJson | null }[];
}

function visibleOf({ detection, provisioning, sites }: Shown): Visible {
  return new Map([
    ['detection.intervalMs', String(detection.intervalMs)],
    ['detection.suspectPhi', String(detection.suspectPhi)],
    ['detection.failPhi', String(detection.failPhi)],
    ['detection.silenceMsMax', String(detection.silenceMsMax)],
    ['provisioning.sitesMax', String(provisioning?.sitesMax ?? 'none')],
    ['provisioning.schedule', scheduleText(provisioning?.schedule ?? null)],
    ...sites.map(({ site, schedule }): [string, string] => [
      `sites.${site}`,
      schedule === null ? 'beats' : scheduleText(schedule),
    ]),
  ]);
}

/** `0 3 * * * Europe/Berlin, grace 30m`, `every 1h, grace 5m`. */
export function scheduleText(schedule: ScheduleJson | null): string {
  if (schedule === null) {
    return 'none';
  }
  const { cron, timezone, everyMs, graceMs, runMsMax } = schedule;
  const when = cron === null ? `every ${formatDuration(everyMs ?? 0)}` : `${cron} ${timezone}`;
  const longest = runMsMax === null ? '' : `, at most ${formatDuration(runMsMax)}`;
  return `${when}, grace ${formatDuration(graceMs)}${longest}`;
}
