/** `tripoint log verify`, `show` and `export`: whole commands over folders and files, and no region. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { createFolderSnapshotStore } from '../../../lib/local/folder-snapshot-store.ts';
import { invoke } from '../../support/command-line.ts';
import type { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import { exported, failoverStory, keepCopy, logOf, stored } from '../control/archived-log.ts';

const LOG = logOf(failoverStory());
const COUNT = LOG.applied.length;
const CHAIN = LOG.applied.at(-1)?.chain;
let root: string;
let dir: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'tripoint-archive-'));
  dir = join(root, 'local');
  mkdirSync(dir);
  writeFileSync(join(dir, 'cluster.json'), '{}');
  const east = await stored(LOG, [5, 9, COUNT]);
  await keepCopy(LOG, 7, east);
  await copyInto(join(dir, 'us-east-1', 'snapshots'), east);
  await copyInto(join(dir, 'us-west-2', 'snapshots'), await stored(LOG, [6, COUNT]));
});

afterAll(() => rmSync(root, { recursive: true }));

async function copyInto(folder: string, store: MemorySnapshotStore): Promise<string> {
  const target = createFolderSnapshotStore(folder);
  for (const key of store.keys()) {
    await target.put(key, new TextEncoder().encode(store.text(key)));
  }
  return folder;
}

/** An archive of its own, in a new folder. */
async function archive(name: string, ends: readonly number[] = [5, 9, COUNT]): Promise<string> {
  return copyInto(join(root, name), await stored(LOG, ends));
}

