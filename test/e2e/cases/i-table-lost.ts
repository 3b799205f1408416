/**
 * (i) A region's table is lost for good: the folder is deleted. An empty one takes its place by
 * command, votes, and the cluster then survives the loss of another region, which it could not before.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from '../support/case.ts';
import { type LocalCluster, REGIONS } from '../support/cluster.ts';
import { freshStatus, levelStatus } from '../support/situation.ts';
import { now, require, until } from '../support/wait.ts';

const LEVEL_BAR_MS = 15_000;

export const tableLost: Case = async ({ cluster, say }) => {
  const before = await until('all three stand at the same entry', () => levelStatus(cluster), {
    timeoutMs: LEVEL_BAR_MS,
    pollMs: 50,
  });
  const lost = REGIONS.find((region) => region !== before.consensus.leader) ?? REGIONS[0];
  await cluster.kill(lost);
  await rm(join(cluster.dir, lost), { recursive: true });
  await cluster.bringUp(lost);
  say(`${lost} came back with an empty table`);
  const startedAt = now();
  const replaced = await cluster.tripoint('region', 'replace', lost, '--json');
  const replaceMs = Math.round(now() - startedAt);
  require(replaced.code === 0, `region replace: ${replaced.output}`);
  const level = await until('all three stand at the same entry', () => levelStatus(cluster), {
    timeoutMs: LEVEL_BAR_MS,
    pollMs: 50,
  });
  const levelMs = Math.round(now() - startedAt);
  await requireVote(cluster, lost);
  return { lost, replaceMs, levelMs, appliedIndex: level.consensus.appliedIndex };
};

/** With one of the two old tables away, the new one's vote is the second of three. */
async function requireVote(cluster: LocalCluster, newcomer: string): Promise<void> {
  const away = (await freshStatus(cluster))?.consensus.leader ?? REGIONS[0];
  const other = away === newcomer ? REGIONS.find((region) => region !== newcomer) : away;
  require(other !== undefined, 'no other region');
  await cluster.kill(other);
  await until(
    'a write is taken with the new table as second of three',
    async () => {
      const answer = await cluster.post(newcomer, '/v1/services/checkout/notes', {
        body: { text: `written without ${other}` },
        key: `i-${process.pid}`,
      });
      return answer?.status === 200 ? true : null;
    },
    { timeoutMs: LEVEL_BAR_MS, pollMs: 100 },
  );
  await cluster.bringUp(other);
}
