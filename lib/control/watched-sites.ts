/**
 * Every site that this cluster listens to, whatever it is a site of: the one place where ingestion,
 * access checks and the observer look a site up.
 */
import { ownValue } from '../base/own-value.ts';
import type { DetectionPolicy } from '../detection/policy.ts';
import type { SchedulePolicy } from '../recovery/policy.ts';
import type { CommittedLag, LagRules } from '../recovery/replication.ts';
import type {
  CommittedVerdict,
  CommittedWarning,
  MonitorState,
  RecoveryState,
  WatchChange,
} from '../recovery/state.ts';
import { lagRulesOf } from './lag-words.ts';
import { scheduleOf } from './monitors.ts';

export interface WatchedSite {
  readonly service: string;
  readonly site: string;
  readonly detection: DetectionPolicy;
  /** When its runs are expected; null = it beats all the time. */
  readonly schedule: SchedulePolicy | null;
  /** SHA-256 (hex) of each accepted heartbeat token. */
  readonly tokenHashes: readonly string[];
  /** What the observers last brought to the log about it. */
  readonly verdicts: { readonly [observer: string]: CommittedVerdict };
  /** The early warnings that stand in the log, by observer. */
  readonly warnings: { readonly [observer: string]: CommittedWarning };
  /** When its replication lag is worth a word; null = never: nothing is moved to it. */
  readonly lagRules: LagRules | null;
  /** What the log says of that lag. */
  readonly lags: readonly CommittedLag[];
  /** The last change of how it is watched; null = none is known. */
  readonly watchChange: WatchChange | null;
}

/** null = no such site. */
export function watchedSite(
  state: RecoveryState,
  service: string,
  site: string,
): WatchedSite | null {
  const standing = ownValue(state.services, service);
  const policy = standing?.policy.sites.find((candidate) => candidate.site === site);
  if (standing === undefined) {
    const monitor = ownValue(state.monitors, service);
    return monitor === undefined ? null : monitoredSite(monitor, site);
  }
  return policy === undefined
    ? null
    : {
        service,
        site,
        detection: standing.policy.detection,
        schedule: null,
        tokenHashes: policy.tokenHashes,
        verdicts: ownValue(standing.sites, site)?.verdicts ?? {},
        warnings: ownValue(standing.sites, site)?.warnings ?? {},
        lagRules: lagRulesOf(standing),
        lags: ownValue(standing.sites, site)?.lags ?? [],
        watchChange: ownValue(standing.sites, site)?.watchChange ?? null,
      };
}

function monitoredSite(
  { policy, provisioned, sites }: MonitorState,
  site: string,
): WatchedSite | null {
  const standing = ownValue(sites, site);
  const own = policy.sites.find((candidate) => candidate.site === site);
  return standing === undefined
    ? null
    : {
        service: policy.service,
        site,
        detection: policy.detection,
        schedule: scheduleOf(policy, provisioned, site),
        tokenHashes: own?.tokenHashes ?? policy.provisioning?.tokenHashes ?? [],
        verdicts: standing.verdicts,
        warnings: standing.warnings ?? {},
        lagRules: null,
        lags: [],
        watchChange: standing.watchChange ?? null,
      };
}

/** All of them, in the order of the configuration. */
export function* watchedSites(state: RecoveryState): Generator<WatchedSite> {
  for (const { policy } of Object.values(state.services)) {
    for (const { site } of policy.sites) {
      const found = watchedSite(state, policy.service, site);
      if (found !== null) {
        yield found;
      }
    }
  }
  for (const monitor of Object.values(state.monitors)) {
    for (const site of Object.keys(monitor.sites)) {
      const found = monitoredSite(monitor, site);
      if (found !== null) {
        yield found;
      }
    }
  }
}
