/**
 * (l) A practice run by the command line: the traffic goes to the standby and comes home by itself, with
 * at most one site active at every look. Its report is verified as a file, and a changed one is not.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecoveryCase, RecoveryContext } from '../support/recovery-case.ts';
import { untilAnswered, untilEnded, untilReady } from '../support/recovery-place.ts';
import { now, require, until } from '../support/wait.ts';

export const drill: RecoveryCase = async (context) => {
  const { cluster, say } = context;
  await untilReady(cluster, 'billing');
  const table = await cluster.tripoint('drill', 'billing', '--tabletop');
  require(table.code === 0, `the tabletop ended with ${table.code}:\n${table.output}`);
  const startedAt = now();
  const begun = await cluster.tripoint('drill', 'billing', '--yes', '--reason', 'e2e practice');
  require(begun.code === 0, `tripoint drill ended with ${begun.code}:\n${begun.output}`);
  await untilAnswered(cluster, 'billing', '127.0.0.26');
  const awayMs = Math.round(now() - startedAt);
  say('the traffic is at the standby; waiting for it to come home');
  await untilAnswered(cluster, 'billing', '127.0.0.25');
  const homeMs = Math.round(now() - startedAt);
  await untilReady(cluster, 'billing');
  const run = await untilEnded(cluster, 'billing', 'drill');
  require(run.outcome.kind === 'done', `the drill ended as ${JSON.stringify(run.outcome)}`);
  const evidence = await verified(context, run.run);
  return { awayMs, homeMs, tabletopLines: table.output.split('\n').length, ...evidence };
};

/** The report as anybody may check it: from its file, and against what the log says. */
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
