/**
 * (b) The old site comes back: nothing moves by itself. `tripoint failback` moves it, with one site
 * active at every instant.
 */
import { sampleActivity } from '../support/activity-sampler.ts';
import { type Case, stagesOf } from '../support/case.ts';
import { EAST, type LocalCluster, SERVICE, WEST } from '../support/cluster.ts';
import {
  baseline,
  checkout,
  freshStatus,
  isQuiet,
  levelStatus,
  newRuns,
  untilRunEnds,
} from '../support/situation.ts';
import { now, require, sleep, until } from '../support/wait.ts';

const PATIENCE_MS = 30_000;
/** Longer than detection and hold-down together, which is when an automatic return would come. */
const WATCH_MS = 8000;

export const failback: Case = async ({ cluster, say }) => {
  await baseline(cluster);
  await cluster.kill(EAST.process);
  await untilDnsSays(cluster, WEST.address);
  await cluster.bringUp(EAST.process);
  await untilHealthy(cluster);
  say('the old site is healthy again; watching that nothing moves');
  const before = await freshStatus(cluster);
  require(before !== null, 'no region answers');
  await sleep(WATCH_MS);
  const watched = await freshStatus(cluster);
  require(watched !== null && newRuns(before, watched).length === 0, 'a run started by itself');
  require(checkout(watched).activeSite === WEST.site, 'the active site moved by itself');
  require((await cluster.resolve())?.join() === WEST.address, 'DNS moved by itself');

  say('failback by the command line');
  const sampler = sampleActivity(cluster);
  await sleep(300);
  const askedAt = now();
  const command = await cluster.tripoint('failback', SERVICE, '--reason', 'e2e', '--yes');
  require(command.code === 0, `tripoint failback ended with ${command.code}:\n${command.output}`);
  await untilDnsSays(cluster, EAST.address);
  const commandToDnsMs = Math.round(now() - askedAt);
  const status = await freshStatus(cluster);
  const [run, ...others] = status === null ? [] : newRuns(before, status);
  require(run !== undefined && others.length === 0, 'the command must start exactly one run');
  const ended = await untilRunEnds(cluster, run.run, PATIENCE_MS);
  await sleep(500);
  const activity = await sampler.stop();
  require(ended.outcome.kind === 'done', `the run ended as ${JSON.stringify(ended.outcome)}`);
  require(activity.bothActive === 0, `${activity.bothActive} looks saw two active sites`);
  require(activity.noneActive === 0, `${activity.noneActive} looks saw no active site`);
  require(activity.dnsNotOne === 0, `${activity.dnsNotOne} DNS answers were not one address`);
  require(activity.dnsChanges === 1, `DNS changed ${activity.dnsChanges} times instead of once`);
  require(activity.looks >= 50 && activity.dnsAnswers >= 50, 'too few looks to say anything');
  return { ...stagesOf(ended), commandToDnsMs, watchedMs: WATCH_MS, ...activity };
};

function untilDnsSays(cluster: LocalCluster, address: string): Promise<true> {
  return until(
    `the name answers ${address}`,
    async () => ((await cluster.resolve())?.join() === address ? true : null),
    { timeoutMs: PATIENCE_MS, pollMs: 20 },
  );
}

function untilHealthy(cluster: LocalCluster): Promise<true> {
  return until(
    'both sites are healthy and no run is open',
    async () => {
      const status = await levelStatus(cluster);
      return status !== null && isQuiet(checkout(status)) ? true : null;
    },
    { timeoutMs: PATIENCE_MS, pollMs: 100 },
  );
}
