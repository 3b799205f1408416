/**
 * Monitors in the state: services that are watched and never moved. Pure.
 *
 * A site of a monitor often tells one region only: a cron line has one URL. So its opinion is fused
 * from the regions that have ever heard it, and a majority of *those* convicts. The bar is lowered
 * by nobody's silence, since what was heard stays heard. For services, where a wrong opinion moves
 * traffic, all regions count (`fuseOpinion`).
 */
import type { EpochMillis, RegionId } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import {
  fuseOpinion,
  type ObserverVerdict,
  type Opinion,
  opinionLapsesAt,
  opinionOfUnheard,
} from '../detection/opinion.ts';
import type { Moment } from '../recovery/machine.ts';
import type { MonitorPolicy, SchedulePolicy } from '../recovery/policy.ts';
import type { MonitorSiteState, MonitorState, RecoveryState } from '../recovery/state.ts';
import { proofMsMaxOf } from './service-events.ts';
import { type Happening, withEvents } from './timeline.ts';
import { changedWatch, type WatchRules } from './watch-change.ts';

const DAY_MS = 86_400_000;
/** How long a success of a job by calendar refutes: a month, for most jobs run more often. */
const CALENDAR_PROOF_MS = 32 * DAY_MS;

/** Puts the monitors of a configuration in force; what is known of their sites survives. */
export function configureMonitors(
  state: RecoveryState,
  policies: readonly MonitorPolicy[],
  moment: Moment,
): RecoveryState {
  const next = policies.map((policy): readonly [string, MonitorState] => {
    const standing = ownValue(state.monitors, policy.service);
    return [policy.service, fused(state, configured(state, { policy, standing }, moment), moment)];
  });
  return { ...state, monitors: Object.fromEntries(next) };
}

/** Sites that came by themselves stay as far as the policy still lets them. */
function configured(
  state: RecoveryState,
  {
    policy,
    standing,
  }: { readonly policy: MonitorPolicy; readonly standing?: MonitorState | undefined },
  moment: Moment,
): MonitorState {
  const own = policy.sites.map(({ site }) => site);
  const provisioned = (standing?.provisioned ?? [])
    .filter((site) => !own.includes(site))
    .slice(0, policy.provisioning?.sitesMax ?? 0);
  const sites = [...own, ...provisioned].map((site): readonly [string, MonitorSiteState] => [
    site,
    standing === undefined
      ? unheard(state, moment)
      : siteAfter(state, { site, standing, next: { policy, provisioned } }, moment),
  ]);
  return {
    policy,
    provisioned,
    sites: Object.fromEntries(sites),
    reviewAt: standing?.reviewAt ?? null,
  };
}

function siteAfter(
  state: RecoveryState,
  of: {
    readonly site: string;
    readonly standing: MonitorState;
    readonly next: Pick<MonitorState, 'policy' | 'provisioned'>;
  },
  moment: Moment,
): MonitorSiteState {
  const { site, standing, next } = of;
  const known = ownValue(standing.sites, site);
  if (known === undefined) {
    return unheard(state, moment);
  }
  const [before, after] = [standing, next].map(({ policy, provisioned }) => ({
    detection: policy.detection,
    schedule: scheduleOf(policy, provisioned, site),
  })) as [WatchRules, WatchRules];
  return { ...known, ...changedWatch(known.watchChange, { before, after }, moment.at) };
}

export function unheard(
  { observers }: RecoveryState,
  { at }: Pick<Moment, 'at'>,
): MonitorSiteState {
  const opinion = opinionOfUnheard(observers);
  return { verdicts: {}, opinion, opinionSince: null, watchChange: { at, before: null } };
}

