/** What is Route 53's own; the contract of the port is in `test/contract/switch-port.test.ts`. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRoute53Client, type OwnedChangeClient } from '../../../../lib/aws/route53/client.ts';
import { route53SwitchPort } from '../../../../lib/aws/route53/switch-port.ts';
import type { Change, SwitchPort } from '../../../../lib/recovery/switch-port.ts';
import { type StandIn, startRoute53StandIn } from '../../../support/route53-stand-in.ts';
import type { StandInSet } from '../../../support/route53-stand-in-zone.ts';

const CREATE: Change = {
  action: 'CREATE',
  recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
};

let standIn: StandIn;
let client: OwnedChangeClient;
let port: SwitchPort;
beforeEach(async () => {
  standIn = await startRoute53StandIn('example.test');
  client = clientOf(standIn.url);
  port = route53SwitchPort({ client, hostedZoneId: standIn.hostedZoneId });
});
afterEach(async () => {
  client.destroy();
  await standIn.close();
});

describe('reading', () => {
  test('a name costs one request, however many names the zone has after it', async () => {
    standIn.seed(Array.from({ length: 900 }, (_, n) => plain(`n${n}.example.test.`)));
    standIn.seed([plain('a.example.test.')]);
    const read = await port.read(['a.example.test']);
    expect(read).toMatchObject({ kind: 'read', recordSets: [{ name: 'a.example.test' }] });
    expect(standIn.requests).toEqual(['list 200']);
  });

  test('a name with more record sets than a page takes the pages it needs', async () => {
    standIn.seed(
      Array.from({ length: 250 }, (_, n) => ({
        ...plain('a.example.test.'),
        setIdentifier: `set-${String(n).padStart(3, '0')}`,
        weight: 1,
      })),
    );
    standIn.seed([{ ...plain('a.example.test.'), type: 'TXT', values: ['"after"'] }]);
    const read = await port.read(['a.example.test']);
    expect(read.kind === 'read' ? [read.foreign.length, read.recordSets.length] : read).toEqual([
      0, 251,
    ]);
    expect(standIn.requests).toHaveLength(3);
  });

  test('a name with more pages than a plan can use is unknown, and bounded', async () => {
    standIn.seed(
      Array.from({ length: 2100 }, (_, n) => ({
        ...plain('a.example.test.'),
        setIdentifier: `s${n}`,
      })),
    );
    expect((await port.read(['a.example.test'])).kind).toBe('unknown');
    expect(standIn.requests).toHaveLength(20);
  });

  test('aliases, weighted sets and other types are foreign', async () => {
    standIn.seed([
      {
        ...plain('a.example.test.'),
        ttl: null,
        values: [],
        aliasTarget: { hostedZoneId: 'Z2', dnsName: 'lb.test.' },
      },
      { ...plain('a.example.test.'), type: 'MX', values: ['10 mail.example.test.'] },
      { ...plain('a.example.test.'), type: 'TXT', values: ['"a<b>&\'c\'"'] },
    ]);
    expect(await port.read(['a.example.test'])).toEqual({
      kind: 'read',
      recordSets: [{ name: 'a.example.test', type: 'TXT', ttlSeconds: 5, values: ["a<b>&'c'"] }],
      foreign: [
        { name: 'a.example.test', type: 'A', reason: 'alias' },
        { name: 'a.example.test', type: 'MX', reason: 'type' },
      ],
    });
  });

  test('the apex shows its NS and SOA as foreign', async () => {
    const read = await port.read(['example.test']);
    expect(read.kind === 'read' && read.foreign.map(({ type }) => type)).toEqual(['NS', 'SOA']);
  });

  test('names are read in the order given', async () => {
    standIn.seed([plain('a.example.test.'), plain('b.example.test.')]);
    const read = await port.read(['b.example.test', 'a.example.test']);
    expect(read.kind === 'read' && read.recordSets.map(({ name }) => name)).toEqual([
      'b.example.test',
      'a.example.test',
    ]);
  });

  test('a throttled read is unknown, a forbidden one is refused with a hint', async () => {
    standIn.settings.bucket = { capacity: 0, refillPerSecond: 0 };
    expect((await port.read(['a.example.test'])).kind).toBe('unknown');
    standIn.settings.bucket = null;
    standIn.settings.isDenied = true;
    expect(await port.read(['a.example.test'])).toMatchObject({
      kind: 'refused',
      code: 'access-denied',
      detail: expect.stringContaining('grant'),
    });
  });
});

describe('changing', () => {
  test.each(['error-response', 'invalid-change-batch'] as const)(
    'a batch that does not fit is a conflict in the form %s',
    async (form) => {
      standIn.settings.batchErrorForm = form;
      await port.change([CREATE], 'test');
      expect(await port.change([CREATE], 'test')).toMatchObject({
        kind: 'conflict',
        detail: expect.stringContaining('already exists'),
      });
    },
  );

  test('is one attempt: a lost answer is not repeated by the SDK', async () => {
    standIn.inject({ on: 'change', kind: 'drop-reply' });
    expect((await port.change([CREATE], 'test')).kind).toBe('unknown');
    expect(standIn.requests).toEqual(['change 0']);
  });

  test.each([
    ['before it is applied', { on: 'change', kind: 'fail-before', status: 500 }, 0],
    [
      'before it is applied, by a busy service',
      { on: 'change', kind: 'fail-before', status: 503 },
      0,
    ],
    ['after it is applied', { on: 'change', kind: 'fail-after' }, 1],
  ] as const)('a 5xx %s is unknown', async (_, fault, applied) => {
    standIn.inject(fault);
    expect((await port.change([CREATE], 'test')).kind).toBe('unknown');
    expect(standIn.sets().filter(({ type }) => type === 'A')).toHaveLength(applied);
    expect(standIn.requests).toHaveLength(1);
  });

  test('an answer that comes too late is unknown, though the change is applied later', async () => {
    const held = Promise.withResolvers<void>();
    standIn.inject({ on: 'change', kind: 'hold', until: held.promise });
    const hasty = clientOf(standIn.url, 100);
    const outcome = await route53SwitchPort({
      client: hasty,
      hostedZoneId: standIn.hostedZoneId,
    }).change([CREATE], 'test');
    hasty.destroy();
    expect(outcome.kind).toBe('unknown');
    expect(standIn.sets().some(({ type }) => type === 'A')).toBe(false);
    held.resolve();
    await expect.poll(() => standIn.sets().some(({ type }) => type === 'A')).toBe(true);
  });

  test('an answer whose headers trickle in without end is unknown in time', async () => {
    const trickling = createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 20);
      socket.on('error', () => undefined);
      socket.on('close', () => clearInterval(drip));
    }).listen(0, '127.0.0.1');
    await once(trickling, 'listening');
    const { port: slowPort } = trickling.address() as AddressInfo;
    const hasty = clientOf(`http://127.0.0.1:${slowPort}`, 150);
    const slow = route53SwitchPort({ client: hasty, hostedZoneId: standIn.hostedZoneId });
    expect((await slow.change([CREATE], 'test')).kind).toBe('unknown');
    hasty.destroy();
    trickling.close();
  });

  test('a throttled change is busy and not applied', async () => {
    standIn.settings.bucket = { capacity: 1, refillPerSecond: 1 };
    expect((await port.change([CREATE], 'test')).kind).toBe('applied');
    expect((await port.change([CREATE], 'test')).kind).toBe('busy');
    standIn.advance(1000);
    expect((await port.change([CREATE], 'test')).kind).toBe('conflict');
  });

  test('in a zone that does not exist is refused with a hint', async () => {
    const lost = route53SwitchPort({ client, hostedZoneId: 'ZNOSUCHZONE' });
    expect(await lost.change([CREATE], 'test')).toMatchObject({
      kind: 'refused',
      code: 'no-such-hosted-zone',
      detail: expect.stringContaining('hosted zone id'),
    });
  });

  test('takes the zone id with its prefix too', async () => {
    const prefixed = route53SwitchPort({
      client,
      hostedZoneId: `/hostedzone/${standIn.hostedZoneId}`,
    });
    expect((await prefixed.change([CREATE], 'test')).kind).toBe('applied');
  });

  test('when Route 53 cannot be reached is busy: nothing was sent', async () => {
    await standIn.close();
    expect((await port.change([CREATE], 'test')).kind).toBe('busy');
    standIn = await startRoute53StandIn('example.test');
  });

  test('carries a comment, cut to what Route 53 takes, with characters that XML reserves', async () => {
    expect((await port.change([CREATE], `<&>"' ${'x'.repeat(300)}`)).kind).toBe('applied');
  });
});

describe('the status of a change', () => {
  test('is pending until it has travelled, then in sync', async () => {
    standIn.settings.propagationMs = 30_000;
    const outcome = await port.change([CREATE], 'test');
    const id = outcome.kind === 'applied' ? outcome.changeId : '';
    expect(await port.changeStatus(id)).toEqual({ kind: 'pending' });
    standIn.advance(29_999);
    expect(await port.changeStatus(id)).toEqual({ kind: 'pending' });
    standIn.advance(1);
    expect(await port.changeStatus(id)).toEqual({ kind: 'in-sync' });
  });
});

function clientOf(endpoint: string, requestTimeoutMs = 5000): OwnedChangeClient {
  return createRoute53Client({
    region: 'us-east-1',
    endpoint,
    requestTimeoutMs,
    connectionTimeoutMs: 1000,
    credentials: { accessKeyId: 'stand-in', secretAccessKey: 'stand-in' },
  });
}

function plain(name: string): StandInSet {
  return { name, type: 'A', ttl: 5, values: ['192.0.2.1'] };
}
