import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createProbePort } from '../../../../lib/aws/probe/probe-port.ts';
import { monotonicMillis } from '../../../../lib/base/identifiers.ts';
import { SYSTEM_CLOCK } from '../../../../lib/local/system-clock.ts';
import type { ProbePolicy } from '../../../../lib/recovery/probe-policy.ts';
import { loopbackCertificate, makeCertificate } from '../../../support/certificates.ts';
import { httpPolicy, tcpPolicy, tlsPolicy } from '../../../support/probe-policies.ts';
import { ProbeTargets } from '../../../support/probe-targets.ts';

const GOOD = loopbackCertificate(90);
const EXPIRED = loopbackCertificate(-1);
const ENDING = loopbackCertificate(10);
const AUTHORITIES = [GOOD.cert, EXPIRED.cert, ENDING.cert];
const NEVER = new AbortController().signal;

const targets = new ProbeTargets();
afterEach(() => targets.close());

function probe(policy: ProbePolicy, authorities: readonly string[] = AUTHORITIES) {
  return createProbePort({ clock: SYSTEM_CLOCK, authorities }).probe(policy, NEVER);
}

describe('HTTP', () => {
  test.each([
    [200, 'passed', 'passed'],
    [299, 'passed', 'passed'],
    [404, 'failed', 'status-unexpected'],
    [503, 'failed', 'status-unexpected'],
  ] as const)('status %i has %s', async (status, outcome, code) => {
    const port = await targets.http((_, response) => response.writeHead(status).end());
    const result = await probe(httpPolicy(`http://127.0.0.1:${port}/`));
    expect(result).toMatchObject({ outcome, code });
    expect(result.detail).toContain(`GET http://127.0.0.1:${port}/: status ${status} in `);
  });

  test('a redirect is an answer and is not followed', async () => {
    const paths: (string | undefined)[] = [];
    const port = await targets.http((request, response) => {
      paths.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const url = `http://127.0.0.1:${port}/here`;
    expect(await probe(httpPolicy(url))).toMatchObject({ code: 'status-unexpected' });
    const expected = await probe(httpPolicy(url, { statusMin: 300, statusMax: 399 }));
    expect(expected).toMatchObject({ outcome: 'passed' });
    expect(paths).toEqual(['/here', '/here']);
  });

  test('asks as it is told: method, host, and a connection of its own', async () => {
    const asked: unknown[] = [];
    const port = await targets.http(({ method, headers }, response) => {
      asked.push([method, headers.host, headers.connection]);
      response.end();
    });
    await probe(httpPolicy(`http://127.0.0.1:${port}/`, { method: 'HEAD' }));
    await probe(httpPolicy(`http://127.0.0.1:${port}/`, { serverName: 'checkout.example.test' }));
    expect(asked).toEqual([
      ['HEAD', `127.0.0.1:${port}`, 'close'],
      ['GET', 'checkout.example.test', 'close'],
    ]);
  });

  test('text is found across the pieces in which a body comes, and missed when it is not there', async () => {
    const port = await targets.http((_, response) => {
      response.write('{"status":');
      setImmediate(() => response.end('"ok"}'));
    });
    const url = `http://127.0.0.1:${port}/`;
    expect(await probe(httpPolicy(url, { bodyContains: '"status":"ok"' }))).toMatchObject({
      outcome: 'passed',
    });
    expect(await probe(httpPolicy(url, { bodyContains: 'well' }))).toMatchObject({
      code: 'body-mismatch',
    });
  });

  test('of a huge body only the beginning is read', async () => {
    let written = 0;
    const port = await targets.http((_, response) => {
      const chunk = Buffer.alloc(16 * 1024, 'x');
      const more = () => {
        written += chunk.length;
        if (response.write(chunk)) {
          setImmediate(more);
        } else {
          response.once('drain', more);
        }
      };
      more();
    });
    const result = await probe(httpPolicy(`http://127.0.0.1:${port}/`, { bodyContains: 'y' }));
    expect(result).toMatchObject({ code: 'body-mismatch' });
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test('a body that drips is cut off by the time limit; one that nobody needs is not waited for', async () => {
    const port = await targets.http((_, response) => {
      response.writeHead(200);
      response.write('.');
    });
    const url = `http://127.0.0.1:${port}/`;
    expect(await probe(httpPolicy(url, { bodyContains: 'ok', timeoutMs: 100 }))).toMatchObject({
      outcome: 'failed',
      code: 'timed-out',
    });
    expect(await probe(httpPolicy(url))).toMatchObject({ outcome: 'passed' });
  });

  test('an answer that comes late fails although it is right', async () => {
    const port = await targets.http(async (_, response) => {
      await sleep(60);
      response.end('ok');
    });
    const result = await probe(httpPolicy(`http://127.0.0.1:${port}/`, { latencyMsMax: 20 }));
    expect(result).toMatchObject({ outcome: 'failed', code: 'too-slow' });
  });

  test.each([
    ['is closed without a word', (socket: { destroy: () => void }) => socket.destroy()],
    [
      'speaks another language',
      (socket: { end: (text: string) => void }) => socket.end('220 hi\r\n'),
    ],
  ])('a connection that %s is an unexpected answer', async (_, behave) => {
    const port = await targets.tcp((socket) => socket.once('data', () => behave(socket)));
    expect(await probe(httpPolicy(`http://127.0.0.1:${port}/`))).toMatchObject({
      outcome: 'failed',
      code: 'answer-unexpected',
    });
  });

  test('a body that breaks off is an unexpected answer', async () => {
    const port = await targets.http((request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('some');
      setTimeout(() => request.socket.destroy(), 20);
    });
    expect(
      await probe(httpPolicy(`http://127.0.0.1:${port}/`, { bodyContains: 'all' })),
    ).toMatchObject({ outcome: 'failed', code: 'answer-unexpected' });
  });

  describe('an answer that changes the protocol', () => {
    const upgrading = () =>
      targets.tcp((socket) => {
        const head =
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n';
        socket.once('data', () => socket.write(head));
      });

    test('is a status like any other, and its connection is closed', async () => {
      const url = `http://127.0.0.1:${await upgrading()}/`;
      const result = await probe(httpPolicy(url));
      expect(result).toMatchObject({ outcome: 'failed', code: 'status-unexpected' });
      expect(await probe(httpPolicy(url, { statusMin: 101 }))).toMatchObject({ outcome: 'passed' });
      await vi.waitFor(() => expect(targets.openCount).toBe(0));
    });

    test('has no body to wait for, and holds no turn beyond the time limit', async () => {
      const url = `http://127.0.0.1:${await upgrading()}/`;
      const policy = httpPolicy(url, { statusMin: 101, bodyContains: 'ok', timeoutMs: 100 });
      expect(await probe(policy)).toMatchObject({ outcome: 'failed' });
    });
  });

  test('headers without end are cut off', async () => {
    const port = await targets.tcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const line = `x-padding: ${'x'.repeat(1000)}\r\n`;
        socket.write(line.repeat(100));
      });
    });
    expect(await probe(httpPolicy(`http://127.0.0.1:${port}/`))).toMatchObject({
      code: 'answer-unexpected',
    });
  });
});

