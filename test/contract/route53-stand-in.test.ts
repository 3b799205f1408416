/** The stand-in itself: a stand-in that is too kind would prove nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StandIn, startRoute53StandIn } from '../support/route53-stand-in.ts';
import { parseXml, writeXml, XmlFault } from '../support/route53-stand-in-xml.ts';
import {
  applyStandInBatch,
  listSets,
  newStandInZone,
  type StandInSet,
  seedZone,
} from '../support/route53-stand-in-zone.ts';

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
const SET =
  '<Name>a.example.test.</Name><Type>A</Type><TTL>5</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>';

let standIn: StandIn;
beforeAll(async () => {
  standIn = await startRoute53StandIn('example.test');
});
afterAll(() => standIn.close());
beforeEach(() => {
  Object.assign(standIn.settings, { changeWindowMs: 0, bucket: null, isDenied: false });
  standIn.advance(1_000_000);
});

describe('a request', () => {
  test('without a signature is turned away', async () => {
    const response = await post(bodyWith('CREATE', SET), {});
    expect([response.status, await response.text()]).toEqual([
      403,
      expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    ]);
  });

  test.each([
    ['UPSERT', bodyWith('UPSERT', SET)],
    [
      'its elements out of order',
      bodyWith('CREATE', SET.replace(/<Type>A<\/Type>(<TTL>5<\/TTL>)/, '$1<Type>A</Type>')),
    ],
    ['an element that the schema does not know', bodyWith('CREATE', `${SET}<Extra>1</Extra>`)],
    ['no record', bodyWith('CREATE', SET.replace(/<ResourceRecord>.*<\/ResourceRecord>/, ''))],
    ['no change', bodyWith('CREATE', SET).replace(/<Change>.*<\/Change>/, '')],
    ['a TTL that is no number', bodyWith('CREATE', SET.replace('>5<', '>five<'))],
    ['another namespace', bodyWith('CREATE', SET).replace('2013-04-01', '2012-02-29')],
    ['markup that is not closed', bodyWith('CREATE', SET).replace('</Changes>', '')],
  ])('with %s is invalid', async (_, body) => {
    const response = await post(body);
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('<Code>InvalidInput</Code>'),
    ]);
  });

  test('too soon after a change is answered PriorRequestNotComplete, until the window ends', async () => {
    standIn.settings.changeWindowMs = 500;
    expect((await post(bodyWith('CREATE', SET.replace('a.', 'window.')))).status).toBe(200);
    standIn.advance(499);
    const early = await post(bodyWith('CREATE', SET.replace('a.', 'early.')));
    expect(await early.text()).toContain('<Code>PriorRequestNotComplete</Code>');
    standIn.advance(1);
    expect((await post(bodyWith('CREATE', SET.replace('a.', 'early.')))).status).toBe(200);
  });

  test('over the rate is throttled, and tokens come back with time', async () => {
    standIn.settings.bucket = { capacity: 2, refillPerSecond: 10 };
    const statuses = [];
    for (const waitMs of [0, 0, 0, 100, 0]) {
      standIn.advance(waitMs);
      statuses.push((await get('')).status);
    }
    expect(statuses).toEqual([200, 200, 400, 200, 400]);
  });
});

describe('its zone', () => {
  const zone = newStandInZone('example.test');

  test.each<readonly [string, Partial<StandInSet>]>([
    [
      "Tried to delete resource record set [name='a.example.test.', type='A'] but the values provided do not match the current values",
      { ttl: 6 },
    ],
    [
      "Tried to delete resource record set [name='a.example.test.', type='A'] but the values provided do not match the current values",
      { values: ['192.0.2.2'] },
    ],
    [
      "Tried to delete resource record set [name='b.example.test.', type='A'] but it was not found",
      { name: 'b.example.test.' },
    ],
  ])('says %s', (message, changes) => {
    const standing = seedZone(zone, [plain()]);
    const outcome = applyStandInBatch(standing, [
      { action: 'DELETE', set: { ...plain(), ...changes } },
    ]);
    expect(outcome).toEqual({ kind: 'invalid', messages: [message] });
  });

  test.each<readonly [string, Partial<StandInSet>]>([
    ['FATAL problem: InvalidCharacterString', { type: 'TXT', values: ['bare'] }],
    ['FATAL problem: CharacterStringTooLong', { type: 'TXT', values: [`"${'x'.repeat(256)}"`] }],
    ['FATAL problem: UnsupportedCharacter', { type: 'TXT', values: ['"é"'] }],
    ['FATAL problem: ARRDATAIllegalIPv4Address', { values: ['1.2.3.999'] }],
    ['is not permitted in zone', { name: 'a.example.org.' }],
    ['is not permitted at apex', { name: 'example.test.', type: 'CNAME', values: ['a.test.'] }],
    ['conflicts with other records', { name: 'example.test.', type: 'CNAME', values: ['a.test.'] }],
    [
      'Number of records limit',
      { type: 'TXT', values: Array.from({ length: 1001 }, (_, n) => `"${n}"`) },
    ],
    [
      'Number of characters limit',
      { type: 'TXT', values: Array.from({ length: 130 }, (_, n) => `"${n}${'x'.repeat(250)}"`) },
    ],
  ])('says %s', (message, changes) => {
    const set = { ...plain(), ...changes };
    const inner = seedZone(zone, message.startsWith('conflicts') ? [plain()] : []);
    const subject = message.startsWith('conflicts') ? { ...set, name: plain().name } : set;
    const outcome = applyStandInBatch(inner, [{ action: 'CREATE', set: subject }]);
    expect(JSON.stringify(outcome)).toContain(message);
  });

  test('takes back nothing it said: a batch with one bad change changes nothing', () => {
    const outcome = applyStandInBatch(zone, [
      { action: 'CREATE', set: plain() },
      { action: 'DELETE', set: { ...plain(), name: 'b.example.test.' } },
    ]);
    expect(outcome.kind).toBe('invalid');
    expect(zone.sets.size).toBe(2);
  });

  test('lists by the reversed labels with the trailing dot, in pages', () => {
    const names = [
      'b.example.test.',
      'a.b.example.test.',
      'a.example.test.',
      'a-c.example.test.',
      '\\052.example.test.',
    ];
    const full = seedZone(
      zone,
      names.map((name) => ({ ...plain(), name })),
    );
    const start = { name: 'example.test.', type: 'SOA', identifier: '' };
    const first = listSets(full, start, 4);
    expect(first.sets.map(({ name }) => name)).toEqual([
      'example.test.',
      '\\052.example.test.',
      'a-c.example.test.',
      'a.example.test.',
    ]);
    expect(first.next?.name).toBe('b.example.test.');
    const rest = listSets(full, { name: 'b.example.test.', type: 'A', identifier: '' }, 4);
    expect(rest.sets.map(({ name }) => name)).toEqual(['b.example.test.', 'a.b.example.test.']);
    expect(rest.next).toBeNull();
  });
});

describe('its XML', () => {
  test('comes back as it was written, with every reserved character', () => {
    const text = `<a> & "b" 'c' ]]>`;
    expect(parseXml(`${writeXml(['R', [['V', text]]])}`.replace('\n', ''))).toEqual({
      name: 'R',
      text: '',
      children: [{ name: 'V', text, children: [] }],
    });
  });

  test.each([
    '<R/>',
    '<R xmlns="other"></R>',
    '',
    `<R xmlns="${NAMESPACE}">&nbsp;</R>`,
    `<R xmlns="${NAMESPACE}">a & b</R>`,
    `<R xmlns="${NAMESPACE}"><!-- c --></R>`,
    `<R xmlns="${NAMESPACE}"></R><S></S>`,
  ])('%j is not well-formed enough', (source) => {
    expect(() => parseXml(source)).toThrow(XmlFault);
  });
});

function plain(): StandInSet {
  return { name: 'a.example.test.', type: 'A', ttl: 5, values: ['192.0.2.1'] };
}

function bodyWith(action: string, set: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><ChangeResourceRecordSetsRequest xmlns="${NAMESPACE}"><ChangeBatch><Changes><Change><Action>${action}</Action><ResourceRecordSet>${set}</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`;
}

const SIGNED = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=x/20261101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0',
};

function post(body: string, headers: Record<string, string> = SIGNED): Promise<Response> {
  return fetch(rrset(), { method: 'POST', headers, body });
}

function get(query: string): Promise<Response> {
  return fetch(`${rrset()}${query}`, { headers: SIGNED });
}

function rrset(): string {
  return `${standIn.url}/2013-04-01/hostedzone/${standIn.hostedZoneId}/rrset`;
}
