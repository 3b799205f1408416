import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openClusterRecord,
  saveClusterRecord,
  withTokens,
} from '../../../lib/local/cluster-file.ts';
import { pathExists, readJsonFile, writeFileDurably } from '../../../lib/local/durable-file.ts';
import { describeLocal, readLocalFile, writeLocalFile } from '../../../lib/local/local-file.ts';
import { createLayout } from '../../../lib/local/local-layout.ts';
import { clusterRecord } from './fixtures/cluster-record.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-files-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('a durable file', () => {
  it('is replaced as a whole, for its owner only, and leaves no draft behind', async () => {
    const path = join(dir, 'secret.json');
    await writeFileDurably(path, '{"version":1}');
    await writeFileDurably(path, '{"version":2}');
    expect(await readJsonFile(path)).toEqual({ kind: 'found', value: { version: 2 } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['secret.json']);
  });

  it('that is absent is an answer, one that is damaged is an error', async () => {
    const path = join(dir, 'file.json');
    expect(await readJsonFile(path)).toEqual({ kind: 'absent' });
    expect(await pathExists(path)).toBe(false);
    writeFileSync(path, '{"version":');
    await expect(readJsonFile(path)).rejects.toMatchObject({ code: 'file-unreadable' });
    expect(await pathExists(path)).toBe(true);
  });
});

describe('the cluster record', () => {
  it('is made once, with secrets that nobody guesses, and read back the same', async () => {
    const path = join(dir, 'cluster.json');
    const made = await openClusterRecord(path);
    expect(made).toMatchObject({ bootstrapped: false, configuredFrom: null, tokens: {} });
    expect(made.operatorToken).toMatch(/^[\w-]{43}$/);
    expect(made.dnsToken).not.toBe(made.operatorToken);
    expect(await openClusterRecord(path)).toEqual(made);
    await saveClusterRecord(path, { ...made, bootstrapped: true });
    expect((await openClusterRecord(path)).bootstrapped).toBe(true);
  });

  it('is refused when somebody damaged it: a new identity would be another cluster', async () => {
    const path = join(dir, 'cluster.json');
    writeFileSync(path, JSON.stringify({ ...clusterRecord(), operatorToken: undefined }));
    await expect(openClusterRecord(path)).rejects.toMatchObject({
      code: 'cluster-file-invalid',
      message: expect.stringContaining('operatorToken'),
    });
  });

  it('gets a token for each new name and keeps the ones it has', () => {
    const first = withTokens(clusterRecord(), ['A_TOKEN']);
    const second = withTokens(first, ['A_TOKEN', 'B_TOKEN']);
    expect(second.tokens['A_TOKEN']).toBe(first.tokens['A_TOKEN']);
    expect(second.tokens['B_TOKEN']).toMatch(/^[\w-]{43}$/);
    expect(second.tokens['B_TOKEN']).not.toBe(second.tokens['A_TOKEN']);
  });
});

describe('the file that tells where local mode runs', () => {
  it('is written for the owner only and read back the same', async () => {
    const layout = createLayout({ dir, portBase: 7100 });
    const file = describeLocal({
      layout,
      record: clusterRecord(),
      supervisorToken: 'a-supervisor-token',
      siteUrls: new Map([['checkout@us-east-1', 'http://127.0.0.11:8101']]),
    });
    await writeLocalFile(layout.localFile, file);
    expect(statSync(layout.localFile).mode & 0o777).toBe(0o600);
    expect(await readLocalFile(dir)).toEqual({
      version: 1,
      pid: process.pid,
      regions: {
        'us-east-1': { url: 'http://127.0.0.1:7101' },
        'us-east-2': { url: 'http://127.0.0.1:7102' },
        'us-west-2': { url: 'http://127.0.0.1:7103' },
      },
      dns: { host: '127.0.0.1', port: 7153 },
      supervisor: { url: 'http://127.0.0.1:7100', token: 'a-supervisor-token' },
      operatorToken: 'an-operator-token-for-tests',
      sites: { 'checkout@us-east-1': { url: 'http://127.0.0.11:8101' } },
    });
  });

  it('says what to do when nothing was started, or when it is not ours', async () => {
    await expect(readLocalFile(dir)).rejects.toMatchObject({
      code: 'local-not-started',
      hint: expect.stringContaining('npm start'),
    });
    writeFileSync(join(dir, 'local.json'), '{"version":2}');
    await expect(readLocalFile(dir)).rejects.toMatchObject({ code: 'local-file-invalid' });
  });
});
