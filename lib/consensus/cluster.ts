/** The registers of one cluster as one process sees them, and what is the same for all its parts. */
import type { Clock, Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { LogEvent } from '../base/log.ts';
import { FlowControl } from './flow-control.ts';
import { type Configuration, decidersOf, regionOf } from './membership.ts';
import { isMajority, isQuorum } from './quorum.ts';
import { RegisterClient } from './register-client.ts';
import type { RegisterPort } from './register-port.ts';
import {
  type ClusterIdentity,
  compareLogs,
  configurationOf,
  isLeader,
  lastEntry,
  membersAmong,
  type Server,
} from './server.ts';
import { type ConsensusTimings, LOG_LIMITS, type LogLimits } from './settings.ts';

export interface Cluster {
  /** `region` is where this process runs. */
  readonly identity: ClusterIdentity;
  readonly clients: ReadonlyMap<RegionId, RegisterClient>;
  /** When each register may be written next. */
  readonly flow: FlowControl;
  readonly timings: ConsensusTimings;
  readonly limits: LogLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogEvent;
}

export interface ClusterOptions extends Omit<Cluster, 'clients' | 'flow' | 'limits'> {
  /** One for each region that holds, held or will hold a table of the cluster; the log says who votes. */
  readonly registers: readonly RegisterPort[];
  /** `LOG_LIMITS`, unless a simulation wants to meet them soon. */
  readonly limits?: LogLimits;
}

export function createCluster({ registers, ...rest }: ClusterOptions): Cluster {
  const regions = registers.map(({ region }) => region);
  invariant(new Set(regions).size === regions.length, 'two-registers-of-one-region', { regions });
  invariant(regions.includes(rest.identity.region), 'no-register-of-own-region', { regions });
  const clients = new Map(
    registers.map((register) => [register.region, new RegisterClient(register, rest.log)]),
  );
  const { limits = LOG_LIMITS, clock, random } = rest;
  return { ...rest, limits, clients, flow: new FlowControl({ clients, limits, clock, random }) };
}

export function clientOf({ clients }: Cluster, region: RegionId): RegisterClient {
  const client = clients.get(region);
  invariant(client !== undefined, 'no-register-of-region', { region });
  return client;
}

export function ownClient(cluster: Cluster): RegisterClient {
  return clientOf(cluster, cluster.identity.region);
}

/**
 * Strongly consistent reads of every register, begun within this call. Waits until the answers are
 * enough, else for all of them: a slow minority delays nobody. Registers without an answer are left out.
 */
export async function readAll(
  { clients }: Cluster,
  isEnough: (answers: readonly Server[]) => boolean,
): Promise<readonly Server[]> {
  const answers: Server[] = [];
  const reads = [...clients.values()].map(async (client) => {
    const server = await client.refresh();
    if (server !== null) {
      answers.push(server);
    }
  });
  await settledOrEnough(reads, () => isEnough(answers));
  return [...answers];
}

/**
 * The register that leads in the highest term among these. When that term has no leader (a campaign
 * came to nothing), the one whose term a quorum still shares: it can commit, and must, for only so
 * does it meet the register that left its term.
 */
export function leaderAmong(servers: readonly Server[]): Server | null {
  const highest = Math.max(0, ...servers.map(({ term }) => term));
  const leaders = servers.filter(isLeader);
  return (
    leaders.find(({ term }) => term === highest) ??
    leaders.find((leader) => isInQuorum(leader, servers)) ??
    null
  );
}

/** Whether a quorum of this leader's voters is among these, in its term. */
export function isInQuorum(leader: Server, servers: readonly Server[]): boolean {
  const inTerm = servers.filter(({ term }) => term === leader.term);
  return isQuorum(configurationOf(leader), membersAmong(inTerm));
}

/** Whether a quorum of this register's voters is among these, in whatever term. */
export function isAnswered(server: Server, servers: readonly Server[]): boolean {
  return isQuorum(configurationOf(server), membersAmong(servers));
}

/**
 * Whether these regions are enough for anything to be decided, as far as this process knows who
 * votes: a guess from the copies at hand, for clocks and messages only.
 */
export function areRegionsEnough({ clients }: Cluster, regions: ReadonlySet<RegionId>): boolean {
  const copies = [...clients.values()].map(({ cached }) => cached).filter((copy) => copy !== null);
  const latest = copies.toSorted((a, b) => compareLogs(lastEntry(a), lastEntry(b))).at(-1);
  if (latest === undefined) {
    return isMajority(regions.size, clients.size);
  }
  return doRegionsDecide(configurationOf(latest), regions);
}

/** Whether the tables of these regions are a quorum, if each is the one that the configuration means. */
export function doRegionsDecide(
  configuration: Configuration,
  regions: ReadonlySet<RegionId>,
): boolean {
  const deciders = decidersOf(configuration).filter((member) => regions.has(regionOf(member)));
  return isQuorum(configuration, new Set(deciders));
}

/** Resolves as soon as `isEnough`, at the latest when all tasks have settled. Tasks never reject. */
export function settledOrEnough(
  tasks: readonly Promise<unknown>[],
  isEnough: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    let open = tasks.length;
    const look = () => {
      if (open === 0 || isEnough()) {
        resolve();
      }
    };
    look();
    for (const task of tasks) {
      void task.then(() => {
        open -= 1;
        look();
      });
    }
  });
}
