/**
 * Drills: practice runs that are real, bounded in time, and take themselves back.
 *
 * A plan that was never run is a hope. A drill moves the traffic of a healthy service to a healthy
 * standby, leaves it there for a while, and brings it home, all in the log: so it comes home also
 * when the one who began it, or the region that led, is gone. It is the one run that nobody needs, so
 * it is refused for every reason that there is, and ends early for every doubt about the site that
 * serves meanwhile. None of these rules ever holds back a failover.
 *
 * Here are the rules, pure; the transitions are the machine's, the calendar is
 * `lib/control/drills.ts`. Source: zonal autoshift's practice runs (blocking alarms, blocked dates),
 * which AWS offers within a region only.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { formatInstant, instantWords } from '../base/instant.ts';
import { ownValue } from '../base/own-value.ts';
import { countingAlarms } from './alarm-policy.ts';
import { isReady } from './analysis.ts';
import { describeFreeze, type Freeze, standingFreeze } from './freeze.ts';
import { RUN_LIMITS } from './limits.ts';
import { describeWindow, standingWindows } from './maintenance.ts';
import type { DrillPolicy } from './plan.ts';
import type { ServiceState } from './state.ts';

/** Why a drill does not begin, besides what refuses every run. */
export const DRILL_REFUSAL_CODES = [
  'drill-not-steady',
  'drill-frozen',
  'drill-in-maintenance',
  'drill-date-blocked',
  'drill-alarm-stands',
  'drill-unprotected',
  'drill-without-target',
  'drill-already-held',
] as const;

/** Why a drill goes home. */
export const DRILL_END_CODES = [
  'drill-time-is-up',
  'drill-ended-by-person',
  'drill-ended-by-alarm',
  'drill-site-sick',
] as const;

export type DrillRefusalCode = (typeof DRILL_REFUSAL_CODES)[number];
export type DrillEndCode = (typeof DRILL_END_CODES)[number];

export type DrillReason<Code> = readonly [code: Code, sentence: string];

/** Who may begin a drill, and where it goes: decided on the state as of one entry. */
export type DrillChoice =
  | { readonly kind: 'act'; readonly to: string; readonly durationMs: number }
  | { readonly kind: 'refuse'; readonly reason: DrillReason<DrillRefusalCode> };

export interface DrillRequest {
  /** null = the site of the policy, or the first that is ready. */
  readonly to: string | null;
  /** null = as long as the policy says. */
  readonly durationMs: number | null;
  /** The instant of the calendar that asks; null = a person does. */
  readonly occurrence: EpochMillis | null;
}

interface Surroundings {
  readonly at: EpochMillis;
  /** The kill switch of all services. */
  readonly freeze: Freeze | null;
}

/** Whether a drill may begin now, and where it goes. Pure; total. */
export function chooseDrill(
  service: ServiceState,
  request: DrillRequest,
  surroundings: Surroundings,
): DrillChoice {
  const blocked = blockOf(service, request, surroundings);
  if (blocked !== null) {
    return { kind: 'refuse', reason: blocked };
  }
  const target = targetOf(service, request.to);
  if (typeof target !== 'string') {
    return { kind: 'refuse', reason: target };
  }
  const windows = standingWindows(service, surroundings.at);
  const window = windows.find(({ site }) => site === null || site === target);
  return window === undefined
    ? { kind: 'act', to: target, durationMs: durationOf(service.policy.drill, request.durationMs) }
    : { kind: 'refuse', reason: ['drill-in-maintenance', describeWindow(window)] };
}

type Block = DrillReason<DrillRefusalCode> | null;

function blockOf(
  service: ServiceState,
  { occurrence }: DrillRequest,
  { at, freeze }: Surroundings,
): Block {
  const held = service.drillOccurrence ?? null;
  if (occurrence !== null && held !== null && occurrence <= held) {
    return ['drill-already-held', `the one of ${instantWords(held)} was dealt with`];
  }
  if (service.phase.kind !== 'steady') {
    return ['drill-not-steady', `${service.policy.service} is ${service.phase.kind}`];
  }
  const frozen = standingFreeze(freeze, at) ?? standingFreeze(service.freeze, at);
  if (frozen !== null) {
    return ['drill-frozen', `frozen ${describeFreeze(frozen)}`];
  }
  const [window] = standingWindows(service, at).filter(
    ({ site }) => site === null || site === service.activeSite,
  );
  if (window !== undefined) {
    return ['drill-in-maintenance', `maintenance of ${describeWindow(window)}`];
  }
  return calendarBlock(service.policy.drill, at) ?? healthBlock(service);
}