/** Replaces one monitor and tells which opinions changed. */
export function withMonitor(
  state: RecoveryState,
  monitor: MonitorState,
  moment: Moment,
): RecoveryState {
  const { service } = monitor.policy;
  const before = ownValue(state.monitors, service);
  const after = fused(state, monitor, moment);
  const happenings = Object.entries(after.sites).flatMap(([site, { opinion, verdicts }]) =>
    opinion.state === ownValue(before?.sites ?? {}, site)?.opinion.state
      ? []
      : [
          happening(
            service,
            site,
            opinion,
            Object.values(verdicts).map(({ verdict }) => verdict),
          ),
        ],
  );
  const next = { ...state, monitors: { ...state.monitors, [service]: after } };
  return withEvents(next, happenings, moment);
}

/** In the words of a region that sees the site in this state, which say more than the count of votes. */
function happening(
  service: string,
  site: string,
  ...[opinion, verdicts]: [Opinion, readonly { state: string; sentence: string }[]]
): Happening {
  const witness = verdicts.find(({ state }) => state === opinion.state);
  const sentence = `${site} is ${opinion.state}: ${witness?.sentence ?? opinion.sentence}`;
  return { service, kind: 'opinion', sentence };
}

function fused(
  { observers }: RecoveryState,
  monitor: MonitorState,
  { at }: Pick<Moment, 'at'>,
): MonitorState {
  let reviewAt: EpochMillis | null = null;
  const sites = Object.entries(monitor.sites).map(
    ([name, site]): readonly [string, MonitorSiteState] => {
      const proofMsMax = proofMsOf(monitor, name);
      const opinion = fuseSite(site, { observers, now: at, proofMsMax });
      const verdicts = Object.values(site.verdicts).map(({ verdict }) => verdict);
      const lapsesAt = opinionLapsesAt(opinion, verdicts, { now: at, proofMsMax });
      reviewAt = lapsesAt === null ? reviewAt : earliest(reviewAt, lapsesAt);
      const isChanged = opinion.state !== site.opinion.state;
      return [name, { ...site, opinion, opinionSince: isChanged ? at : site.opinionSince }];
    },
  );
  return { ...monitor, sites: Object.fromEntries(sites), reviewAt };
}

function fuseSite(
  { verdicts }: MonitorSiteState,
  context: {
    readonly observers: readonly RegionId[];
    readonly now: EpochMillis;
    readonly proofMsMax: number;
  },
): Opinion {
  const { observers, now, proofMsMax } = context;
  const all = observers.flatMap((observer): readonly ObserverVerdict[] => {
    const verdict = ownValue(verdicts, observer)?.verdict;
    return verdict === undefined || verdict.bootId === null ? [] : [{ observer, verdict }];
  });
  const heard = all.filter((one) => !all.some((other) => isOverruled(one, other)));
  return heard.length === 0
    ? opinionOfUnheard(observers)
    : fuseOpinion(
        heard,
        heard.map(({ observer }) => observer),
        { now, proofMsMax },
      );
}

/** A failure that a job reported to one region is newer than what another region heard before it. */
function isOverruled(one: ObserverVerdict, by: ObserverVerdict): boolean {
  const [before, after] = [one.verdict.lastArrivalAt, by.verdict.lastArrivalAt];
  const isLater = before !== null && after !== null && before < after;
  return by.verdict.code === 'run-failed' && isLater;
}

/** How long a beat proves life: as long as the silence after it may last. */
function proofMsOf({ policy, provisioned }: MonitorState, site: string): number {
  const schedule = scheduleOf(policy, provisioned, site);
  if (schedule === null) {
    return proofMsMaxOf(policy.detection);
  }
  const periodMs = schedule.kind === 'every' ? schedule.everyMs : CALENDAR_PROOF_MS;
  return periodMs + schedule.graceMs;
}

/** null = the site beats all the time, or there is no such site. */
export function scheduleOf(
  { sites, provisioning }: MonitorPolicy,
  provisioned: readonly string[],
  site: string,
): SchedulePolicy | null {
  const own = sites.find((candidate) => candidate.site === site);
  return own === undefined && provisioned.includes(site)
    ? (provisioning?.schedule ?? null)
    : (own?.schedule ?? null);
}

function earliest(current: EpochMillis | null, candidate: EpochMillis): EpochMillis {
  return current === null || candidate < current ? candidate : current;
}
