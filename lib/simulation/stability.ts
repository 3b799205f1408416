/**
 * One region is lost that does not lead: nobody may be disturbed (scenario 7). No new term begins,
 * though the lost region's processes hear no beat; and no command waits for the lost table.
 *
 * Asked of a healthy cluster only: one leader, one term, nothing on its way.
 */
import type { Random } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import type { ConsensusTimings } from '../consensus/settings.ts';
import { DOWN } from './region-weather.ts';
import type { SimulatedClients } from './simulated-clients.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { World } from './world.ts';

/** A cluster after its faults, and what it takes to use it. */
export interface HealedCluster {
  readonly cluster: SimulatedCluster;
  readonly world: World;
  readonly clients: SimulatedClients;
  readonly random: Random;
  readonly timings: ConsensusTimings;
  readonly check: () => void;
  readonly onFailure: (thrown: unknown) => void;
}

/** The first may find the process unprepared; of the others one must be quick. */
const COMMANDS = 4;
/** Less than a request to a lost table takes before it is given up. */
const QUICK_MS = 95;

/**
 * A lost region's clock may run so much faster than the leader's that it takes a slow leader for a dead
 * one: clocks tune. So one undisturbed loss of several is enough.
 */
const LOSSES_MAX = 4;

/** @throws InvariantError when the loss of a follower disturbs the others, whoever leads. */
export async function requireStability(options: HealedCluster): Promise<void> {
  const { cluster, world, check } = options;
  let disturbance: string | null = null;
  for (let losses = 0; losses < LOSSES_MAX; losses += 1) {
    disturbance = await loseFollower(options);
    cluster.network.heal();
    if (disturbance === null) {
      return;
    }
    await world.run({ until: world.now + patienceMs(options), check });
  }
  invariant(disturbance === null, disturbance ?? 'no-disturbance');
}

/** A region without its table waits twice as long as others before it asks for an election. */
function patienceMs({ timings }: HealedCluster): number {
  return 2 * timings.electionTimeoutMsMax + 6 * timings.beatMs;
}

/** What it disturbed; null = nothing. */
async function loseFollower(options: HealedCluster): Promise<string | null> {
  const { cluster, world, random, check, onFailure } = options;
  const { leader, regions, network } = cluster;
  const followers = regions.filter((region) => region !== leader);
  const lost = followers[Math.floor(random() * followers.length)];
  if (leader === null || lost === undefined) {
    return 'no-leader-in-quiet';
  }
  const term = highestTerm(cluster);
  network.weather.set(lost, DOWN);
  let quickestMs = Number.POSITIVE_INFINITY;
  commandTimes(options).then((timesMs) => {
    quickestMs = Math.min(...timesMs);
  }, onFailure);
  await world.run({ until: world.now + patienceMs(options), check });
  if (highestTerm(cluster) !== term) {
    return 'healthy-leader-deposed';
  }
  return quickestMs <= QUICK_MS ? null : 'lost-region-waited-for';
}

/** How long commands take that go through the leading region, one after the other. */
async function commandTimes({ cluster, clients, world }: HealedCluster): Promise<number[]> {
  const { leader } = cluster;
  invariant(leader !== null, 'no-leader-in-quiet');
  const process = cluster.processAt('controller', leader);
  const client = clients.newClient();
  const timesMs: number[] = [];
  for (let count = 0; count < COMMANDS; count += 1) {
    const begunAt = world.now;
    await clients.proposeNew(process, client);
    timesMs.push(world.now - begunAt);
  }
  return timesMs;
}

function highestTerm({ copies }: SimulatedCluster): number {
  return Math.max(...copies.map(({ server }) => server.term));
}
