/** Situations that cases begin from or wait for, read over the public API. */
import type { RunJson, ServiceJson, StatusJson } from '../../../lib/api/schemas.ts';
import { EAST, type LocalCluster, REGIONS, SERVICE } from './cluster.ts';
import { require, until } from './wait.ts';

const SETTLE_TIMEOUT_MS = 60_000;

/** Any region's status, the first that answers. @throws Error when none does. */
async function anyStatus(cluster: LocalCluster): Promise<StatusJson> {
  for (const region of REGIONS) {
    const status = await cluster.status(region);
    if (status !== null) {
      return status;
    }
  }
  throw new Error('no region answers');
}

/** The freshest of the statuses that regions give now. */
export async function freshStatus(cluster: LocalCluster): Promise<StatusJson | null> {
  const statuses = await Promise.all(REGIONS.map((region) => cluster.status(region)));
  return statuses.reduce<StatusJson | null>(
    (best, status) =>
      status !== null && (best?.consensus.appliedIndex ?? -1) < status.consensus.appliedIndex
        ? status
        : best,
    null,
  );
}

export function checkout(status: StatusJson): ServiceJson {
  const service = status.services.find((candidate) => candidate.service === SERVICE);
  require(service !== undefined, `no service ${SERVICE} in the status of ${status.region}`);
  return service;
}

/** Everything up, nothing open, both sites healthy to every observer, the primary active. */
export async function baseline(cluster: LocalCluster): Promise<StatusJson> {
  for (const { name } of await cluster.processes()) {
    await cluster.bringUp(name);
  }
  return until(
    'everything is up, healthy and at the primary site',
    async () => {
      const status = await levelStatus(cluster);
      if (status === null || !isQuiet(checkout(status))) {
        return null;
      }
      if (checkout(status).activeSite !== EAST.site) {
        // Asked again each time: while a run is open it is refused, which changes nothing.
        await askFailback(cluster);
        return null;
      }
      const values = await cluster.resolve();
      return values?.join() === EAST.address ? status : null;
    },
    { timeoutMs: SETTLE_TIMEOUT_MS, pollMs: 100 },
  );
}

/** The status when all three regions answer and stand at the same entry, else null. */
export async function levelStatus(cluster: LocalCluster): Promise<StatusJson | null> {
  const statuses = await Promise.all(REGIONS.map((region) => cluster.status(region)));
  const [first] = statuses;
  const isLevel = statuses.every(
    (status) =>
      status?.consensus.quorum === true &&
      status.consensus.leader !== null &&
      status.consensus.chain === first?.consensus.chain &&
      status.consensus.appliedIndex === first.consensus.appliedIndex,
  );
  return isLevel && first !== undefined ? first : null;
}

/**
 * Steady, and every region hears every site. Where fewer do, a site counts as healthy too, but killing
 * it would prove nothing: those that never heard it cannot find it failed.
 */
export function isQuiet({ phase, sites }: ServiceJson): boolean {
  const isHealthy = sites.every(
    ({ verdicts }) =>
      verdicts.length === REGIONS.length && verdicts.every(({ state }) => state === 'healthy'),
  );
  return phase.kind === 'steady' && isHealthy;
}

async function askFailback(cluster: LocalCluster): Promise<void> {
  await cluster.post('us-east-1', `/v1/services/${SERVICE}/failback`, {
    body: { reason: 'the end-to-end test returns to the primary' },
  });
}

/** Waits until this run has ended. */
export function untilRunEnds(
  cluster: LocalCluster,
  run: string,
  timeoutMs: number,
): Promise<RunJson> {
  return until(
    `run ${run} ends`,
    async () => {
      const status = await freshStatus(cluster);
      const found = status?.runs.find((candidate) => candidate.run === run);
      return found !== undefined && found.outcome.kind !== 'open' ? found : null;
    },
    { timeoutMs },
  );
}

/** Runs that are in `after` and not in `before`, oldest first. */
export function newRuns(before: StatusJson, after: StatusJson): readonly RunJson[] {
  const known = new Set(before.runs.map(({ run }) => run));
  return after.runs.filter(({ run }) => !known.has(run)).toReversed();
}

/** Kills leaders until `region` leads. Everything is up afterwards. */
export async function makeLeader(cluster: LocalCluster, region: string): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    const { leader } = (await anyStatus(cluster)).consensus;
    if (leader === region) {
      return;
    }
    if (leader !== null) {
      await cluster.kill(leader);
      await until(
        'another region leads',
        async () => {
          const status = await freshStatus(cluster);
          const next = status?.consensus.leader ?? null;
          return next !== null && next !== leader ? next : null;
        },
        { timeoutMs: 10_000 },
      );
      await cluster.bringUp(leader);
    }
  }
  throw new Error(`${region} was not elected in 20 elections`);
}
