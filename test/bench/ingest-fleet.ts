/** The fleet of the ingest benchmark: one service of many sites that all beat with one token. */
import { createHash } from 'node:crypto';
import type { RecoveryState } from '../../lib/recovery/state.ts';
import { createLogStory } from '../support/log-story.ts';
import { servicePolicy, sitePolicy } from '../support/service-states.ts';

export const SERVICE = 'checkout';
export const TOKEN = 'bench-token-bench-token-bench-token';
export const SITES = 100;

export function siteName(place: number): string {
  return `site-${String(place).padStart(4, '0')}`;
}

/** The state of a region that has applied a configuration with the fleet. */
export function fleetState(sites: number = SITES): RecoveryState {
  const tokenHashes = [createHash('sha256').update(TOKEN).digest('hex')];
  const names = Array.from({ length: sites }, (_, place) => siteName(place));
  const story = createLogStory();
  story.configure(
    servicePolicy({
      service: SERVICE,
      primary: siteName(0),
      sites: names.map((site) => sitePolicy(site, { tokenHashes })),
    }),
  );
  return story.state();
}
