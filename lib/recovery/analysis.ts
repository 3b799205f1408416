/**
 * Analysis: what is wrong with a service, as one code from a closed list.
 *
 * Analysis always runs and never acts (the split between detection and recovery that
 * openark/orchestrator proved). Each code is explained in `docs/failure-modes.md`; a test holds
 * the two lists together.
 */
import { ownValue } from '../base/own-value.ts';
import type { Opinion } from '../detection/opinion.ts';
import { countingAlarms } from './alarm-policy.ts';
import type { Analysis, ServiceState } from './state.ts';
import { shareOf } from './traffic.ts';

export const ANALYSIS_CODES = [
  'all-sites-healthy',
  'waiting-for-first-heartbeat',
  'active-site-suspect',
  'active-site-degraded',
  'active-site-unknown',
  'active-site-alarm',
  'active-site-deregistered',
  'active-site-fenced',
  'active-site-failed',
  'standby-not-ready',
  'site-out-of-rotation',
  'plan-not-ready',
  'all-sites-failed',
] as const;

export type AnalysisCode = (typeof ANALYSIS_CODES)[number];

/** The part of a service's state that tells what is wrong. */
export type Situation = Pick<
  ServiceState,
  'policy' | 'activeSite' | 'traffic' | 'sites' | 'readiness'
>;

/** The most serious thing that is true of the service now. Pure; total. */
export function analyse(situation: Situation): Analysis {
  const serving = servingSites(situation);
  const sick = serving.filter((site) => isSick(situation, site));
  const [worst] = sick.filter((site) => opinionOf(situation, site)?.state === 'failed');
  if (worst !== undefined) {
    return failureOf(situation, worst);
  }
  const [left] = sick.filter((site) => opinionOf(situation, site)?.code === 'deregistered');
  const { service } = situation.policy;
  if (left !== undefined) {
    const sentence = `${service}@${left} left on purpose and is still an active site`;
    return found('active-site-deregistered', sentence);
  }
  const [fenced] = sick.filter((site) => isFenced(situation, site));
  if (fenced !== undefined) {
    const sentence = `${service}@${fenced} beats, hears no answer and has given up its role`;
    return found('active-site-fenced', sentence);
  }
  const [alarmed] = sick;
  if (alarmed !== undefined) {
    const names = alarmNames(situation, alarmed).join(', ');
    return found('active-site-alarm', `${service}@${alarmed}: alarm ${names}`);
  }
  return analyseServing(situation, serving);
}

/** Failed by the quorum: all of them, or this one. */
function failureOf(situation: Situation, site: string): Analysis {
  const { service } = situation.policy;
  const others = Object.keys(situation.sites).filter((other) => other !== site);
  return others.every((other) => isGone(situation, other))
    ? found('all-sites-failed', `no site of ${service} shows a sign of life`)
    : found(
        'active-site-failed',
        `${service}@${site} failed: ${opinionOf(situation, site)?.sentence}`,
      );
}

/** Nothing that serves is known to be gone: what else is there to say? */
function analyseServing(situation: Situation, serving: readonly string[]): Analysis {
  const { policy, activeSite, readiness } = situation;
  const { service } = policy;
  for (const site of serving) {
    const state = opinionOf(situation, site)?.state ?? 'pending';
    const code = ACTIVE_SITE_FINDINGS[state];
    if (code !== undefined) {
      return found(code, `${service}@${site} is ${state}`);
    }
  }
  const standbys = policy.sites.map(({ site }) => site).filter((site) => site !== activeSite);
  if (!standbys.some((site) => isReady(situation, site))) {
    const sentence = `${service}@${activeSite} serves without a standby that is ready`;
    return found('standby-not-ready', sentence);
  }
  const out = policy.sites.find(
    ({ site, weight }) => weight > 0 && shareOf(situation.traffic, site) === 0,
  );
  if (policy.strategy === 'active-active' && out !== undefined) {
    return found('site-out-of-rotation', `${service}@${out.site} gets no traffic`);
  }
  const failing = readiness?.findings.find(({ severity }) => severity === 'failing');
  return failing === undefined
    ? found('all-sites-healthy', `${service}@${activeSite} serves; a standby is ready`)
    : found('plan-not-ready', `a run would trip over ${failing.subject}: ${failing.sentence}`);
}

const ACTIVE_SITE_FINDINGS: { readonly [opinion: string]: AnalysisCode | undefined } = {
  pending: 'waiting-for-first-heartbeat',
  suspect: 'active-site-suspect',
  degraded: 'active-site-degraded',
  unknown: 'active-site-unknown',
};

/** Codes of a site that should not serve any more. */
export const FAILED_CODES: ReadonlySet<AnalysisCode> = new Set([
  'active-site-failed',
  'active-site-alarm',
  'active-site-deregistered',
  'active-site-fenced',
  'all-sites-failed',
]);

/** Codes of a service whose sites serve, for all that is known. */
export const SERVING_CODES: ReadonlySet<AnalysisCode> = new Set([
  'all-sites-healthy',
  'standby-not-ready',
  'active-site-degraded',
  'site-out-of-rotation',
  'plan-not-ready',
]);

/** Sites that clients reach, the active one first, the others in the order of the policy. */
export function servingSites({
  policy,
  activeSite,
  traffic,
}: Pick<ServiceState, 'policy' | 'activeSite' | 'traffic'>): readonly string[] {
  if (policy.strategy !== 'active-active') {
    return [activeSite];
  }
  const others = policy.sites
    .map(({ site }) => site)
    .filter((site) => site !== activeSite && shareOf(traffic, site) > 0);
  return shareOf(traffic, activeSite) > 0 ? [activeSite, ...others] : others;
}

type Sites = Pick<ServiceState, 'policy' | 'sites'>;

/** Whether a site should not serve: it failed, it left, it has fenced itself, or an alarm says so. */
export function isSick(service: Sites, site: string): boolean {
  return isGone(service, site) || isFenced(service, site) || alarmNames(service, site).length > 0;
}

/** It lives and has given up its role, because no answer reaches it: by a majority of all observers. */
function isFenced(service: Sites, site: string): boolean {
  return opinionOf(service, site)?.code === 'gave-up-role';
}

/** Failed, or left on purpose. */
export function isGone(service: Sites, site: string): boolean {
  const opinion = opinionOf(service, site);
  return opinion?.state === 'failed' || opinion?.code === 'deregistered';
}

/** Whether a site may take traffic: healthy by the quorum, and no alarm stands against it. */
export function isReady(service: Sites, site: string): boolean {
  return opinionOf(service, site)?.state === 'healthy' && alarmNames(service, site).length === 0;
}

function alarmNames({ policy, sites }: Sites, site: string): readonly string[] {
  return countingAlarms(ownValue(sites, site), policy.alarms).map(({ name }) => name);
}

function opinionOf({ sites }: Sites, site: string): Opinion | undefined {
  return ownValue(sites, site)?.opinion;
}

function found(code: AnalysisCode, sentence: string): Analysis {
  return { code, sentence };
}