describe('TLS', () => {
  test('a certificate that is trusted and stands for the host passes', async () => {
    const port = await targets.https(GOOD, (_, response) => response.end());
    for (const policy of [httpPolicy(`https://localhost:${port}/`), tlsPolicy(port)]) {
      expect(await probe(policy)).toMatchObject({ outcome: 'passed', code: 'passed' });
    }
  });

  test.each([
    ['has expired', { certificate: EXPIRED, serverName: null, authorities: AUTHORITIES }],
    ['is signed by nobody known', { certificate: GOOD, serverName: null, authorities: [] }],
    [
      'stands for another host',
      { certificate: GOOD, serverName: 'other.example.test', authorities: AUTHORITIES },
    ],
  ])('one that %s is invalid', async (_, { certificate, serverName, authorities }) => {
    const port = await targets.https(certificate, (_request, response) => response.end());
    for (const policy of [
      httpPolicy(`https://127.0.0.1:${port}/`, { serverName }),
      tlsPolicy(port, { serverName }),
    ]) {
      expect(await probe(policy, authorities)).toMatchObject({
        outcome: 'failed',
        code: 'certificate-invalid',
      });
    }
  });

  test('one that ends soon passes with a warning, if that is asked for', async () => {
    const port = await targets.https(ENDING, (_, response) => response.end());
    const codes = await Promise.all(
      [0, 9, 11].flatMap((certificateDaysMin) => [
        probe(httpPolicy(`https://127.0.0.1:${port}/`, { certificateDaysMin })),
        probe(tlsPolicy(port, { certificateDaysMin })),
      ]),
    );
    expect(codes.map(({ outcome }) => outcome)).toEqual(Array(6).fill('passed'));
    expect(codes.map(({ code }) => code)).toEqual([
      ...['passed', 'passed', 'passed', 'passed'],
      ...['certificate-expires-soon', 'certificate-expires-soon'],
    ]);
    expect(codes.at(-1)?.detail).toContain('expires in 9 days');
  });

  test('the name that is asked for picks the certificate', async () => {
    const names = ['checkout.example.test'];
    const named = makeCertificate({
      names,
      notBefore: new Date('2026-01-01'),
      notAfter: new Date('2049-01-01'),
    });
    const port = await targets.https(named, (_, response) => response.end());
    const policy = tlsPolicy(port, { serverName: 'checkout.example.test' });
    expect(await probe(policy, [named.cert])).toMatchObject({ outcome: 'passed' });
  });

  test('a port that speaks no TLS is an unexpected answer', async () => {
    const port = await targets.http((_, response) => response.end());
    expect(await probe(tlsPolicy(port))).toMatchObject({ code: 'answer-unexpected' });
  });
});

