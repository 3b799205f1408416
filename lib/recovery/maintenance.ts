/**
 * Maintenance windows: for a while people work on a service or a site, and no run starts by itself.
 *
 * Detection goes on and everything is told; only the automatic decision is refused. A window ends by
 * itself at its instant, because the one that is forgotten would else switch recovery off for good.
 * Instants are wall clocks of whoever proposed the entries: an end that lies further ahead than any
 * window may last was stamped by a clock that runs ahead, and is taken to be that far ahead.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { instantWords } from '../base/instant.ts';
import { RUN_LIMITS } from './limits.ts';

export interface MaintenanceWindow {
  /** null = the whole service. */
  readonly site: string | null;
  readonly since: EpochMillis;
  readonly until: EpochMillis;
  readonly by: string;
  readonly reason: string;
}

/** The part of a service's state that this is about. */
export interface MaintenanceState {
  /** One for each site at most, and one for the whole service. Absent where there never was one. */
  readonly maintenance?: readonly MaintenanceWindow[];
}

/** The windows that stand at `now`, none of them longer than any may be. */
export function standingWindows(
  { maintenance = [] }: MaintenanceState,
  now: EpochMillis,
): readonly MaintenanceWindow[] {
  const latest = epochMillis(now + RUN_LIMITS.maintenanceMsMax);
  return maintenance
    .filter(({ until }) => now < until)
    .map((window) => (window.until <= latest ? window : { ...window, until: latest }));
}

/** The window that holds this site at `now`: its own, or that of the whole service. */
export function windowOf(
  state: MaintenanceState,
  site: string,
  now: EpochMillis,
): MaintenanceWindow | null {
  const own = standingWindows(state, now).filter(
    (window) => window.site === null || window.site === site,
  );
  return own.toSorted((a, b) => b.until - a.until)[0] ?? null;
}

/** When the next window ends; null = none stands. */
export function nextEnd(state: MaintenanceState, now: EpochMillis): EpochMillis | null {
  const ends = standingWindows(state, now).map(({ until }) => until);
  return ends.length === 0 ? null : epochMillis(Math.min(...ends));
}

/** `us-east-1 until 2026-11-23 12:00:00Z, by ann: new disks`. */
export function describeWindow({ site, until, by, reason }: MaintenanceWindow): string {
  return `${site ?? 'the whole service'} until ${instantWords(until)}, by ${by}: ${reason}`;
}
