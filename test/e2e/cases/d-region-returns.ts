/** (d) A region that was killed starts again and catches up: same entry, same hash. */
import type { Case } from '../support/case.ts';
import { type LocalCluster, REGIONS, SERVICE } from '../support/cluster.ts';
import { freshStatus, levelStatus } from '../support/situation.ts';
import { now, require, until } from '../support/wait.ts';

/** More than a register keeps behind a snapshot, so that catching up takes both ways. */
const NOTES = 300;
const CATCH_UP_BAR_MS = 15_000;

export const regionReturns: Case = async ({ cluster, say }) => {
  const region = await regionThatIsDown(cluster);
  const writer = REGIONS.find((candidate) => candidate !== region) ?? REGIONS[0];
  await writeNotes(cluster, writer);
  const there = await freshStatus(cluster);
  require(there !== null, 'no region answers');
  say(`${region} is down; the others are at entry ${there.consensus.appliedIndex}`);
  const startedAt = now();
  await cluster.bringUp(region);
  const upMs = Math.round(now() - startedAt);
  const level = await until('all three stand at the same entry', () => levelStatus(cluster), {
    timeoutMs: CATCH_UP_BAR_MS,
    pollMs: 20,
  });
  const totalMs = Math.round(now() - startedAt);
  const own = await cluster.status(region);
  require(own !== null &&
    own.consensus.appliedIndex >=
      there.consensus.appliedIndex, `${region} did not come as far as the others were`);
  return { region, upMs, totalMs, appliedIndex: level.consensus.appliedIndex };
};

/** The region that case (c) left down; killed now when there is none. */
async function regionThatIsDown(cluster: LocalCluster): Promise<string> {
  const down = (await cluster.processes()).find(
    ({ kind, state }) => kind === 'region' && state === 'down',
  );
  if (down !== undefined) {
    return down.name;
  }
  const leader = (await freshStatus(cluster))?.consensus.leader ?? REGIONS[0];
  await cluster.kill(leader);
  return leader;
}

async function writeNotes(cluster: LocalCluster, region: string): Promise<void> {
  const batch = 20;
  for (let written = 0; written < NOTES; written += batch) {
    const answers = await Promise.all(
      Array.from({ length: batch }, (_, position) =>
        cluster.post(region, `/v1/services/${SERVICE}/notes`, {
          body: { text: `while a region is away: ${written + position}` },
          key: `d-${process.pid}-${written + position}`,
        }),
      ),
    );
    const refused = answers.find((answer) => answer?.status !== 200);
    require(refused === undefined, `a note was not taken: ${JSON.stringify(refused)}`);
  }
}
