/**
 * Where the log's leadership rests between failures: in a region whose loss takes no active site along.
 *
 * When one failure takes an active site and the leader, nothing can be decided before somebody else
 * leads, and clients wait for both. So the leading region hands over (`leadership.ts`) to the region that is
 * home of the fewest active sites, when that is fewer than its own. With two sites and three regions
 * that is the region without a site, before and after a failover.
 *
 * Invariant: only over a log at rest (no run open, every region answers, the heir holds it all), and
 * never twice within `PAUSE_MS_MIN`. A hand-over is an election, so a wrong guess costs one, and no entry.
 */
import type { Clock } from '../base/clock.ts';
import type { MonotonicMillis, RegionId } from '../base/identifiers.ts';
import { type Cluster, ownClient } from '../consensus/cluster.ts';
import { transferLeadership } from '../consensus/leadership.ts';
import type { LogHost } from '../consensus/log-host.ts';
import {
  compareLogs,
  configurationOf,
  isLeader,
  lastEntry,
  memberOf,
} from '../consensus/server.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { roleOf } from '../recovery/traffic.ts';

/** How long everything must have been at rest. */
const REST_MS = 15_000;
/**
 * Between two hand-overs by one process. A region without a controller cannot keep the lead, so to the
 * same heir the pause doubles each time, to the second.
 */
const PAUSE_MS_MIN = 300_000;
const PAUSE_MS_MAX = 21_600_000;

/**
 * The region that should lead instead of this one; null = none is better. Of equals the one with
 * fewer sites at all (it stays the right one after a failover), then the first by name.
 *
 * @param heirs those that could lead at once
 */
export function heirOf(
  services: RecoveryState['services'],
  own: RegionId,
  heirs: readonly RegionId[],
): RegionId | null {
  const standings = Object.values(services);
  const sitesIn = (region: RegionId) =>
    standings.flatMap((service) =>
      service.policy.sites
        .filter((site) => site.region === region)
        .map(({ site }) => roleOf(service, site)),
    );
  const [best] = heirs
    .map((region) => ({ region, ...countsOf(sitesIn(region)) }))
    .toSorted((a, b) => a.active - b.active || a.all - b.all || (a.region < b.region ? -1 : 1));
  return best !== undefined && best.active < countsOf(sitesIn(own)).active ? best.region : null;
}

function countsOf(roles: readonly string[]): { readonly active: number; readonly all: number } {
  return { active: roles.filter((role) => role === 'active').length, all: roles.length };
}

export interface LeaderPlacementParts {
  readonly cluster: Cluster;
  readonly host: LogHost<RecoveryState>;
  readonly clock: Clock;
}

interface HandOver {
  readonly to: RegionId;
  readonly at: MonotonicMillis;
  readonly pauseMs: number;
}

/** Guards since when everything rests, and the last hand-over. */
export class LeaderPlacement {
  readonly #parts: LeaderPlacementParts;
  #restingSince: MonotonicMillis | null = null;
  #last: HandOver | null = null;

  constructor(parts: LeaderPlacementParts) {
    this.#parts = parts;
  }

  /** Hands over, if it is time to. */
  async round(): Promise<void> {
    const { cluster, host, clock } = this.#parts;
    const now = clock.monotonicNow();
    const heirs = this.#heirs();
    this.#restingSince = heirs === null ? null : (this.#restingSince ?? now);
    if (heirs === null || now - (this.#restingSince ?? now) < REST_MS || this.#isPausing(now)) {
      return;
    }
    const to = heirOf(host.replica.state.services, cluster.identity.region, heirs);
    if (to !== null) {
      this.#last = { to, at: now, pauseMs: this.#nextPauseMs(to) };
      const isDone = await transferLeadership({ cluster, host }, to);
      cluster.log('info', 'leadership-handed-over', { to, outcome: isDone ? 'done' : 'failed' });
    }
  }

  #isPausing(now: MonotonicMillis): boolean {
    return this.#last !== null && now - this.#last.at < this.#last.pauseMs;
  }

  #nextPauseMs(to: RegionId): number {
    const before = this.#last?.to === to ? this.#last.pauseMs : 0;
    return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, 2 * before));
  }

  /** The voters that hold all that this leading region holds; null = it does not lead, or no rest. */
  #heirs(): readonly RegionId[] | null {
    const { cluster, host } = this.#parts;
    const { cached: own } = ownClient(cluster);
    const clients = [...cluster.clients.values()];
    const { runs } = host.replica.state;
    if (
      own === null ||
      !isLeader(own) ||
      configurationOf(own).outgoing !== null ||
      clients.some(({ isReachable }) => !isReachable) ||
      runs.some(({ outcome }) => outcome.kind === 'open')
    ) {
      return null;
    }
    const { voters } = configurationOf(own);
    return clients
      .flatMap(({ cached }) => (cached === null || cached === own ? [] : [cached]))
      .filter((server) => voters.includes(memberOf(server)))
      .filter((server) => compareLogs(lastEntry(server), lastEntry(own)) === 0)
      .map(({ identity }) => identity.region);
  }
}
