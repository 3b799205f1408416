/**
 * Puts a new configuration in force, or refuses it as a whole. Pure.
 *
 * What is known of a service survives as far as its sites do. A change that would take the ground
 * from under a live service (its active site gone; while a run or drill is open anything that its plan
 * was made for) is refused, because half a configuration is worse than an old one.
 */

import { canonicalJson, type JsonValue } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import { opinionOfUnheard } from '../detection/opinion.ts';
import { servingSites } from '../recovery/analysis.ts';
import { calendarBegun } from '../recovery/drill.ts';
import type { Moment } from '../recovery/machine.ts';
import { startSetup } from '../recovery/machine.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import { isSameTraffic, policyShares } from '../recovery/rebalance.ts';
import type { RecoveryState, ServiceState, SiteState } from '../recovery/state.ts';
import { leadOf, shareOf, wholeTo } from '../recovery/traffic.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { configureMonitors } from './monitors.ts';
import { reconsider, withService } from './service-events.ts';
import { completedPolicy } from './state-migration.ts';
import { withEvents } from './timeline.ts';
import { changedWatch } from './watch-change.ts';

type Configure = Extract<ControlCommand, { kind: 'configure' }>;

export interface Reduction {
  readonly state: RecoveryState;
  readonly result: CommandResult;
}

export function configure(state: RecoveryState, written: Configure, moment: Moment): Reduction {
  const command = { ...written, policies: written.policies.map(completedPolicy) };
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
    const hasRun = 'run' in standing.phase || standing.drill !== null;
    const moved = hasRun ? movedGround(standing, policy) : null;
    if (moved !== null) {
      const sentence = `${name} has an open run or drill, and ${moved} would change under it; cancel it, or wait for its end`;
      return refused('run-in-progress', sentence);
    }
    const removed = [...servingSites(standing), ...Object.keys(standing.traffic)].find(
      (site) => policy !== undefined && !policy.sites.some((known) => known.site === site),
    );
    if (removed !== undefined) {
      return refused('active-site-removed', `${name}@${removed} is active: fail over first`);
    }
  }
  return null;
}

/**
 * What an open run or drill stands on, and the configuration changes; null = nothing. Its plan was made
 * for these: with another fencing it would move the authority without a fence, and a site that is gone
 * can neither take the traffic nor get it back. Sites may be added.
 */
function movedGround(standing: ServiceState, next: ServicePolicy | undefined): string | null {
  const { policy } = standing;
  if (next === undefined) {
    return 'the service';
  }
  const rule = GROUND.find((name) => !isSame(policy[name], next[name]));
  const site = policy.sites.find(({ site: name, address, capacity }) => {
    const after = next.sites.find((known) => known.site === name);
    return after?.address !== address || !isSame(after.capacity, capacity);
  });
  return (
    rule ??
    (site === undefined ? null : `site ${site.site}`) ??
    (needsSetup(standing, next) ? 'the records' : null)
  );
}

const GROUND = [
  'fencing',
  'strategy',
  'database',
  'dataPlaneName',
] as const satisfies readonly (keyof ServicePolicy)[];

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a as JsonValue) === canonicalJson(b as JsonValue);
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
    const calendar = calendarBegun(null, policy.drill, moment.at);
    const begun = { ...newService(policy, sites, moment), ...calendar };
    return withService(state, startSetup(begun, moment), moment);
  }
  const calendar = calendarBegun(standing.policy.drill, policy.drill, moment.at);
  const maintenance = (standing.maintenance ?? []).filter(
    ({ site }) => site === null || policy.sites.some((known) => known.site === site),
  );
  const isReweighted = !isSameTraffic(policyShares(standing.policy), policyShares(policy));
  const weights = isReweighted ? null : standing.weights;
  const traffic = isReshared(standing, policy) ? wholeTo(standing.activeSite) : standing.traffic;
  const changes = { policy, sites, maintenance, weights, traffic };
  const service: ServiceState = { ...standing, ...calendar, ...changes };
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
function needsSetup(standing: ServiceState, next: ServicePolicy): boolean {
  const { policy: old } = standing;
  const address = ({ sites }: ServicePolicy, name: string) =>
    sites.find(({ site }) => site === name)?.address;
  return (
    old.dnsName !== next.dnsName ||
    old.recordType !== next.recordType ||
    old.ttlSeconds !== next.ttlSeconds ||
    servingSites(standing).some((site) => address(old, site) !== address(next, site)) ||
    isReshared(standing, next) ||
    (old.strategy !== next.strategy && !isActiveServing(standing))
  );
}

/** A role that was withdrawn, or given ahead of the traffic, means another site under another strategy. */
function isActiveServing({ granted, traffic, activeSite }: ServiceState): boolean {
  return granted && shareOf(traffic, activeSite) > 0;
}

/** Whether several sites serve and from now on only one may. */
function isReshared({ activeSite, traffic }: ServiceState, { strategy }: ServicePolicy): boolean {
  return strategy !== 'active-active' && !isSameTraffic(traffic, wholeTo(activeSite));
}

function newService(
  policy: ServicePolicy,
  sites: ServiceState['sites'],
  { term, index }: Moment,
): ServiceState {
  const traffic = policyShares(policy);
  return {
    policy,
    phase: { kind: 'steady' },
    activeSite: leadOf(policy, traffic) ?? policy.primary,
    traffic,
    granted: true,
    epoch: { term, index },
    sites,
    analysis: { code: 'waiting-for-first-heartbeat', sentence: 'configured just now' },
    decision: null,
    lastRunEndedAt: null,
    automaticRunStarts: [],
    reviewAt: null,
    acknowledgement: null,
    overrides: [],
    freeze: null,
    drill: null,
    unprotectedSince: null,
    isTrafficInDoubt: false,
    weights: null,
    readiness: null,
  };
}

export function accepted(code: string, sentence: string): CommandResult {
  return { kind: 'accepted', code, sentence };
}

export function refused(code: string, sentence: string): CommandResult {
  return { kind: 'refused', code, sentence };
}
