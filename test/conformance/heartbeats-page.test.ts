/** Every command of docs/heartbeats.md is run against a real API, over real HTTP. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROBLEMS } from '../../lib/api/errors.ts';
import { heartbeatAnswerSchema } from '../../lib/api/heartbeat-schemas.ts';
import { presentMonitors } from '../../lib/api/present-monitors.ts';
import { parseConfiguration } from '../../lib/config/parse.ts';
import { type Listener, listen } from '../../lib/local/listen.ts';
import { type ApiFixture, createApiFixture, SITE_TOKEN } from '../support/control-plane-fixture.ts';

const run = promisify(execFile);
const PAGE = readFileSync('docs/heartbeats.md', 'utf8');
const blocksOf = (language: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );

const TOKENS = {
  BACKUP_TOKEN: 'backup-token-of-the-page-0123456789',
  QUEUE_TOKEN: 'queue-token-of-the-page-0123456789',
  WORKERS_TOKEN: 'workers-token-of-the-page-0123456789',
};
const SERVICES = `version: 1
services:
  checkout:
    dns: { name: checkout.example.com }
    primary: us-east-1
    sites:
      us-east-1: { address: 192.0.2.1, tokens: ['sha256:${'1'.repeat(64)}'] }
      us-west-2: { address: 192.0.2.2, tokens: ['sha256:${'2'.repeat(64)}'] }
`;

describe('docs/heartbeats.md', () => {
  let api: ApiFixture;
  let listener: Listener;
  let folder: string;
  let environment: Record<string, string>;

  /** The page's `/usr/local/bin/backup` is this script. */
  const backup = async (script: string) => {
    const path = join(folder, 'backup');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
  };
  const shell = (command: string) =>
    run('sh', ['-eu', '-c', command.replaceAll('/usr/local/bin/backup', join(folder, 'backup'))], {
      env: { ...environment, PATH: process.env['PATH'] ?? '' },
      timeout: 10_000,
    });
  const jobOf = async (site: string) => {
    await api.clock.advance(2000);
    await api.plane.look();
    const sites = presentMonitors(api.plane.status()).flatMap((monitor) => monitor.sites);
    return sites.find((candidate) => candidate.site === site)?.job;
  };

  beforeAll(async () => {
    const parsed = parseConfiguration(`${SERVICES}${blocksOf('yaml')[0] ?? ''}`, TOKENS);
    if (parsed.kind === 'invalid') {
      throw new Error(JSON.stringify(parsed.problems));
    }
    api = await createApiFixture({ monitors: parsed.monitors });
    const port = await freePort();
    listener = await listen(api.app, { port });
    folder = await mkdtemp(join(tmpdir(), 'tripoint-heartbeats-'));
    environment = {
      ...TOKENS,
      TRIPOINT: `http://127.0.0.1:${port}`,
      TOKEN: TOKENS.BACKUP_TOKEN,
      SITE_TOKEN,
    };
  });

  afterAll(async () => {
    await listener.close();
    await rm(folder, { recursive: true });
  });

  test('has a crontab line that tells a success from a failure', async () => {
    const [line = ''] = blocksOf('crontab');
    const command = line.replace(/^(\S+ ){5}/, '');
    await backup('exit 0');
    await shell(command);
    expect(await jobOf('backup')).toMatchObject({ exitCode: 0, lastFailedAt: null });
    await backup('exit 3');
    await shell(`set +e; ${command}`);
    expect(await jobOf('backup')).toMatchObject({ exitCode: 3 });
  });

  test('has commands that do what it says', async () => {
    const [started = '', json = '', batch = '', born = '', ...others] = blocksOf('sh');
    expect(others).toEqual([]);
    await backup('echo "disk full"; exit 7');
    await shell(started);
    const job = await jobOf('backup');
    expect(job).toMatchObject({ exitCode: 7, message: 'disk full', runningSince: null });
    expect(job?.lastStartedAt).not.toBeNull();
    const answer = heartbeatAnswerSchema.parse(JSON.parse((await shell(json)).stdout));
    expect(answer).toMatchObject({ role: 'active', nextBeatMs: 1000, leaseMs: 3000 });
    const taken = JSON.parse((await shell(batch)).stdout) as { results: { kind: string }[] };
    expect(taken.results.map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
    await shell(born);
    expect(api.plane.status().state.monitors['workers']?.provisioned).toEqual(['worker-17']);
  });

  test('shows the members of a real answer', () => {
    const [example = ''] = blocksOf('json');
    expect(heartbeatAnswerSchema.strict().parse(JSON.parse(example))).toMatchObject({
      role: 'active',
    });
  });

  test('is right that a job may print what it likes', async () => {
    await shell(
      `head -c 3000000 /dev/zero | tr '\\0' x | curl -fsS -m 10 -o /dev/null --data-binary @- "$TRIPOINT/beat/$QUEUE_TOKEN"`,
    );
    expect((await jobOf('mail-queue'))?.message).toBe('x'.repeat(200));
  });

  test('names each refusal by its status and code', () => {
    const rows = [...PAGE.matchAll(/^\| (\d{3}) +\| `([a-z-]+)`/gm)];
    expect(rows.length).toBeGreaterThan(8);
    for (const [, status, code = ''] of rows) {
      expect([code, PROBLEMS[code as keyof typeof PROBLEMS]?.status]).toEqual([
        code,
        Number(status),
      ]);
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
