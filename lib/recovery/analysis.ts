/**
 * Analysis: what is wrong with a service, as one code from a closed list.
 *
 * Analysis always runs and never acts (the split between detection and recovery that
 * openark/orchestrator proved). Each code is explained in `docs/failure-modes.md`; a test holds
 * the two lists together.
 */
import { ownValue } from '../base/own-value.ts';
import type { Analysis, SiteState } from './state.ts';

export const ANALYSIS_CODES = [
  'all-sites-healthy',
  'waiting-for-first-heartbeat',
  'active-site-suspect',
  'active-site-degraded',
  'active-site-unknown',
  'active-site-alarm',
  'active-site-deregistered',
  'active-site-failed',
  'standby-not-ready',
  'all-sites-failed',
] as const;

export type AnalysisCode = (typeof ANALYSIS_CODES)[number];

interface Situation {
  readonly service: string;
  readonly activeSite: string;
  readonly sites: { readonly [site: string]: SiteState };
}

/** The most serious thing that is true of the service now. Pure; total. */
export function analyse(situation: Situation): Analysis {
  const { service, activeSite, sites } = situation;
  const active = ownValue(sites, activeSite);
  const opinion = active?.opinion.state ?? 'pending';
  const standbys = Object.entries(sites).filter(([site]) => site !== activeSite);
  const anyStandbyReady = standbys.some(([, site]) => isReady(site));
  if (opinion === 'failed') {
    const allDown = standbys.every(([, site]) => isGone(site));
    return allDown
      ? found('all-sites-failed', `no site of ${service} shows a sign of life`)
      : found('active-site-failed', `${service}@${activeSite} failed: ${active?.opinion.sentence}`);
  }
  if (active?.opinion.code === 'deregistered') {
    return found(
      'active-site-deregistered',
      `${service}@${activeSite} left on purpose and is still the active site`,
    );
  }
  if (active?.alarms.some(({ state }) => state === 'alarm') === true) {
    const names = active.alarms.filter(({ state }) => state === 'alarm').map(({ name }) => name);
    return found('active-site-alarm', `${service}@${activeSite}: alarm ${names.join(', ')}`);
  }
  return ACTIVE_SITE_FINDINGS[opinion] !== undefined
    ? found(ACTIVE_SITE_FINDINGS[opinion], `${service}@${activeSite} is ${opinion}`)
    : anyStandbyReady
      ? found('all-sites-healthy', `${service}@${activeSite} serves; a standby is ready`)
      : found(
          'standby-not-ready',
          `${service}@${activeSite} serves without a standby that is ready`,
        );
}

const ACTIVE_SITE_FINDINGS: { readonly [opinion: string]: AnalysisCode | undefined } = {
  pending: 'waiting-for-first-heartbeat',
  suspect: 'active-site-suspect',
  degraded: 'active-site-degraded',
  unknown: 'active-site-unknown',
};

/** Failed, or left on purpose. */
function isGone({ opinion }: SiteState): boolean {
  return opinion.state === 'failed' || opinion.code === 'deregistered';
}

/** Whether a site may take traffic: healthy by the quorum, and no alarm stands against it. */
export function isReady(site: SiteState | undefined): boolean {
  return (
    site !== undefined &&
    site.opinion.state === 'healthy' &&
    site.alarms.every(({ state }) => state !== 'alarm')
  );
}

function found(code: AnalysisCode, sentence: string): Analysis {
  return { code, sentence };
}