/** The days of the policy are UTC, as are all instants that people read here. */
function calendarBlock(policy: DrillPolicy | null, at: EpochMillis): Block {
  const day = formatInstant(at).slice(0, 'yyyy-mm-dd'.length);
  return policy?.blockedDates.includes(day) === true
    ? ['drill-date-blocked', `the policy allows no drill on ${day}`]
    : null;
}

function healthBlock(service: ServiceState): Block {
  const alarm = blockingAlarm(service);
  if (alarm !== null) {
    return ['drill-alarm-stands', `${alarm} stands`];
  }
  const state = ownValue(service.sites, service.activeSite)?.opinion.state ?? 'pending';
  if (state !== 'healthy') {
    return ['drill-not-steady', `${service.activeSite}, which serves, is ${state}`];
  }
  return service.unprotectedSince === null
    ? null
    : ['drill-unprotected', 'no other site could take the traffic back'];
}

function targetOf(
  service: ServiceState,
  asked: string | null,
): string | DrillReason<DrillRefusalCode> {
  const { policy, sites, activeSite } = service;
  const wanted = asked ?? policy.drill?.to ?? null;
  const standbys = policy.sites.map(({ site }) => site).filter((site) => site !== activeSite);
  const ready = standbys.filter((site) => isReady(service, site));
  // The policy's site may be the one that serves just now: then the drill goes to another.
  const named = asked === null && wanted === activeSite ? null : wanted;
  const target = named === null ? ready[0] : ready.find((site) => site === named);
  if (target !== undefined) {
    return target;
  }
  return named === null
    ? ['drill-without-target', 'no other site is healthy and free of alarms']
    : ['drill-without-target', `${named} is ${whyNot(named, { sites, activeSite })}`];
}

function whyNot(site: string, { sites, activeSite }: Pick<ServiceState, 'sites' | 'activeSite'>) {
  const found = ownValue(sites, site);
  if (site === activeSite) {
    return 'the active site';
  }
  const state = found?.opinion.state;
  return state === undefined
    ? 'no site of this service'
    : state === 'healthy'
      ? 'healthy, but an alarm stands against it'
      : state;
}

/** As asked, within what a drill may last. */
export function durationOf(policy: DrillPolicy | null, asked: number | null): number {
  const wanted = asked ?? policy?.durationMs ?? RUN_LIMITS.drillMsDefault;
  return Math.max(RUN_LIMITS.drillMsMin, Math.min(wanted, RUN_LIMITS.drillMsMax));
}

/**
 * Why a drill whose traffic stands at its site must go home now; null = it may go on. A site under
 * suspicion serves still: a drill that is broken off by one late heartbeat proves nothing.
 */
export function drillEnd(service: ServiceState, at: EpochMillis): DrillReason<DrillEndCode> | null {
  const { drill } = service;
  if (drill === null) {
    return null;
  }
  const alarm = blockingAlarm(service);
  if (alarm !== null) {
    return ['drill-ended-by-alarm', `${alarm} stands`];
  }
  const opinion = ownValue(service.sites, drill.site)?.opinion;
  const isSick =
    opinion === undefined || SICK.has(opinion.state) || opinion.code === 'deregistered';
  if (isSick) {
    return ['drill-site-sick', `${drill.site} is ${opinion?.sentence ?? 'gone'}`];
  }
  return drill.revertAt !== null && drill.revertAt <= at
    ? ['drill-time-is-up', `it was to last until ${instantWords(drill.revertAt)}`]
    : null;
}

const SICK: ReadonlySet<string> = new Set(['failed', 'degraded']);

/** A calendar that is new begins when it was applied: what would have been due before is not. */
export function calendarBegun(
  before: DrillPolicy | null,
  after: DrillPolicy | null,
  at: EpochMillis,
): Pick<ServiceState, 'drillOccurrence'> {
  const [old, now] = [before?.schedule ?? null, after?.schedule ?? null];
  const isSame = now === null || (old?.cron === now.cron && old.timezone === now.timezone);
  return isSame ? {} : { drillOccurrence: at };
}

/**
 * The first alarm of any site that keeps drills away; null = none stands. The names are the drill's own;
 * what an alarm without data counts as is the rule of the service, as for a failover.
 */
function blockingAlarm({ policy, sites }: ServiceState): string | null {
  const blocking = { ...policy.alarms, triggering: policy.drill?.blockingAlarms ?? ['*'] };
  for (const [name, site] of Object.entries(sites)) {
    const [alarm] = countingAlarms(site, blocking);
    if (alarm !== undefined) {
      return `alarm ${alarm.name} of ${name}`;
    }
  }
  return null;
}
