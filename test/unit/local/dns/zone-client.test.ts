import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { zoneClient } from '../../../../lib/local/dns/zone-client.ts';
import type { Change, SwitchPort } from '../../../../lib/recovery/switch-port.ts';

const BATCH: readonly Change[] = [
  {
    action: 'CREATE',
    recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
  },
];
const TOKEN = 'a-token-for-these-tests';

/** For answers that come, however busy the machine. */
const PATIENT_MS = 5000;
const IMPATIENT_MS = 150;

describe('what the zone says', () => {
  test('is asked with the token, and in the order of the names', async () => {
    const asked: (string | undefined)[] = [];
    const listener: RequestListener = (request, response) => {
      asked.push(request.url, request.headers.authorization);
      response.end('{"recordSets":[]}');
    };
    await withZone(listener, async (port) => {
      expect(await port.read(['b.test', 'a.test'])).toEqual({
        kind: 'read',
        recordSets: [],
        foreign: [],
      });
    });
    expect(asked).toEqual(['/v1/record-sets?name=b.test&name=a.test', `Bearer ${TOKEN}`]);
  });

  test.each<readonly [number, object, string]>([
    [201, { changeId: 'C2', status: 'in-sync' }, 'applied'],
    [409, { code: 'conflict', detail: 'not found' }, 'conflict'],
    [422, { code: 'not-for-this-zone', detail: 'no' }, 'refused'],
    [401, { code: 'unauthorized', detail: 'no' }, 'refused'],
    [503, { code: 'busy', detail: 'later' }, 'busy'],
    [503, { code: 'other', detail: 'a proxy says so' }, 'unknown'],
    [500, { code: 'storage-failed', detail: 'disk' }, 'unknown'],
    [502, {}, 'unknown'],
    [200, { changeId: 'C2', status: 'in-sync' }, 'unknown'],
    [201, { changeId: 7 }, 'unknown'],
  ])('by status %i and %j about a change is %3$s', async (status, body, kind) => {
    await withZone(answering(status, body), async (port) => {
      expect((await port.change(BATCH, 'test')).kind).toBe(kind);
    });
  });

  test.each<readonly [number, object, string]>([
    [401, { code: 'unauthorized', detail: 'no' }, 'refused'],
    [500, {}, 'unknown'],
    [200, { recordSets: [{ name: 'a.test', type: 'MX' }] }, 'unknown'],
  ])('by status %i and %j to a read is %3$s', async (status, body, kind) => {
    await withZone(answering(status, body), async (port) => {
      expect((await port.read(['a.test'])).kind).toBe(kind);
    });
  });
});

describe('when no answer comes', () => {
  test('because nothing listens, a change was not sent: busy', async () => {
    const port = clientOf(await unusedPort());
    expect((await port.change(BATCH, 'test')).kind).toBe('busy');
    expect((await port.read(['a.test'])).kind).toBe('unknown');
    expect((await port.changeStatus('C1')).kind).toBe('unknown');
  });

  test.each<readonly [string, RequestListener]>([
    ['within the time', () => undefined],
    ['because the connection breaks', (request) => request.socket.destroy()],
    [
      'in full',
      (_, response) => {
        response.writeHead(201, { 'content-length': '500' });
        response.write('{"changeId":');
        response.destroy();
      },
    ],
    ['in JSON', (_, response) => response.end('<html>')],
    [
      'because it points elsewhere',
      (_, response) => {
        response.writeHead(307, { location: 'http://127.0.0.1:1/' });
        response.end();
      },
    ],
  ])('%s, a change is unknown', async (_, listener) => {
    const isUnknown = async (port: SwitchPort) => {
      expect((await port.change(BATCH, 'test')).kind).toBe('unknown');
    };
    await withZone(listener, isUnknown, IMPATIENT_MS);
  });
});

test('a batch that may not be sent is refused without a request', async () => {
  const port = clientOf(await unusedPort());
  expect(await port.change([], 'test')).toMatchObject({ kind: 'refused', code: 'empty-batch' });
});

function answering(status: number, body: object): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

async function withZone(
  listener: RequestListener,
  action: (port: SwitchPort) => Promise<void>,
  timeoutMs: number = PATIENT_MS,
): Promise<void> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await action(clientOf((server.address() as AddressInfo).port, timeoutMs));
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

function clientOf(port: number, timeoutMs: number = PATIENT_MS): SwitchPort {
  return zoneClient({ url: `http://127.0.0.1:${port}`, token: TOKEN, timeoutMs });
}

/** A port that was free a moment ago. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
