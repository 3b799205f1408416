/**
 * Everything that lasts for so long, by clocks that may be wrong: a drill, a hold, a step, a rule that
 * was set aside, how long a site has been healthy.
 *
 * Each begins at the wall clock of whoever proposed an entry, and is looked at by the clocks of others.
 * One that runs ahead by hours would make a drill of a minute last for hours. So what begins in the
 * future of an entry begins at that entry, and that is written into the state: looked at without being
 * written it would begin anew at every look. The price is that of `damping.ts`: a clock that lags
 * shortens what another one began. Who is active is decided by places in the log, never by these.
 *
 * Freezes and maintenance windows are left as they are: longer is the safe side of a brake, no
 * lagging clock may release one, and each has a greatest length (`freeze.ts`, `maintenance.ts`). Pure.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { settledAt } from './damping.ts';
import { RUN_LIMITS } from './limits.ts';
import type { Override } from './overrides.ts';
import { openSteps, type Run, type Step } from './run.ts';
import type { ServiceState, SiteState, StandingDrill } from './state.ts';

/** The service with nothing that begins after `now`; the same object where nothing did. */
export function settledTimes(service: ServiceState, now: EpochMillis): ServiceState {
  const { drill, overrides, sites } = service;
  const changes: Partial<ServiceState> = {
    ...(isDrillAhead(drill, now)
      ? { drill: { ...drill, revertAt: latestReturn(drill, now) } }
      : {}),
    ...(overrides.some(({ since }) => since > now)
      ? { overrides: overrides.map((override) => settledOverride(override, now)) }
      : {}),
    ...(Object.values(sites).some((site) => isSiteAhead(site, now))
      ? { sites: mapValues(sites, (site) => settledSite(site, now)) }
      : {}),
  };
  return Object.keys(changes).length === 0 ? service : { ...service, ...changes };
}

/** The run without an open step that was opened after `now`; the same object where none was. */
export function settledRun(run: Run, now: EpochMillis): Run {
  const ahead = new Set(openSteps(run).filter((step) => isStepAhead(step, now)));
  return ahead.size === 0
    ? run
    : { ...run, steps: run.steps.map((s) => (ahead.has(s) ? { ...s, timedFrom: now } : s)) };
}

/** From when the time of an open step runs; null = it is not open yet. */
export function timedFromOf({ openedAt, timedFrom }: Step): EpochMillis | null {
  return timedFrom ?? openedAt;
}

/**
 * Whether something of a service begins so far ahead that whoever leads has it looked at now: else it
 * would be settled by the next entry about the service only, and in quiet times none comes.
 */
export function isFarAhead(service: ServiceState, runs: readonly Run[], now: EpochMillis): boolean {
  const limit = epochMillis(now + RUN_LIMITS.clockAheadMsMax);
  const { lastRunEndedAt } = settledAt(service, limit);
  return (
    settledTimes(service, limit) !== service ||
    lastRunEndedAt !== service.lastRunEndedAt ||
    runs.some((run) => run.service === service.policy.service && settledRun(run, limit) !== run)
  );
}

function isDrillAhead(drill: StandingDrill | null, now: EpochMillis): drill is StandingDrill {
  return drill !== null && drill.revertAt !== null && drill.revertAt > latestReturn(drill, now);
}

/** A return that failed pauses for longer than the shortest drill lasts. */
function latestReturn({ durationMs }: StandingDrill, now: EpochMillis): EpochMillis {
  return epochMillis(now + Math.max(durationMs, RUN_LIMITS.drillReturnPauseMs));
}

function settledOverride(override: Override, now: EpochMillis): Override {
  const { since, until } = override;
  return since > now
    ? { ...override, since: now, until: epochMillis(now + (until - since)) }
    : override;
}

function isSiteAhead({ opinionSince, alarms }: SiteState, now: EpochMillis): boolean {
  return (opinionSince ?? 0) > now || alarms.some(({ at }) => at > now);
}

function settledSite(site: SiteState, now: EpochMillis): SiteState {
  const { opinionSince, alarms } = site;
  return isSiteAhead(site, now)
    ? {
        ...site,
        opinionSince: opinionSince === null ? null : earlier(opinionSince, now),
        alarms: alarms.map((alarm) => ({ ...alarm, at: earlier(alarm.at, now) })),
      }
    : site;
}

function isStepAhead(step: Step, now: EpochMillis): boolean {
  return (timedFromOf(step) ?? 0) > now;
}

function earlier(a: EpochMillis, b: EpochMillis): EpochMillis {
  return a < b ? a : b;
}

function mapValues<Value>(
  record: { readonly [name: string]: Value },
  change: (value: Value) => Value,
): { readonly [name: string]: Value } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
