/**
 * (l) A practice run by the command line: the traffic goes to the standby and comes home by itself, with
 * at most one site active at every look, by the routing answers of each region and by DNS. Its report is
 * verified as a file, and a changed one is not.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleActivity, type Watched } from '../support/activity-sampler.ts';
import type { RecoveryCase, RecoveryContext } from '../support/recovery-case.ts';
import { untilAnswered, untilEnded, untilReady } from '../support/recovery-place.ts';
import { now, require, until } from '../support/wait.ts';

const HOME = { site: 'us-east-1', address: '127.0.0.25' };
const AWAY = { site: 'us-west-2', address: '127.0.0.26' };
const BILLING: Watched = {
  service: 'billing',
  dnsName: 'billing.example.test',
  sites: [HOME, AWAY],
};

export const drill: RecoveryCase = async (context) => {
  const { cluster, say } = context;
  await untilReady(cluster, 'billing');
  const table = await cluster.tripoint('drill', 'billing', '--tabletop');
  require(table.code === 0, `the tabletop ended with ${table.code}:\n${table.output}`);
  const sampler = sampleActivity(cluster, BILLING);
  const startedAt = now();
  const begun = await cluster.tripoint('drill', 'billing', '--yes', '--reason', 'e2e practice');
  require(begun.code === 0, `tripoint drill ended with ${begun.code}:\n${begun.output}`);
  await untilAnswered(cluster, 'billing', AWAY.address);
  const awayMs = Math.round(now() - startedAt);
  say('the traffic is at the standby; waiting for it to come home');
  await untilAnswered(cluster, 'billing', HOME.address);
  const homeMs = Math.round(now() - startedAt);
  await untilReady(cluster, 'billing');
  const run = await untilEnded(cluster, 'billing', 'drill');
  require(run.outcome.kind === 'done', `the drill ended as ${JSON.stringify(run.outcome)}`);
  const activity = await sampler.stop();
  require(activity.bothActive === 0, `${activity.bothActive} looks saw two active sites`);
  require(activity.dnsNotOne === 0, `${activity.dnsNotOne} DNS answers were not one address`);
  require(activity.dnsChanges === 2, `DNS changed ${activity.dnsChanges} times instead of twice`);
  require(activity.looks >= 50 && activity.dnsAnswers >= 50, 'too few looks to say anything');
  const evidence = await verified(context, run.run);
  return {
    awayMs,
    homeMs,
    tabletopLines: table.output.split('\n').length,
    ...activity,
    ...evidence,
  };
};

/** The report as anybody may check it: from its file. */
async function verified({ cluster }: RecoveryContext, run: string) {
  const file = join(cluster.dir, `report-${run}.json`);
  const report = await until(
    'the report is written',
    async () => {
      const { code, output } = await cluster.tripoint('reports', run, '--quiet');
      return code === 0 ? output : null;
    },
    { timeoutMs: 60_000, pollMs: 500 },
  );
  await writeFile(file, report);
  const intact = await cluster.tripoint('report', 'verify', file);
  require(intact.code === 0, `report verify ended with ${intact.code}:\n${intact.output}`);
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('e2e practice', 'e2e prectice'));
  const changed = await cluster.tripoint('report', 'verify', file);
  require(changed.code !== 0, 'a changed report was found intact');
  return { reportBytes: report.length, verified: true, changedIsFound: true };
}
