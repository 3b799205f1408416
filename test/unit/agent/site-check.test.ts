import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describeOutcome,
  findingOf,
  lagOf,
  lookByUrl,
  startWatch,
} from '../../../lib/agent/site-check.ts';
import { createSystemClock } from '../../../lib/agent/system-clock.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const exited = (code: number, output = '') => ({ kind: 'exited', code, output }) as const;

describe('findingOf', () => {
  it.each([
    [exited(0), 'ok'],
    [exited(1), 'degraded'],
    [exited(2), 'failing'],
    [exited(127), 'failing'],
    [{ kind: 'killed', signal: 'SIGSEGV', output: '' }, 'failing'],
    [{ kind: 'timed-out', output: '' }, 'failing'],
    [{ kind: 'not-started', detail: 'ENOENT' }, 'failing'],
  ] as const)('takes %j as %s', (outcome, status) => {
    expect(findingOf(outcome).status).toBe(status);
  });

  it('quotes the last words, on one line, without what would move a cursor', () => {
    const detail = describeOutcome(exited(2, `first\n\u001b[31mlast\u0007 ${'x'.repeat(500)}\n\n`));
    expect(detail).toMatch(/^exit code 2: \[31mlast {1,2}x+$/);
    expect(detail.length).toBeLessThan(230);
  });
});

describe('lagOf', () => {
  it.each([
    ['1234\n', 1234],
    ['  12.5 \nmore', 12.5],
    ['0', 0],
    ['', null],
    ['-1', null],
    ['1e3', null],
    ['five', null],
    ['12 ms', null],
  ])('reads %j as %j', (output, lagMs) => {
    expect(lagOf(exited(0, output))).toBe(lagMs);
  });

  it('knows nothing when the command failed', () => {
    expect(lagOf(exited(1, '12'))).toBeNull();
    expect(lagOf({ kind: 'timed-out', output: '12' })).toBeNull();
  });
});

describe('startWatch', () => {
  it('looks at once and then in step, never two at a time', async () => {
    const clock = createManualClock(0);
    const began: number[] = [];
    const lengths = [100, 2500, 100];
    const watch = startWatch({
      look: async () => {
        began.push(clock.monotonicNow());
        await clock.sleep(lengths[began.length - 1] ?? 100);
        return began.length;
      },
      intervalMs: 1000,
      clock,
      onResult: () => undefined,
    });
    await clock.advance(50);
    expect(watch.latest()).toBeNull();
    await clock.advance(5000);
    expect(began).toEqual([0, 1000, 3501, 4501]);
    expect(watch.latest()).toBe(4);
    await Promise.all([watch.stop(), clock.advance(1000)]);
    expect(clock.sleeperCount()).toBe(0);
  });
});

describe('lookByUrl', () => {
  const clock = createSystemClock({ keepProcessAlive: true });
  const never = new AbortController().signal;
  let server: Server;
  let base = '';

  beforeAll(async () => {
    server = createServer((request, response) => {
      const status = Number(request.url?.slice(1));
      if (status > 0) {
        response.writeHead(status, { location: '/200' });
        response.write('x'.repeat(100_000));
      }
      // The body of any answer is never finished: it must not be waited for.
    });
    server.listen({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['200', 'ok'],
    ['299', 'ok'],
    ['302', 'failing'],
    ['404', 'failing'],
    ['429', 'degraded'],
    ['503', 'failing'],
  ])('takes status %s as %s, without reading the body to its end', async (path, status) => {
    const look = lookByUrl({ url: `${base}/${path}`, timeoutMs: 5000, clock, fetch });
    expect(await look(never)).toEqual({ status, detail: `status ${path}` });
  });

  it('is failing when nothing answers in time, or nothing is there', async () => {
    const hanging = lookByUrl({ url: `${base}/0`, timeoutMs: 100, clock, fetch });
    expect(await hanging(never)).toEqual({ status: 'failing', detail: 'no answer in time' });
    const absent = lookByUrl({ url: 'http://127.0.0.1:1/', timeoutMs: 5000, clock, fetch });
    expect(await absent(never)).toMatchObject({
      status: 'failing',
      detail: expect.stringMatching(/ECONNREFUSED|bad port/),
    });
  });
});
