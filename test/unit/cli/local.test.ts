/** `tripoint local …` against the real admin API, over a table of processes that are none. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { createSupervisorApi } from '../../../lib/local/supervisor-api.ts';
import { invoke } from '../../support/command-line.ts';

const TOKEN = 'supervisor-token-for-tests';
let isDown = false;
let stops = 0;
let dir: string;

const server = createAdaptorServer({
  fetch: createSupervisorApi({
    token: TOKEN,
    table: {
      list: () => [
        {
          name: 'us-east-1',
          kind: 'region',
          state: isDown ? 'down' : 'running',
          pid: isDown ? null : 41,
          exit: isDown ? { code: null, signal: 'SIGKILL' } : null,
        },
      ],
      kill: async (name) => {
        if (name !== 'us-east-1') {
          return { kind: 'unknown-process', known: ['us-east-1'] };
        }
        const outcome = isDown
          ? ({ kind: 'not-running' } as const)
          : ({ kind: 'killed', pid: 41 } as const);
        isDown = true;
        return outcome;
      },
      start: async () => {
        isDown = false;
        return { kind: 'started', pid: 42, elapsedMs: 1234 };
      },
    },
    requestStop: () => {
      stops += 1;
    },
  }).fetch,
});

beforeAll(async () => {
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  dir = mkdtempSync(join(tmpdir(), 'tripoint-local-'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = {
    version: 1,
    pid: process.pid,
    regions: { 'us-east-1': { url } },
    dns: { host: '127.0.0.1', port: 7153 },
    supervisor: { url, token: TOKEN },
    operatorToken: 'operator',
    sites: {},
  };
  writeFileSync(join(dir, 'local.json'), JSON.stringify(file));
});

afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

function local(...words: readonly string[]) {
  return invoke(['local', ...words, '--dir', dir]);
}

test('processes are listed, killed and started by name', async () => {
  expect((await local('status')).output).toBe(
    'process    kind    state      pid  exit\nus-east-1  region  ● running  41\n',
  );
  expect(await local('kill', 'us-east-1')).toMatchObject({
    exitCode: EXIT.ok,
    output: 'killed us-east-1 (pid 41)\n',
  });
  const down = await local('ps');
  expect(down.output).toContain('✖ down  –    SIGKILL');
  expect(down.messages).toContain('Next: tripoint local start us-east-1');
  expect((await local('start', 'us-east-1')).output).toBe('started us-east-1 (pid 42) in 1.23 s\n');
});

test('a name that is none, and a process that is down, are told apart', async () => {
  const unknown = await local('kill', 'mars');
  expect(unknown.exitCode).toBe(EXIT.error);
  expect(unknown.messages).toContain('Known: us-east-1.');
  await local('kill', 'us-east-1');
  expect((await local('kill', 'us-east-1')).exitCode).toBe(EXIT.refused);
});

test('local mode is stopped once', async () => {
  expect(JSON.parse((await local('stop', '--json')).output)).toEqual({ stopping: true });
  expect(stops).toBe(1);
});

test('where nothing was started, the hint says how to start', async () => {
  const { exitCode, messages } = await invoke(['local', 'status', '--dir', join(dir, 'none')]);
  expect(exitCode).toBe(EXIT.error);
  expect(messages).toMatch(/✖ local-not-started[\s\S]*npm start/);
});
