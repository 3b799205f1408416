/** (f) Everything killed at once and started again from disk: the state is as before. */
import type { StatusJson } from '../../../lib/api/schemas.ts';
import type { Case } from '../support/case.ts';
import { EAST, REGIONS, SERVICE } from '../support/cluster.ts';
import { baseline, checkout, levelStatus, newRuns } from '../support/situation.ts';
import { now, require, sleep, until } from '../support/wait.ts';

/** Longer than the longest silence that a site is allowed: a false failover would come by then. */
const WATCH_MS = 14_000;
const PATIENCE_MS = 20_000;

export const everythingRestarted: Case = async ({ cluster, restart, say }) => {
  await baseline(cluster);
  const note = await cluster.post('us-east-1', `/v1/services/${SERVICE}/notes`, {
    body: { text: 'the last words before the lights go out' },
  });
  require(note?.status === 200, `the note was not taken: ${JSON.stringify(note)}`);
  const before = await until('all regions level', () => levelStatus(cluster), {
    timeoutMs: PATIENCE_MS,
  });
  await cluster.killEverything();
  say(`killed everything at entry ${before.consensus.appliedIndex}`);
  const startedAt = now();
  const startMs = Math.round(await restart());
  const after = await until('all regions level again', () => levelStatus(cluster), {
    timeoutMs: PATIENCE_MS,
  });
  const totalMs = Math.round(now() - startedAt);
  requireSame(before, after);
  for (const region of REGIONS) {
    const page = await cluster.logPage(region, before.consensus.appliedIndex - 1);
    require(page.entries[0]?.chain ===
      before.consensus
        .chain, `${region}: the hash at entry ${before.consensus.appliedIndex} is another one`);
  }
  await sleep(WATCH_MS);
  const later = await until('all regions level', () => levelStatus(cluster), {
    timeoutMs: PATIENCE_MS,
  });
  requireSame(before, later);
  require((await cluster.resolve())?.join() === EAST.address, 'DNS does not answer as before');
  return { startMs, totalMs, watchedMs: WATCH_MS, appliedIndex: before.consensus.appliedIndex };
};

function requireSame(before: StatusJson, after: StatusJson): void {
  const [then, later] = [checkout(before), checkout(after)];
  require(then.activeSite === later.activeSite, 'another site is active');
  require(then.epoch.term === later.epoch.term &&
    then.epoch.index === later.epoch.index, 'the epoch changed');
  require(newRuns(before, after).length === 0, 'a run started');
  const ids = (status: StatusJson) => status.runs.map(({ run }) => run).join();
  require(ids(before) === ids(after), 'the list of runs changed');
  require(after.consensus.appliedIndex >=
    before.consensus.appliedIndex, 'the log is shorter than before');
}
