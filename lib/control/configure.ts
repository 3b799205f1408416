/**
 * Puts a new configuration in force, or refuses it as a whole. Pure.
 *
 * What is known of a service survives as far as its sites do. A change that would take the ground
 * from under a live service (its active site gone, its records changed while a run is open) is
 * refused, because half a configuration is worse than an old one.
 */

import { ownValue } from '../base/own-value.ts';
import { opinionOfUnheard } from '../detection/opinion.ts';
import type { Moment } from '../recovery/machine.ts';
import { startSetup } from '../recovery/machine.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import type { RecoveryState, ServiceState, SiteState } from '../recovery/state.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { configureMonitors } from './monitors.ts';
import { reconsider, withService } from './service-events.ts';
import { withEvents } from './timeline.ts';
import { changedWatch } from './watch-change.ts';

type Configure = Extract<ControlCommand, { kind: 'configure' }>;

export interface Reduction {
  readonly state: RecoveryState;
  readonly result: CommandResult;
}

export function configure(state: RecoveryState, command: Configure, moment: Moment): Reduction {
  const conflict = conflictOf(state, command.policies);
  if (conflict !== null) {
    return { state, result: conflict };
  }
  if (state.configHash === command.configHash) {
    return { state, result: accepted('config-unchanged', 'this configuration is in force') };
  }
  const kept = Object.fromEntries(
    command.policies.flatMap(({ service }) => {
      const standing = ownValue(state.services, service);
      return standing === undefined ? [] : [[service, standing]];
    }),
  );
  const cleared: RecoveryState = { ...state, configHash: command.configHash, services: kept };
  const configured = command.policies.reduce(
    (next, policy) => configureService(next, policy, moment),
    cleared,
  );
  const monitors = command.monitors ?? [];
  const watching = configureMonitors(configured, monitors, moment);
  const sentence = `${command.by} applied configuration ${command.configHash.slice(0, 12)}`;
  const happenings = [...command.policies, ...monitors].map(({ service }) => ({
    service,
    kind: 'config',
    sentence,
  }));
  return {
    state: withEvents(watching, happenings, moment),
    result: accepted('config-applied', [sentence, ...silencedSites(state, command)].join('; ')),
  };
}

/** Sites that will be silent until their agents get another token: none of the old ones is left. */
function silencedSites({ services }: RecoveryState, { policies }: Configure): readonly string[] {
  return policies.flatMap(({ service, sites }) => {
    const standing = ownValue(services, service)?.policy.sites ?? [];
    return sites
      .filter(({ site, tokenHashes }) => {
        const old = standing.find((candidate) => candidate.site === site)?.tokenHashes ?? [];
        return old.length > 0 && !old.some((hash) => tokenHashes.includes(hash));
      })
      .map(
        ({ site }) => `every token of ${service}@${site} is replaced: give its agent the new one`,
      );
  });
}

function conflictOf(
  state: RecoveryState,
  policies: readonly ServicePolicy[],
): CommandResult | null {
  for (const standing of Object.values(state.services)) {
    const name = standing.policy.service;
    const policy = policies.find(({ service }) => service === name);
    const hasRun = 'run' in standing.phase;
    if (hasRun && (policy === undefined || needsSetup(standing, policy))) {
      return refused('run-in-progress', `${name} has an open run; wait for its end`);
    }
    if (policy !== undefined && !policy.sites.some(({ site }) => site === standing.activeSite)) {
      return refused(
        'active-site-removed',
        `${name}@${standing.activeSite} is active: fail over first`,
      );
    }
  }
  return null;
}

/**
 * A service that stands is looked at again: what the old policy refused (no automatic failover, a
 * longer hold-down), the new one may allow, and no other entry may come to ask for it.
 */
function configureService(
  state: RecoveryState,
  policy: ServicePolicy,
  moment: Moment,
): RecoveryState {
  const standing = ownValue(state.services, policy.service);
  const sites = Object.fromEntries(
    policy.sites.map(({ site }) => [site, siteAfter(state, { standing, policy, site }, moment)]),
  );
  if (standing === undefined) {
    return withService(state, startSetup(newService(policy, sites, moment), moment), moment);
  }
  const maintenance = (standing.maintenance ?? []).filter(
    ({ site }) => site === null || policy.sites.some((known) => known.site === site),
  );
  const service: ServiceState = { ...standing, policy, sites, maintenance };
  return needsSetup(standing, policy)
    ? withService(state, startSetup(service, moment), moment)
    : reconsider(state, service, { ...moment, requestedBy: 'tripoint', reason: 'automatic' });
}

function siteAfter(
  { observers }: RecoveryState,
  of: {
    readonly standing: ServiceState | undefined;
    readonly policy: ServicePolicy;
    readonly site: string;
  },
  { at }: Moment,
): SiteState {
  const { standing, policy, site } = of;
  const known = ownValue(standing?.sites ?? {}, site);
  if (standing === undefined || known === undefined) {
    const unheard = { verdicts: {}, opinion: opinionOfUnheard(observers), opinionSince: null };
    return { ...unheard, alarms: [], watchChange: { at, before: null } };
  }
  const before = { detection: standing.policy.detection, schedule: null };
  const after = { detection: policy.detection, schedule: null };
  return { ...known, ...changedWatch(known.watchChange, { before, after }, at) };
}

/** Whether the records that should stand for the active site change. */
function needsSetup({ policy: old, activeSite }: ServiceState, next: ServicePolicy): boolean {
  const address = ({ sites }: ServicePolicy) =>
    sites.find(({ site }) => site === activeSite)?.address;
  return (
    old.dnsName !== next.dnsName ||
    old.recordType !== next.recordType ||
    old.ttlSeconds !== next.ttlSeconds ||
    address(old) !== address(next)
  );
}

function newService(
  policy: ServicePolicy,
  sites: ServiceState['sites'],
  { term, index }: Moment,
): ServiceState {
  return {
    policy,
    phase: { kind: 'steady' },
    activeSite: policy.primary,
    epoch: { term, index },
    sites,
    analysis: { code: 'waiting-for-first-heartbeat', sentence: 'configured just now' },
    decision: null,
    lastRunEndedAt: null,
    automaticRunStarts: [],
    reviewAt: null,
  };
}

export function accepted(code: string, sentence: string): CommandResult {
  return { kind: 'accepted', code, sentence };
}

export function refused(code: string, sentence: string): CommandResult {
  return { kind: 'refused', code, sentence };
}