function file(name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

describe('tripoint log verify', () => {
  test('says that the archive of local mode is intact, in every region, without one that runs', async () => {
    const { exitCode, output } = await invoke(['log', 'verify', '--dir', dir]);
    expect(exitCode).toBe(EXIT.ok);
    expect(output.split('\n').slice(0, 7)).toEqual([
      `● intact  entries 1 to ${COUNT} are as they were`,
      `link ${COUNT}:${CHAIN}`,
      '',
      'archive    objects  entries checked',
      `us-east-1  3        ${COUNT}`,
      'us-east-2  0        0',
      `us-west-2  2        ${COUNT}`,
    ]);
    expect(output).toContain('compared with the copy of the state at 7 in us-east-1');
  });

  test('prints one JSON document with --json', async () => {
    const { output } = await invoke(['log', 'verify', '--dir', dir, '--json']);
    expect(JSON.parse(output)).toMatchObject({
      outcome: 'intact',
      intactUpTo: COUNT,
      chain: CHAIN,
      breaks: [],
      gaps: [],
    });
  });

  test('names the entry that was changed, what was expected, and exits with 1', async () => {
    const text = new TextDecoder().decode(exported(LOG)).replace('command-12', 'command-13');
    const { exitCode, output } = await invoke(['log', 'verify', file('changed.jsonl', text)]);
    expect(exitCode).toBe(EXIT.error);
    expect(output).toContain('✖ broken at entry 12  entries 1 to 11 are as they were');
    expect(output).toMatch(
      /changed\.jsonl: it does not hash to its link\n {2}expected [0-9a-f]{64}/,
    );
    expect(output).toContain(`  found    ${LOG.applied[11]?.chain}`);
  });

  test('names the object whose bytes are not those that were stored', async () => {
    const folder = await archive('rotten');
    const object = join(folder, 'log', '0000000000000006-0000000000000009.jsonl');
    writeFileSync(object, readFileSync(object, 'utf8').replace('command-8', 'command-9'));
    const { exitCode, output } = await invoke(['log', 'verify', '--archive', folder, '--json']);
    expect(exitCode).toBe(EXIT.error);
    expect(JSON.parse(output)).toMatchObject({
      outcome: 'broken',
      intactUpTo: 5,
      breaks: [{ index: 6, sentence: expect.stringContaining('never stored') }],
    });
  });

  test('tells a lost object and a file that was cut off from a changed one', async () => {
    const folder = await archive('lossy');
    rmSync(join(folder, 'log', '0000000000000006-0000000000000009.jsonl'));
    const lost = await invoke(['log', 'verify', folder]);
    expect(lost.exitCode).toBe(EXIT.error);
    expect(lost.output).toContain('◐ incomplete  entries 1 to 5 are as they were');
    expect(lost.output).toContain('entries 6 to 9 are nowhere');
    const lines = new TextDecoder().decode(exported(LOG)).split('\n').slice(0, 8);
    const cut = await invoke(['log', 'verify', file('cut.jsonl', `${lines.join('\n')}\n`)]);
    expect(cut.output).toContain('◐ incomplete  entries 1 to 8 are as they were');
    expect(cut.output).toContain('cut.jsonl is cut from entry 9 on: its last line is missing');
  });

  test('compares with a link that was kept', async () => {
    const kept = `${COUNT}:${'0'.repeat(64)}`;
    const { exitCode, output } = await invoke(['log', 'verify', '--dir', dir, '--link', kept]);
    expect(exitCode).toBe(EXIT.error);
    expect(output).toContain(`another log than the link that was given for ${COUNT}`);
    const good = ['log', 'verify', '--dir', dir, '--link', `${COUNT}:${CHAIN}`];
    expect((await invoke(good)).exitCode).toBe(EXIT.ok);
  });

  test('checks one segment that was copied out of a store, as far as one can', async () => {
    const name = '0000000000000006-0000000000000009.jsonl';
    const text = readFileSync(join(dir, 'us-east-1', 'snapshots', 'log', name), 'utf8');
    const { output } = await invoke(['log', 'verify', file(name, text), '--json']);
    expect(JSON.parse(output)).toMatchObject({
      outcome: 'incomplete',
      gaps: [{ from: 1, to: 5 }],
      damages: [],
      places: [{ entries: 4 }],
    });
  });

  test.each([
    [['--dir', '/nonexistent/tripoint'], 'archive-unknown'],
    [['/nonexistent/audit.jsonl'], 'archive-unreadable'],
    [['--link', '5:abc'], 'Write <index>:<64 hex digits>'],
    [['--bucket', 'us-east-1'], 'Write <region>=<bucket>'],
  ])('says what it lacks: %j', async (words, text) => {
    const { exitCode, messages } = await invoke(['log', 'verify', ...words]);
    expect(exitCode).not.toBe(EXIT.ok);
    expect(messages).toContain(text);
  });

  test('says so where nothing is archived yet, and of what the API shows', async () => {
    const empty = await invoke(['log', 'verify', await archive('empty', [])]);
    expect(empty.exitCode).toBe(EXIT.error);
    expect(empty.messages).toContain('archive-unreadable');
    mkdirSync(join(root, 'new'));
    const fresh = await invoke(['log', 'verify', join(root, 'new')]);
    expect(fresh.messages).toContain('archive-empty');
    const shown = file('shown.json', '{"appliedIndex":3,"nextAfter":3,"entries":[]}\n');
    expect((await invoke(['log', 'verify', shown])).messages).toContain('log-file-redacted');
  });
});

describe('tripoint log show --at', () => {
  test('shows the services and runs as they were after the entry', async () => {
    const before = LOG.replicas.findIndex(({ state }) => state.services['checkout'] !== undefined);
    const first = await invoke(['log', 'show', '--at', String(before), '--dir', dir]);
    expect(first.exitCode).toBe(EXIT.ok);
    expect(first.output).toMatch(/^index {2}term/);
    expect(first.output).toContain('replayed from the first entry');
    expect(first.output).toMatch(/checkout {2}checkout\.example\.test .* us-east-1/);
    const last = await invoke(['log', 'show', '--at', String(COUNT), '--dir', dir, '--json']);
    const document = JSON.parse(last.output);
    expect(document).toMatchObject({
      index: COUNT,
      chain: CHAIN,
      replayedAfter: 7,
      services: [{ service: 'checkout', activeSite: 'us-west-2', phase: { kind: 'steady' } }],
    });
    expect(document.runs.map(({ kind }: { kind: string }) => kind)).toEqual(['failover', 'setup']);
    expect(last.output).not.toContain('tokenHashes":[');
  });

  test('says of an entry that is not archived where the archive ends', async () => {
    const words = ['log', 'show', '--dir', dir, '--at', String(COUNT + 1)];
    const { exitCode, messages } = await invoke(words);
    expect(exitCode).toBe(EXIT.error);
    expect(messages).toContain(`the archive ends with entry ${COUNT}`);
    expect(messages).toContain(`tripoint log --after ${COUNT}`);
  });

  test('wants to know whose verdicts count, where nothing says it', async () => {
    const path = file('whole.jsonl', new TextDecoder().decode(exported(LOG)));
    const words = ['log', 'show', '--at', '9', '--archive', path];
    expect((await invoke(words)).messages).toContain('founders-unknown');
    const founders = 'us-east-1,us-east-2,us-west-2';
    expect((await invoke([...words, '--founders', founders])).exitCode).toBe(EXIT.ok);
  });

  test('shows nothing that is built on a changed entry, or on nothing', async () => {
    const folder = await archive('holey');
    rmSync(join(folder, 'log', '0000000000000006-0000000000000009.jsonl'));
    const founders = ['--founders', 'us-east-1,us-east-2,us-west-2'];
    const at = (index: number) =>
      invoke(['log', 'show', '--archive', folder, ...founders, '--at', String(index)]);
    expect((await at(12)).messages).toContain(
      'entry 12 cannot be reached: entries 6 to 9 are nowhere',
    );
    rmSync(join(folder, 'log', '0000000000000001-0000000000000005.jsonl'));
    expect((await at(4)).messages).toContain('the archive begins with entry 10');
  });
});

describe('tripoint log export', () => {
  test('writes a file that verifies, with what any region has', async () => {
    rmSync(join(dir, 'us-east-1', 'snapshots', 'log', '0000000000000006-0000000000000009.jsonl'));
    const path = join(root, 'audit.jsonl');
    const { exitCode, output } = await invoke(['log', 'export', path, '--dir', dir]);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toContain(`link ${COUNT}:${CHAIN}`);
    expect(readFileSync(path)).toEqual(Buffer.from(exported(LOG)));
    expect((await invoke(['log', 'verify', path])).exitCode).toBe(EXIT.ok);
    expect((await invoke(['log', 'export', path, '--dir', dir])).messages).toContain('file-exists');
  });

  test('leaves no file behind when the archive is not whole', async () => {
    const folder = await archive('gone');
    rmSync(join(folder, 'log', '0000000000000001-0000000000000005.jsonl'));
    const path = join(root, 'half.jsonl');
    const { exitCode, messages } = await invoke(['log', 'export', path, '--archive', folder]);
    expect(exitCode).toBe(EXIT.error);
    expect(messages).toContain('log-broken');
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });
});
