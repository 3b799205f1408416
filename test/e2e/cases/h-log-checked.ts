/**
 * (h) The archived log is checked where it lies: by the real command, over the files that the regions
 * wrote, against what a region serves, and again after one byte was changed.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from '../support/case.ts';
import { type LocalCluster, REGIONS, SERVICE } from '../support/cluster.ts';
import { baseline } from '../support/situation.ts';
import { now, require, until } from '../support/wait.ts';

/** More than one segment, whatever the log held before. */
const NOTES = 220;
const PATIENCE_MS = 20_000;

interface Verdict {
  readonly outcome: string;
  readonly intactUpTo: number;
  readonly chain: string;
  readonly breaks: readonly { readonly index: number; readonly intactIn: string | null }[];
}

export const logChecked: Case = async ({ cluster, say }) => {
  await baseline(cluster);
  await writeNotes(cluster);
  const startedAt = now();
  const whole = await until(
    'every region archived the notes',
    async () => {
      const verdict = await verify(cluster, []);
      return verdict.outcome === 'intact' && verdict.intactUpTo >= 200 ? verdict : null;
    },
    { timeoutMs: PATIENCE_MS, pollMs: 500 },
  );
  const { intactUpTo, chain } = whole;
  const [served] = (await cluster.logPage(REGIONS[0], intactUpTo - 1)).entries;
  require(served?.chain ===
    chain, `entry ${intactUpTo} is served with ${served?.chain}, not ${chain}`);
  say(`intact up to ${intactUpTo}, as a region serves it`);
  await requireState(cluster, intactUpTo);
  const root = await mkdtemp(join(tmpdir(), 'tripoint-archive-'));
  try {
    const broken = await changeOneByte(cluster, root);
    const exported = join(root, 'audit.jsonl');
    const run = await cluster.tripoint('log', 'export', exported);
    require(run.code === 0, `log export ended with ${run.code}:\n${run.output}`);
    require((await verify(cluster, [exported])).intactUpTo >= intactUpTo, 'the export is shorter');
    return { intactUpTo, brokenAt: broken, elapsedMs: Math.round(now() - startedAt) };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

async function writeNotes(cluster: LocalCluster): Promise<void> {
  const write = (place: number) =>
    cluster.post(REGIONS[place % REGIONS.length] ?? REGIONS[0], `/v1/services/${SERVICE}/notes`, {
      key: `archive-${place}`,
      body: { text: `archive ${place}`, by: 'operator' },
    });
  const places = Array.from({ length: NOTES }, (_, place) => place);
  for (let from = 0; from < NOTES; from += 20) {
    await Promise.all(places.slice(from, from + 20).map(write));
  }
}

async function verify(cluster: LocalCluster, words: readonly string[]): Promise<Verdict> {
  const { output, code } = await cluster.tripoint('log', 'verify', '--json', ...words);
  const verdict = JSON.parse(output) as Verdict;
  require((code === 0) ===
    (verdict.outcome === 'intact'), `exit code ${code} for ${verdict.outcome}`);
  return verdict;
}

/** The replayed state has the service, and the active site that the baseline made. */
async function requireState(cluster: LocalCluster, index: number): Promise<void> {
  const { output, code } = await cluster.tripoint('log', 'show', '--at', String(index), '--json');
  require(code === 0, `log show ended with ${code}:\n${output}`);
  const { services } = JSON.parse(output) as {
    readonly services: readonly { readonly service: string; readonly activeSite: string }[];
  };
  require(services.some(
    ({ service, activeSite }) => service === SERVICE && activeSite === REGIONS[0],
  ), `the replay says ${JSON.stringify(services)}`);
}

/** In a copy of the first segment, without the checksum beside it: only the chain can tell. */
async function changeOneByte(cluster: LocalCluster, root: string): Promise<number> {
  const folder = join(cluster.dir, REGIONS[0], 'snapshots', 'log');
  const names = (await readdir(folder)).filter((candidate) => candidate.endsWith('.jsonl'));
  const [name = ''] = names.toSorted();
  const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
  const changed = lines.with(4, (lines[4] ?? '').replace('"term":', '"term":1'));
  const copy = join(root, name);
  await writeFile(copy, changed.join('\n'));
  const verdict = await verify(cluster, [copy]);
  const [found] = verdict.breaks;
  require(verdict.outcome === 'broken' &&
    found?.index === 5, `not found: ${JSON.stringify(verdict)}`);
  return found.index;
}
