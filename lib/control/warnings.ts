/**
 * Early warnings in the log: recorded and told, nothing else. This file imports no recovery machine
 * and no fusing of opinions, and it changes no field that they read: a warning cannot decide anything
 * (`test/unit/control/warnings.test.ts` compares lives with and without them).
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import { ownValue } from '../base/own-value.ts';
import type { AppliedEntry } from '../consensus/replica.ts';
import type { ProbeFinding } from '../detection/evidence.ts';
import { certificateForecast, type Forecast, forecastOf } from '../detection/forecast.ts';
import type { Moment } from '../recovery/machine.ts';
import type { CommittedWarning, RecoveryState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import type { SiteRecord } from './health-store.ts';
import { type Happening, withEvents } from './timeline.ts';
import type { WatchedSite } from './watched-sites.ts';

type WarningCommand = Extract<ControlCommand, { readonly kind: 'warning' }>;

/** The newest warning of each observer; one that warns of nothing any more is not in it. */
export interface SiteWarnings {
  readonly [observer: string]: CommittedWarning;
}

export interface Warner {
  readonly observer: RegionId;
  /** What its own probes say of the site; null = there are none. */
  readonly probe: ProbeFinding | null;
  readonly now: EpochMillis;
}

/** What an observer has to say that the log does not say yet; null = nothing. */
export function newWarningOf(
  { detection, warnings }: WatchedSite,
  record: SiteRecord | null,
  { observer, probe, now }: Warner,
): Forecast | null {
  const standing = ownValue(warnings, observer)?.warning.code ?? null;
  if (record !== null && record.forecast.code !== null) {
    const { forecast, window } = record;
    return forecast.code === standing ? null : forecastOf(forecast, window, detection);
  }
  const certificate = certificateForecast(probe, now);
  const isKnown = standing !== 'certificate-expires-soon' || certificate !== null;
  if (certificate === null || certificate.code === null) {
    // The beats foretell nothing: of a site that was heard, and of a probe that is sure.
    const isOver = standing !== null && isKnown && record !== null;
    return isOver ? forecastOf(record.forecast, record.window, detection) : null;
  }
  return certificate.code === standing ? null : certificate;
}

export function recordWarning(
  state: RecoveryState,
  command: WarningCommand,
  moment: Moment,
): Reduction {
  const { service, site, observer, warning } = command;
  if (!state.observers.includes(observer)) {
    return { state, result: refused('unknown-observer', `${observer} is no control region`) };
  }
  const standing = warningsOf(state, service, site);
  if (standing === null) {
    return { state, result: refused('unknown-site', `${site} is no site of ${service}`) };
  }
  const { [observer]: previous, ...rest } = standing;
  const others = ofObservers(rest, state.observers);
  const warnings =
    warning.code === null
      ? others
      : { ...others, [observer]: { warning, at: moment.at, index: moment.index } };
  const told = tellingOf(command, { others, previous: previous?.warning ?? null });
  return {
    state: withEvents(withWarnings(state, { service, site, warnings }), told, moment),
    result: accepted('warning-recorded', `${observer}: ${site}: ${warning.sentence}`),
  };
}

/** A region that observes no more takes its warnings with it. */
function ofObservers(warnings: SiteWarnings, observers: readonly RegionId[]): SiteWarnings {
  return Object.fromEntries(
    Object.entries(warnings).filter(([name]) => observers.some((observer) => observer === name)),
  );
}

/** What stands about a site; null = there is no such site. */
function warningsOf(
  { services, monitors }: RecoveryState,
  service: string,
  site: string,
): SiteWarnings | null {
  const owner = ownValue(services, service) ?? ownValue(monitors, service);
  const found =
    owner === undefined ? undefined : ownValue<{ warnings?: SiteWarnings }>(owner.sites, site);
  return found === undefined ? null : (found.warnings ?? {});
}

/** A line for each warning that this region brought to the log, once it is there. */
export function logWarnings(
  applied: readonly AppliedEntry[],
  region: RegionId,
  log: LogEvent,
): void {
  for (const { entry } of applied) {
    const body = entry.command?.body as unknown as ControlCommand | undefined;
    if (body?.kind === 'warning' && body.observer === region) {
      const { service, site, warning } = body;
      const { code, sentence } = warning;
      log(code === null ? 'info' : 'warn', 'early-warning', { service, site, code, sentence });
    }
  }
}

function withWarnings(
  state: RecoveryState,
  change: { readonly service: string; readonly site: string; readonly warnings: SiteWarnings },
): RecoveryState {
  const { service: name, site, warnings } = change;
  const service = ownValue(state.services, name);
  const known = service === undefined ? undefined : ownValue(service.sites, site);
  if (service !== undefined && known !== undefined) {
    const sites = { ...service.sites, [site]: { ...known, warnings } };
    return { ...state, services: { ...state.services, [name]: { ...service, sites } } };
  }
  const monitor = ownValue(state.monitors, name);
  const watched = monitor === undefined ? undefined : ownValue(monitor.sites, site);
  if (monitor === undefined || watched === undefined) {
    return state;
  }
  const sites = { ...monitor.sites, [site]: { ...watched, warnings } };
  return { ...state, monitors: { ...state.monitors, [name]: { ...monitor, sites } } };
}

interface Told {
  /** Of the other observers. */
  readonly others: SiteWarnings;
  /** What this observer warned of before; null = nothing. */
  readonly previous: Forecast | null;
}

/** Three regions see the same sign: it is told once when the first sees it, and once when all lost it. */
function tellingOf(
  { service, site, observer, warning }: WarningCommand,
  { others, previous }: Told,
): readonly Happening[] {
  const codes = Object.values(others).map((other) => other.warning.code);
  if (warning.code !== null) {
    const sentence = `${site}: ${warning.code}: ${warning.sentence} (as ${observer} sees it)`;
    const isTold = codes.includes(warning.code) || previous?.code === warning.code;
    return isTold ? [] : [{ service, kind: 'warning', sentence }];
  }
  return previous === null || codes.length > 0
    ? []
    : [{ service, kind: 'warning', sentence: `${site}: ${previous.code} is over` }];
}
