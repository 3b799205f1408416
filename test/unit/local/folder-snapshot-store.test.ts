import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderSnapshotStore } from '../../../lib/local/folder-snapshot-store.ts';

const text = (content: string) => new TextEncoder().encode(content);
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tripoint-folder-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe('what stands on disk', () => {
  it('is the bytes unchanged, and beside them a checksum in the form of sha256sum', async () => {
    await createFolderSnapshotStore(root).put('a/part-1.gz', text('full copy'));
    const names = await readdir(join(root, 'a'));
    expect(names).toEqual(['part-1.gz', `part-1.gz#${sha256('full copy')}`]);
    expect(await readFile(join(root, 'a/part-1.gz'), 'utf8')).toBe('full copy');
    const checksum = await readFile(join(root, 'a', names[1] ?? ''), 'utf8');
    expect(checksum).toBe(`${sha256('full copy')}  part-1.gz\n`);
  });

  it('holds no draft after any outcome', async () => {
    const store = createFolderSnapshotStore(root);
    await store.put('a', text('x'));
    await store.put('a', text('x'));
    await store.put('a', text('y'));
    expect(await readdir(root)).toEqual(['a', `a#${sha256('x')}`]);
  });
});

describe('after a crash', () => {
  it('an object that was not linked yet is absent, not listed, and can be put', async () => {
    await writeFile(join(root, `a#${sha256('x')}`), '');
    await writeFile(join(root, 'a#0123.draft'), 'half of');
    const store = createFolderSnapshotStore(root);
    expect(await store.get('a')).toEqual({ kind: 'absent' });
    expect(await store.list('', 10)).toEqual({ kind: 'listed', objects: [] });
    expect(await store.put('a', text('y'))).toEqual({ kind: 'stored' });
    expect(await store.get('a')).toEqual({ kind: 'found', bytes: text('y') });
  });

  it('old drafts are swept, young ones may belong to a living writer', async () => {
    const hourAgo = new Date(Date.now() - 3_700_000);
    await writeFile(join(root, 'a#old.draft'), 'half');
    await utimes(join(root, 'a#old.draft'), hourAgo, hourAgo);
    await writeFile(join(root, 'a#young.draft'), 'half');
    await createFolderSnapshotStore(root).put('b', text('x'));
    expect(await readdir(root)).toEqual(['a#young.draft', 'b', `b#${sha256('x')}`]);
  });

  it.each([1, 2, 3, 4])(
    'killed at a random instant, never shows a part: round %d',
    async (round) => {
      const script = `
      import { createFolderSnapshotStore } from ${JSON.stringify(join(process.cwd(), 'lib/local/folder-snapshot-store.ts'))};
      const store = createFolderSnapshotStore(${JSON.stringify(root)});
      const bytes = new Uint8Array(1024 * 1024).fill(7);
      process.stdout.write('begun');
      for (let index = 0; ; index += 1) {
        await store.put('part-' + String(index).padStart(6, '0'), bytes);
        process.stdout.write('.');
      }`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
      let heard = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          heard += chunk.toString();
          // Each round dies a little later within a put: after `round` acknowledged ones.
          if (heard.length >= 'begun'.length + round) {
            child.kill('SIGKILL');
          }
        });
        child.on('exit', () => resolve());
      });
      const store = createFolderSnapshotStore(root);
      const listed = await store.list('', 1000);
      const objects = listed.kind === 'listed' ? listed.objects : [];
      expect(objects.length).toBeGreaterThanOrEqual(heard.length - 'begun'.length);
      for (const { key, size } of objects) {
        expect(size).toBe(1024 * 1024);
        expect((await store.get(key)).kind).toBe('found');
      }
    },
  );
});

describe('damage', () => {
  it('of one bit is found', async () => {
    const store = createFolderSnapshotStore(root);
    await store.put('a', text('full copy'));
    await writeFile(join(root, 'a'), 'full c0py');
    expect((await store.get('a')).kind).toBe('corrupt');
  });

  it('of a lost checksum is found, and mended by a repeat of the same bytes', async () => {
    const store = createFolderSnapshotStore(root);
    await store.put('a', text('x'));
    await unlink(join(root, `a#${sha256('x')}`));
    expect((await store.get('a')).kind).toBe('corrupt');
    expect(await store.put('a', text('x'))).toEqual({ kind: 'already-stored' });
    expect(await store.get('a')).toEqual({ kind: 'found', bytes: text('x') });
  });
});

describe('a folder that cannot work', () => {
  it.each([
    ['a', 'a/b'],
    ['a/b', 'a'],
    ['a/b', 'a/b/c/d'],
  ])('refuses, after %s, the nested key %s with a hint', async (first, second) => {
    const store = createFolderSnapshotStore(root);
    await store.put(first, text('x'));
    await expect(store.put(second, text('y'))).rejects.toMatchObject({
      code: 'object-key-nested',
      hint: expect.stringContaining('none is the folder of another'),
    });
    expect(await store.get(second)).toEqual({ kind: 'absent' });
    expect(await store.get(first)).toEqual({ kind: 'found', bytes: text('x') });
  });

  // The superuser may write anywhere, so there is nothing to refuse.
  it.runIf(process.getuid?.() !== 0)('names a folder that may not be written to', async () => {
    await chmod(root, 0o500);
    const put = createFolderSnapshotStore(join(root, 'snapshots')).put('a', text('x'));
    await expect(put).rejects.toMatchObject({ code: 'snapshot-folder-unusable' });
  });

  it('says unknown, not absent, of a file that cannot be read', async () => {
    await symlink('loop', join(root, 'loop'));
    expect((await createFolderSnapshotStore(root).get('loop')).kind).toBe('unknown');
  });

  it('lists neither links nor what they lead to', async () => {
    await mkdir(join(root, 'inside'));
    await writeFile(join(root, 'secret'), 'x');
    await symlink(join(root, 'secret'), join(root, 'inside', 'link'));
    await symlink(root, join(root, 'inside', 'up'));
    const store = createFolderSnapshotStore(join(root, 'inside'));
    expect(await store.list('', 10)).toEqual({ kind: 'listed', objects: [] });
  });

  it('is empty while it does not exist', async () => {
    const store = createFolderSnapshotStore(join(root, 'not/yet'));
    expect(await store.list('a/b', 10)).toEqual({ kind: 'listed', objects: [] });
  });
});
