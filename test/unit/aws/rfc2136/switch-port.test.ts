/** What the port makes of a name server that misbehaves; that it works with a good one, BIND says. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { rfc2136SwitchPort } from '../../../../lib/aws/rfc2136/switch-port.ts';
import type { Change } from '../../../../lib/recovery/switch-port.ts';

const CREATE: readonly Change[] = [
  {
    action: 'CREATE',
    recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
  },
];

let server: Server | null = null;
afterEach(() => {
  server?.close();
  server = null;
});

describe('a change', () => {
  test('is busy where no connection is made: nothing was sent', async () => {
    const port = await portTo(() => null);
    server?.close();
    await once(server as Server, 'close');
    expect((await port.change(CREATE, '')).kind).toBe('busy');
    expect((await port.read(['a.example.test'])).kind).toBe('unknown');
  });

  test.each<readonly [string, (request: Buffer) => Buffer | null]>([
    ['is not signed, though it says done', (request) => answerTo(request, 0)],
    ['says that the key is wrong, without a signature', (request) => answerTo(request, 9)],
    ['is the question itself', (request) => request],
    ['is noise', (request) => Buffer.concat([request.subarray(0, 2), Buffer.alloc(9, 0x80)])],
    ['never comes', () => null],
  ])('is unknown when the answer %s', async (_, answer) => {
    const port = await portTo(answer);
    expect((await port.change(CREATE, '')).kind).toBe('unknown');
  });

  test('of weights, or of a name elsewhere, is refused here: no byte leaves', async () => {
    const port = rfc2136SwitchPort({ ...OPTIONS, server: { host: '127.0.0.1', port: 1 } });
    const weighted = CREATE.map(({ action, recordSet }) => {
      return { action, recordSet: { ...recordSet, weighted: { id: 'a', weight: 1 } } };
    });
    expect(await port.change(weighted, '')).toMatchObject({ code: 'weights-unsupported' });
    const outside = CREATE.map(({ action, recordSet }) => {
      return { action, recordSet: { ...recordSet, name: 'a.example.org' } };
    });
    expect(await port.change(outside, '')).toMatchObject({ code: 'not-for-this-zone' });
    expect(await port.change([], '')).toMatchObject({ code: 'empty-batch' });
  });
});

test('records that come without a signature are not read', async () => {
  const port = await portTo((request) => answerTo(request, 0));
  expect((await port.read(['a.example.test'])).kind).toBe('unknown');
});

const OPTIONS = {
  zone: 'Example.Test.',
  key: { name: 'key', algorithm: 'hmac-sha256', secret: new Uint8Array(32) },
  nameServers: [],
  wallSeconds: () => 1_800_000_000,
  connectionTimeoutMs: 500,
  requestTimeoutMs: 50,
} as const;

/** A server that answers each message with what the function makes of it. */
async function portTo(answer: (request: Buffer) => Buffer | null) {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const response = answer(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
      if (response !== null) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        socket.write(Buffer.concat([length, response]));
      }
    });
  });
  server = listening;
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  return rfc2136SwitchPort({ ...OPTIONS, server: { host: '127.0.0.1', port } });
}

/** A header alone: an answer with this code, and nothing in it. */
function answerTo(request: Buffer, code: number): Buffer {
  const header = Buffer.alloc(12);
  request.copy(header, 0, 0, 4);
  header.writeUInt16BE((header.readUInt16BE(2) & 0x7800) | 0x8400 | code, 2);
  return header;
}
