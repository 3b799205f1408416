import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findTarget, LOCAL_DIR_DEFAULT } from '../../../lib/cli/target.ts';
import { parseCliSettings } from '../../../lib/config/environment.ts';
import { LOCAL_DEFAULTS } from '../../../lib/local/run-local.ts';

const ENVIRONMENT = parseCliSettings({
  TRIPOINT_ENDPOINTS: 'https://a.example.com,https://b.example.com/',
  TRIPOINT_TOKEN: 'from-the-environment',
});
const NOTHING = parseCliSettings({});

let empty: string;
let started: string;
let tokenFile: string;

beforeAll(() => {
  empty = mkdtempSync(join(tmpdir(), 'tripoint-target-'));
  started = mkdtempSync(join(tmpdir(), 'tripoint-target-'));
  tokenFile = join(empty, 'token');
  writeFileSync(tokenFile, 'from-a-file\n');
  const regions = {
    'us-east-1': { url: 'http://127.0.0.1:7101' },
    'us-east-2': { url: 'http://127.0.0.1:7102' },
  };
  writeFileSync(
    join(started, 'local.json'),
    JSON.stringify({
      version: 1,
      pid: 1,
      regions,
      dns: { host: '127.0.0.1', port: 7153 },
      supervisor: { url: 'http://127.0.0.1:7100', token: 'supervisor' },
      operatorToken: 'from-local-mode',
      sites: {},
    }),
  );
});

afterAll(() => {
  rmSync(empty, { recursive: true });
  rmSync(started, { recursive: true });
});

describe('findTarget', () => {
  test('takes the flags before everything else', async () => {
    const options = { endpoint: ['https://c.example.com'], tokenFile, dir: started };
    expect(await findTarget(options, ENVIRONMENT)).toEqual({
      endpoints: ['https://c.example.com'],
      token: 'from-a-file',
      source: 'flags',
      note: null,
    });
  });

  test('takes the token of the environment for an endpoint flag without a file', async () => {
    const options = { endpoint: ['https://c.example.com'], tokenFile: null, dir: empty };
    expect((await findTarget(options, ENVIRONMENT)).token).toBe('from-the-environment');
  });

  test('takes a local mode before the environment, and says so', async () => {
    const target = await findTarget({ endpoint: [], tokenFile: null, dir: started }, ENVIRONMENT);
    expect(target).toMatchObject({
      endpoints: ['http://127.0.0.1:7101', 'http://127.0.0.1:7102'],
      token: 'from-local-mode',
      source: 'local',
      note: expect.stringContaining('TRIPOINT_ENDPOINTS'),
    });
    expect(
      (await findTarget({ endpoint: [], tokenFile: null, dir: started }, NOTHING)).note,
    ).toBeNull();
  });

  test('takes the environment where nothing else is', async () => {
    expect(await findTarget({ endpoint: [], tokenFile: null, dir: empty }, ENVIRONMENT)).toEqual({
      endpoints: ['https://a.example.com', 'https://b.example.com'],
      token: 'from-the-environment',
      source: 'environment',
      note: null,
    });
  });

  test('says what to do when there is nothing', async () => {
    await expect(
      findTarget({ endpoint: [], tokenFile: null, dir: empty }, NOTHING),
    ).rejects.toMatchObject({
      code: 'no-endpoint',
      hint: expect.stringContaining('npm start'),
    });
  });

  test.each([
    'http://api.example.com',
    'https://api.example.com/path',
    'https://user:secret@api.example.com',
    'ftp://api.example.com',
    'api.example.com',
    'http://127.0.0.1.example.com',
  ])('never sends a token to %s', async (endpoint) => {
    await expect(
      findTarget({ endpoint: [endpoint], tokenFile, dir: empty }, NOTHING),
    ).rejects.toMatchObject({
      code: 'endpoint-invalid',
    });
  });

  test.each(['http://127.0.0.1:7101', 'http://localhost:7101/', 'http://[::1]:7101'])(
    'sends it to this machine in the clear: %s',
    async (endpoint) => {
      const target = await findTarget({ endpoint: [endpoint], tokenFile, dir: empty }, NOTHING);
      expect(target.endpoints).toEqual([endpoint.replace(/\/$/, '')]);
    },
  );

  test.each([['', 'two tokens', 'line\nline']])(
    'refuses a token file that holds %j',
    async (text) => {
      const path = join(empty, 'bad-token');
      writeFileSync(path, text);
      await expect(
        findTarget({ endpoint: ['https://c.example.com'], tokenFile: path, dir: empty }, NOTHING),
      ).rejects.toMatchObject({ code: 'token-file-unreadable' });
    },
  );
});

test('the folder of local mode is the one that local mode uses', () => {
  expect(LOCAL_DIR_DEFAULT).toBe(LOCAL_DEFAULTS.dir);
});