describe('TCP', () => {
  test('a connection that is taken passes, one that is refused does not', async () => {
    const port = await targets.tcp(() => undefined);
    expect(await probe(tcpPolicy(port))).toMatchObject({ outcome: 'passed' });
    expect(await probe(tcpPolicy(await targets.nobody()))).toMatchObject({
      code: 'connection-refused',
    });
  });

  test('a host with several addresses is refused only when each of them refuses', async () => {
    const port = await targets.tcp(() => undefined);
    expect(await probe(tcpPolicy(port, { host: 'localhost' }))).toMatchObject({
      outcome: 'passed',
    });
    expect(await probe(tcpPolicy(await targets.nobody(), { host: 'localhost' }))).toMatchObject({
      code: 'connection-refused',
    });
  });
});

test('nothing stays open after a probe, whatever came of it', async () => {
  const silent = await targets.tcp(() => undefined);
  const speaking = await targets.https(GOOD, (_, response) => response.write('never ends'));
  await probe(tcpPolicy(silent));
  await probe(tlsPolicy(silent, { timeoutMs: 50 }));
  await probe(httpPolicy(`http://127.0.0.1:${silent}/`, { timeoutMs: 50 }));
  await probe(httpPolicy(`https://127.0.0.1:${speaking}/`));
  await vi.waitFor(() => expect(targets.openCount).toBe(0), { timeout: 5000, interval: 5 });
});

test('a time limit that strikes late says that this process stood still, not the site', async () => {
  const port = await targets.tcp(() => undefined);
  const clock = { wallNow: SYSTEM_CLOCK.wallNow, monotonicNow: leapingClock(60_000) };
  const result = await createProbePort({ clock }).probe(
    httpPolicy(`http://127.0.0.1:${port}/`, { timeoutMs: 50 }),
    NEVER,
  );
  expect(result).toMatchObject({ outcome: 'not-probed' });
});

/** Moves by so much each time it is read. */
function leapingClock(stepMs: number) {
  let now = 0;
  return () => {
    now += stepMs;
    return monotonicMillis(now);
  };
}
