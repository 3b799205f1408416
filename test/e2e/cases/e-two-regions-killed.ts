/**
 * (e) Two regions killed: nothing switches, writes get 503 with the command id, DNS and routing keep
 * serving the last state. With a second region back, what was overdue is done.
 */
import { type Case, stagesOf } from '../support/case.ts';
import { EAST, type LocalCluster, REGIONS, SERVICE, WEST } from '../support/cluster.ts';
import { baseline, checkout, freshStatus, newRuns, untilRunEnds } from '../support/situation.ts';
import { now, require, sleep, until } from '../support/wait.ts';

/** Longer than the longest silence that a site is allowed. */
const WATCH_MS = 15_000;
const PATIENCE_MS = 40_000;

export const twoRegionsKilled: Case = async ({ cluster, random, say }) => {
  const before = await baseline(cluster);
  const survivor = random.pick(REGIONS);
  const killed = REGIONS.filter((region) => region !== survivor);
  for (const region of killed) {
    await cluster.kill(region);
  }
  await cluster.kill(EAST.process);
  say(`only ${survivor} is left, and the active site is dead; watching that nothing moves`);
  const writes = await writesAreRefused(cluster, survivor);
  const watched = await watchStandstill(cluster, survivor);
  const after = await cluster.status(survivor);
  require(after !== null && newRuns(before, after).length === 0, 'a run started without a quorum');

  const [first = '', second = ''] = killed;
  const backAt = now();
  await cluster.bringUp(first);
  await until(
    `with ${first} back, the name answers ${WEST.address}`,
    async () => ((await cluster.resolve())?.join() === WEST.address ? true : null),
    { timeoutMs: PATIENCE_MS },
  );
  const quorumToDnsMs = Math.round(now() - backAt);
  const status = await freshStatus(cluster);
  const [run, ...others] = status === null ? [] : newRuns(before, status);
  require(run !== undefined &&
    others.length === 0, 'not exactly one run after the quorum returned');
  const ended = await untilRunEnds(cluster, run.run, PATIENCE_MS);
  require(ended.outcome.kind === 'done', `the run ended as ${JSON.stringify(ended.outcome)}`);
  await cluster.bringUp(second);
  return { ...stagesOf(ended), survivor, ...writes, ...watched, quorumToDnsMs };
};

/** 503, a code that says why, and the id to ask about. */
async function writesAreRefused(cluster: LocalCluster, region: string) {
  const startedAt = now();
  const note = await cluster.post(region, `/v1/services/${SERVICE}/notes`, {
    body: { text: 'nobody can agree to this' },
    key: `e-note-${process.pid}`,
    timeoutMs: 15_000,
  });
  const failover = await cluster.post(region, `/v1/services/${SERVICE}/failover`, {
    body: { reason: 'nobody can agree to this', to: WEST.site, force: true },
    key: `e-failover-${process.pid}`,
    timeoutMs: 15_000,
  });
  for (const answer of [note, failover]) {
    const text = JSON.stringify(answer);
    require(answer?.status === 503, `a write without a quorum got ${text}`);
    require(/"command":"key:e-(note|failover)-/.test(text), `no command id in ${text}`);
  }
  return { writesRefusedMs: Math.round(now() - startedAt) };
}

async function watchStandstill(cluster: LocalCluster, region: string) {
  let dnsAnswers = 0;
  let routingAnswers = 0;
  for (const endAt = now() + WATCH_MS; now() < endAt; ) {
    const values = await cluster.resolve();
    require(values?.join() === EAST.address, `DNS answered ${values?.join()} without a quorum`);
    dnsAnswers += 1;
    const east = await cluster.get(region, `/v1/routing/${SERVICE}/${EAST.site}`);
    const west = await cluster.get(region, `/v1/routing/${SERVICE}/${WEST.site}`);
    require(east?.status === 200, `routing of ${EAST.site} answered ${JSON.stringify(east)}`);
    require(west?.status === 503, `routing of ${WEST.site} answered ${JSON.stringify(west)}`);
    routingAnswers += 2;
    await sleep(100);
  }
  const status = await cluster.status(region);
  require(status?.consensus.quorum === false, 'the survivor believes in a quorum');
  require(checkout(status).activeSite === EAST.site, 'the active site changed without a quorum');
  return { watchedMs: WATCH_MS, dnsAnswers, routingAnswers };
}
