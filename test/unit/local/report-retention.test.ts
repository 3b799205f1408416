import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFolderSnapshotStore } from '../../../lib/local/folder-snapshot-store.ts';
import { removeOldReports } from '../../../lib/local/report-retention.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tripoint-reports-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('keeps the newest reports of a region, and everything else', async () => {
  const store = createFolderSnapshotStore(dir);
  const bytes = new TextEncoder().encode('x');
  for (const index of [9, 10, 100]) {
    await store.put(`reports/report-checkout-${index}.json`, bytes);
    await store.put(`reports/report-checkout-${index}.md`, bytes);
  }
  await store.put('log/0000000000000001-0000000000000100.jsonl', bytes);
  expect(await removeOldReports(dir, 2)).toBe(1);
  expect(await store.get('reports/report-checkout-9.json')).toEqual({ kind: 'absent' });
  expect(await store.get('reports/report-checkout-10.md')).toMatchObject({ kind: 'found' });
  expect(await store.get('reports/report-checkout-100.json')).toMatchObject({ kind: 'found' });
  expect((await readdir(join(dir, 'reports'))).some((name) => name.includes('-9.'))).toBe(false);
  expect(await store.get('log/0000000000000001-0000000000000100.jsonl')).toMatchObject({
    kind: 'found',
  });
});

test('finds nothing to remove where there is no report yet', async () => {
  expect(await removeOldReports(dir)).toBe(0);
});
