import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listener, listen } from '../../../lib/local/listen.ts';
import { requireNotRunning, takeSupervisorLock } from '../../../lib/local/supervisor-lock.ts';

const TOKEN = 'holder-token';
let dir: string;
let path: string;
let listener: Listener;
let url: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-lock-'));
  path = join(dir, 'supervisor.lock');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const app = new Hono().get('/processes', (c) =>
    c.req.header('authorization') === `Bearer ${TOKEN}` ? c.json({}) : c.json({}, 401),
  );
  listener = await listen(app, { port });
});

afterEach(async () => {
  await listener.close();
  rmSync(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the supervisor lock', () => {
  it('refuses a second supervisor while the first one answers, and lets it in afterwards', async () => {
    const lock = await takeSupervisorLock(path, { pid: 1, url, token: TOKEN });
    const second = { pid: 2, url, token: 'another' };
    await expect(requireNotRunning(path)).rejects.toMatchObject({ code: 'already-running' });
    await expect(takeSupervisorLock(path, second)).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringContaining('process 1'),
    });
    lock.release();
    await requireNotRunning(path);
    (await takeSupervisorLock(path, second)).release();
    expect(existsSync(path)).toBe(false);
  });

  it('takes over from a supervisor that was killed', async () => {
    const gone = `http://127.0.0.1:${await freePort()}`;
    await takeSupervisorLock(path, { pid: 1, url: gone, token: TOKEN });
    await takeSupervisorLock(path, { pid: 2, url, token: 'new' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ pid: 2, url, token: 'new' });
  });

  it('takes over when another program has the port of the one that was killed', async () => {
    await takeSupervisorLock(path, { pid: 1, url, token: 'not the one that answers' });
    await takeSupervisorLock(path, { pid: 2, url, token: 'new' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: 2 });
  });

  it('takes over a lock that was half written', async () => {
    writeFileSync(path, '{"pid":');
    await takeSupervisorLock(path, { pid: 2, url, token: 'new' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: 2 });
  });

  it('does not release the lock of a successor', async () => {
    const gone = `http://127.0.0.1:${await freePort()}`;
    const old = await takeSupervisorLock(path, { pid: 1, url: gone, token: 'old' });
    await takeSupervisorLock(path, { pid: 2, url, token: TOKEN });
    old.release();
    expect(existsSync(path)).toBe(true);
  });
});
