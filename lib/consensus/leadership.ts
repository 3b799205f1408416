/**
 * Hands the lead over to a region of one's choice (thesis section 3.10): before the leading region is
 * taken away, or because another one is nearer to those who write.
 *
 * The target is brought level, then stands for election in a new term. Its own vote and the others'
 * are asked as in any election, so a hand-over can fail, and cannot do harm.
 */
import type { RegionId } from '../base/identifiers.ts';
import { type Cluster, clientOf } from './cluster.ts';
import { elect } from './elector.ts';
import type { LogHost } from './log-host.ts';
import { isLeader, type Server } from './server.ts';

export interface LeadershipParts<State> {
  readonly cluster: Cluster;
  readonly host: LogHost<State>;
}

/** A strongly consistent copy of the leader, all of whose log was committed; null = none confirmed. */
export async function confirmedLeader<State>({
  cluster,
  host,
}: LeadershipParts<State>): Promise<Server | null> {
  const isConfirmed = await host.confirmLeadership();
  if (!isConfirmed || host.leader === null) {
    return null;
  }
  const server = await clientOf(cluster, host.leader.region).refresh();
  return server !== null && isLeader(server) ? server : null;
}

/** False when it did not come about: no quorum, or the target does not hold what the others hold. */
export async function transferLeadership<State>(
  parts: LeadershipParts<State>,
  region: RegionId,
): Promise<boolean> {
  const { cluster, host } = parts;
  const leader = await confirmedLeader(parts);
  if (leader === null || leader.identity.region === region) {
    return leader !== null;
  }
  await host.bringLevel(leader, region);
  const termSeen = host.highestTermSeen;
  const election = await elect(cluster, { termSeen, region });
  if (election.kind !== 'won') {
    return false;
  }
  await host.lead(election.leader);
  // The new leader's region has not looked yet: without a sign the others would elect again.
  const { term } = election.leader;
  const beat = { term, leader: region, counter: 0, commit: host.commit };
  await Promise.all([...cluster.clients.values()].map((client) => client.writeBeat(beat)));
  return true;
}
