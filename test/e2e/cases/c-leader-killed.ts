/**
 * (c) `kill -9` of the region that leads, during a failover: the run finishes, once.
 *
 * Twice: as soon as an observer finds the site failed, with any leader; and as soon as the run is
 * open, when the leading region is also the one that works on the run.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunJson, StatusJson } from '../../../lib/api/schemas.ts';
import { type Case, type CaseContext, type Figures, stagesOf } from '../support/case.ts';
import { EAST, type LocalCluster, REGIONS, WEST } from '../support/cluster.ts';
import {
  baseline,
  checkout,
  freshStatus,
  makeLeader,
  newRuns,
  untilRunEnds,
} from '../support/situation.ts';
import { now, require, until } from '../support/wait.ts';

const BAR_MS = 20_000;
const PATIENCE_MS = 45_000;

interface Moment {
  readonly name: string;
  /** The region that must lead at first; null = any. */
  readonly leader: string | null;
  readonly hasCome: (status: StatusJson, before: StatusJson) => boolean;
}

const MOMENTS: readonly Moment[] = [
  { name: 'atFailedVerdict', leader: null, hasCome: (status) => isFoundFailed(status) },
  {
    name: 'atRunOfLeader',
    leader: WEST.site,
    hasCome: (status, before) => newRuns(before, status).length > 0,
  },
];

export const leaderKilled: Case = async (context) => {
  const figures: { [name: string]: Figures } = {};
  for (const moment of MOMENTS) {
    figures[moment.name] = await failoverWithout(context, moment);
  }
  const last = figures[MOMENTS.at(-1)?.name ?? ''];
  return { ...last, barMs: BAR_MS, ...figures };
};

async function failoverWithout(
  { cluster, say }: CaseContext,
  { name, leader, hasCome }: Moment,
): Promise<Figures> {
  await baseline(cluster);
  if (leader !== null) {
    await makeLeader(cluster, leader);
  }
  const before = await baseline(cluster);
  const siteKilledAt = await cluster.kill(EAST.process);
  const seen = await until(
    'the failure shows',
    async () => {
      const status = await freshStatus(cluster);
      return status !== null && hasCome(status, before) ? status : null;
    },
    { timeoutMs: PATIENCE_MS, pollMs: 10 },
  );
  const leading = seen.consensus.leader;
  require(leading !== null, 'no region leads');
  const leaderKilledAt = await cluster.kill(leading);
  say(`${name}: killed ${leading} ${Math.round(leaderKilledAt - siteKilledAt)} ms after the site`);
  await until(
    `the name answers ${WEST.address}`,
    async () => ((await cluster.resolve())?.join() === WEST.address ? true : null),
    { timeoutMs: PATIENCE_MS, pollMs: 20 },
  );
  const killToDnsMs = Math.round(now() - siteKilledAt);
  const after = await until(
    'a run is known',
    async () => withRun(await freshStatus(cluster), before),
    {
      timeoutMs: PATIENCE_MS,
    },
  );
  const ended = await untilRunEnds(cluster, after.run, PATIENCE_MS);
  const totalMs = Math.round(now() - siteKilledAt);
  say(`${name}: run ${ended.run} ended ${totalMs} ms after the kill of the site`);
  require(ended.outcome.kind === 'done', `the run ended as ${JSON.stringify(ended.outcome)}`);
  await requireOnce(cluster, { run: ended, before });
  require(totalMs <= BAR_MS, `${name}: ${totalMs} ms is above the bar of ${BAR_MS} ms`);
  return { ...stagesOf(ended), killedRegion: leading, killToDnsMs, killToDoneMs: totalMs };
}

/** One run in the state, one switch in the log, one change of the zone. */
async function requireOnce(
  cluster: LocalCluster,
  { run, before }: { readonly run: RunJson; readonly before: StatusJson },
): Promise<void> {
  const status = await freshStatus(cluster);
  require(status !== null, 'no region answers');
  require(newRuns(before, status).length === 1, 'more than one run');
  require(checkout(status).activeSite === WEST.site, 'the wrong site is active');
  const reader = REGIONS.find((region) => region === status.region) ?? REGIONS[0];
  const log = await cluster.wholeLog(reader);
  const switches = log.filter(({ body }) => isSwitchDone(body, run.run));
  require(switches.length === 1, `${switches.length} entries record the switch as done`);
  const dnsLog = await readFile(join(cluster.dir, 'logs', 'dns.log'), 'utf8');
  const changes = dnsLog.split('\n').filter((line) => isChangeOf(line, run.run));
  require(changes.length === 1, `the zone was changed ${changes.length} times by ${run.run}`);
}

function isSwitchDone(body: unknown, run: string): boolean {
  const text = JSON.stringify(body);
  return (
    text.includes('"kind":"finish-step"') &&
    text.includes(`"run":"${run}"`) &&
    text.includes('"step":"switch"') &&
    text.includes('"result":{"kind":"done"')
  );
}

function isChangeOf(line: string, run: string): boolean {
  return line.includes('"zone.changed"') && line.includes(` ${run} `);
}

function isFoundFailed(status: StatusJson): boolean {
  const east = checkout(status).sites.find(({ site }) => site === EAST.site);
  return east?.verdicts.some(({ state }) => state === 'failed') ?? false;
}

function withRun(status: StatusJson | null, before: StatusJson): RunJson | null {
  return status === null ? null : (newRuns(before, status)[0] ?? null);
}
