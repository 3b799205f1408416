/**
 * What may go wrong in the whole world, by name: each is begun and ended at instants that a scenario
 * chooses, and says in one sentence what it is.
 */
import type { ProcessClock } from '../process-clock.ts';
import type { WholeWorld } from './whole-world.ts';

/** What is going on in the world outside, told as it happens. */
export type Tell = (sentence: string) => void;

export interface Stage {
  readonly whole: WholeWorld;
  readonly tell: Tell;
}

/** An AWS region is gone: its control region, its table, and every site in it. */
export function loseRegion({ whole, tell }: Stage, name: string): void {
  const control = whole.regions.find(({ region }) => region === name);
  if (control !== undefined) {
    whole.wires.downPlaces.add(control.place.name);
    control.kill();
  }
  for (const site of whole.sites.filter(({ place }) => place.location === name)) {
    whole.wires.downPlaces.add(site.place.name);
    site.kill();
  }
  whole.lag.stop();
  tell(`region ${name} is lost: its control region, its tables and its sites`);
}

export function restoreRegion({ whole, tell }: Stage, name: string): void {
  whole.lag.resume();
  const control = whole.regions.find(({ region }) => region === name);
  if (control !== undefined) {
    whole.wires.downPlaces.delete(control.place.name);
    whole.bootRegion(name);
  }
  for (const site of whole.sites.filter(({ place }) => place.location === name)) {
    whole.wires.downPlaces.delete(site.place.name);
    site.boot();
  }
  tell(`region ${name} is back`);
}

/** One site is gone; its region lives. */
export function loseSite({ whole, tell }: Stage, name: string): void {
  const site = whole.site(name);
  whole.wires.downPlaces.add(site.place.name);
  site.kill();
  whole.lag.stop();
  tell(`site ${name} is lost`);
}

export function restoreSite({ whole, tell }: Stage, name: string): void {
  const site = whole.site(name);
  whole.lag.resume();
  whole.wires.downPlaces.delete(site.place.name);
  site.boot();
  tell(`site ${name} is back`);
}

/** Beats go on, requests fail: what heartbeats alone never see. */
export function setGray({ whole, tell }: Stage, name: string, isGray: boolean): void {
  const site = whole.site(name);
  site.ailment.isGray = isGray;
  whole.lookAtClients();
  tell(isGray ? `site ${name} beats and answers no request` : `site ${name} answers again`);
}

/** One direction, by names of places as `wires.ts` writes them; `*` = everybody. */
export interface Way {
  readonly from: string;
  readonly to: string;
}

export function cut({ whole, tell }: Stage, ways: readonly Way[], sentence: string): void {
  for (const { from, to } of ways) {
    whole.wires.cutWays.add(`${from}>${to}`);
  }
  tell(sentence);
}

export function heal({ whole, tell }: Stage, ways: readonly Way[]): void {
  for (const { from, to } of ways) {
    whole.wires.cutWays.delete(`${from}>${to}`);
  }
  tell('the ways are open again');
}

/** Both directions between each of some places and each of others. */
export function bothWays(left: readonly string[], right: readonly string[]): readonly Way[] {
  return left.flatMap((from) =>
    right.flatMap((to) => [
      { from, to },
      { from: to, to: from },
    ]),
  );
}

/** The zone's control plane answers nobody; name servers and health checkers go on. */
export function setControlPlaneAway({ whole, tell }: Stage, isAway: boolean): void {
  whole.zone.isControlPlaneAway = isAway;
  tell(isAway ? 'the control plane of DNS answers nobody' : 'the control plane of DNS answers');
}

export interface ClockTrouble {
  /** Wall clock, milliseconds added at once. */
  readonly jumpMs: number;
  /** How fast the clocks run from now on; 1 = true. */
  readonly rate: number;
}

export function troubleClock(
  { tell }: Stage,
  clock: ProcessClock | null,
  { jumpMs, rate, whose }: ClockTrouble & { readonly whose: string },
): void {
  clock?.jump(jumpMs);
  clock?.drift(rate);
  tell(`the clock of ${whose} jumps by ${jumpMs} ms and runs at ${rate}`);
}

/** Loss and slowness of all ways of a place; 0 and 1 = as usual. */
export function setWeather(
  { whole, tell }: Stage,
  place: string,
  { loss, slowness }: { readonly loss: number; readonly slowness: number },
): void {
  whole.wires.lossAt.set(place, loss);
  whole.wires.slownessAt.set(place, slowness);
  tell(
    `${place}: ${Math.round(loss * 100)} % of its packets are lost, delays are ${slowness} times as long`,
  );
}
