import {
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type RecordType as QueryType,
} from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerPacket } from '../../../../lib/local/dns/answer.ts';
import { applyBatch, createZone, type Zone } from '../../../../lib/local/dns/zone.ts';
import type { RecordSet, RecordType } from '../../../../lib/recovery/switch-port.ts';

const UDP = { transport: 'udp', random: () => 0 } as const;
const TCP = { ...UDP, transport: 'tcp' } as const;
const ZONE = zoneWith([
  set('checkout.example.test', 'A', ['192.0.2.1', '192.0.2.2']),
  set('checkout.example.test', 'TXT', ['spf']),
  set('six.example.test', 'AAAA', ['2001:db8::1']),
  set('_tripoint.checkout.example.test', 'TXT', ['v=tp1 term=1 index=1 site=a run=b']),
  set('www.example.test', 'CNAME', ['shop.example.test']),
  set('shop.example.test', 'CNAME', ['checkout.example.test']),
  set('away.example.test', 'CNAME', ['lb.example.net']),
  set('broken.example.test', 'CNAME', ['nowhere.example.test']),
  set('round.example.test', 'CNAME', ['again.example.test']),
  set('again.example.test', 'CNAME', ['round.example.test']),
  set('a.deep.example.test', 'A', ['192.0.2.3']),
  set(
    'big.example.test',
    'TXT',
    Array.from({ length: 8 }, (_, n) => `${n}${'x'.repeat(299)}`),
  ),
]);

describe('an authoritative answer', () => {
  test('gives every address of the name', () => {
    const answer = ask('checkout.example.test', 'A');
    expect(answer).toMatchObject({
      rcode: 'NOERROR',
      flag_aa: true,
      flag_ra: false,
      flag_tc: false,
    });
    expect(data(answer)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(answer.answers?.every((record) => 'ttl' in record && record.ttl === 5)).toBe(true);
  });

  test('repeats id, recursion flag and question, in the letter case of the question', () => {
    const answer = ask('ChecKout.EXAMPLE.test', 'A', { id: 99, flags: 0x0100 });
    expect(answer).toMatchObject({ id: 99, flag_rd: true, flag_qr: true });
    expect(answer.questions).toEqual([{ name: 'ChecKout.EXAMPLE.test', type: 'A', class: 'IN' }]);
    expect(data(answer)).toHaveLength(2);
  });

  test('gives IPv6 addresses and texts', () => {
    expect(data(ask('six.example.test', 'AAAA'))).toEqual(['2001:db8::1']);
    expect(texts(ask('_tripoint.checkout.example.test', 'TXT'))).toEqual([
      'v=tp1 term=1 index=1 site=a run=b',
    ]);
  });

  test('follows aliases inside the zone and lists each of them', () => {
    const answer = ask('www.example.test', 'A');
    expect(answer.answers?.map(({ type }) => type)).toEqual(['CNAME', 'CNAME', 'A', 'A']);
  });

  test('gives the alias alone when it was asked for, or leads out of the zone', () => {
    expect(data(ask('www.example.test', 'CNAME'))).toEqual(['shop.example.test']);
    expect(data(ask('away.example.test', 'A'))).toEqual(['lb.example.net']);
  });

  test('says NXDOMAIN for the missing end of an alias, with the alias', () => {
    const answer = ask('broken.example.test', 'A');
    expect(answer.rcode).toBe('NXDOMAIN');
    expect(data(answer)).toEqual(['nowhere.example.test']);
  });

  test('ends on aliases that go round in a circle', () => {
    expect(ask('round.example.test', 'A').rcode).toBe('NOERROR');
  });

  test('gives SOA and NS at the apex, with the serial of the zone', () => {
    const [soa] = ask('example.test', 'SOA').answers ?? [];
    expect(soa).toMatchObject({ data: { mname: 'ns.example.test', serial: 2 } });
    expect(data(ask('example.test', 'NS'))).toEqual(['ns.example.test']);
    expect(data(ask('ns.example.test', 'A'))).toEqual(['127.0.0.1']);
  });
});

describe('of weighted sets', () => {
  const share = (type: RecordType, weight: number, value: string) => {
    return { ...set('split.example.test', type, [value]), weighted: { id: value, weight } };
  };
  const draw = (zone: Zone, random: () => number) => {
    const query = queryFor('split.example.test', 'A', null);
    return decode(answerPacket(zone, query, { transport: 'udp', random }) ?? Buffer.alloc(0))
      .answers;
  };

  test('an answer holds one, drawn with the chance of its weight', () => {
    const zone = zoneWith([
      share('A', 60, '192.0.2.1'),
      share('A', 30, '192.0.2.2'),
      share('A', 0, '192.0.2.3'),
      share('A', 10, '192.0.2.4'),
    ]);
    const counts = new Map<string, number>();
    for (let place = 0; place < 1000; place += 1) {
      const answers = draw(zone, () => place / 1000) ?? [];
      expect(answers).toHaveLength(1);
      const [answer] = answers;
      const value = answer?.type === 'A' ? answer.data : '';
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      '192.0.2.1': 600,
      '192.0.2.2': 300,
      '192.0.2.4': 100,
    });
  });

  test('an alias is drawn too, and followed', () => {
    const zone = zoneWith([
      share('CNAME', 50, 'checkout.example.test'),
      share('CNAME', 50, 'away.example.net'),
      set('checkout.example.test', 'A', ['192.0.2.1']),
    ]);
    expect(draw(zone, () => 0)?.map(({ type }) => type)).toEqual(['CNAME', 'A']);
    expect(draw(zone, () => 0.9)?.map(({ type }) => type)).toEqual(['CNAME']);
  });
});

describe('an absence', () => {
  test.each<readonly [string, string, QueryType, string]>([
    ['a name that does not exist', 'nope.example.test', 'A', 'NXDOMAIN'],
    ['a name below one that exists', 'x.checkout.example.test', 'A', 'NXDOMAIN'],
    ['a name with a stray byte', 'check out.example.test', 'A', 'NXDOMAIN'],
    ['a type that the name does not have', 'checkout.example.test', 'AAAA', 'NOERROR'],
    ['a type that we do not know', 'checkout.example.test', 'SVCB' as QueryType, 'NOERROR'],
    ['a name that only has names below it', 'deep.example.test', 'A', 'NOERROR'],
    ['the apex without an address', 'example.test', 'A', 'NOERROR'],
  ])('%s is answered with the SOA, to be remembered for 5 s', (...[, name, type, rcode]) => {
    const answer = ask(name, type);
    expect(answer).toMatchObject({ rcode, flag_aa: true, answers: [] });
    expect(answer.authorities).toMatchObject([
      { type: 'SOA', name: 'example.test', ttl: 5, data: { minimum: 5 } },
    ]);
  });
});

describe('what is not answered', () => {
  test.each<readonly [string, Packet['questions']]>([
    ['a name outside the zone', [{ name: 'example.com', type: 'A' }]],
    ['a name that only ends like the zone', [{ name: 'notexample.test', type: 'A' }]],
    ['the root', [{ name: '.', type: 'NS' }]],
    ['another class', [{ name: 'checkout.example.test', type: 'A', class: 'CH' }]],
    ['a zone transfer', [{ name: 'example.test', type: 'AXFR' }]],
    ['an incremental zone transfer', [{ name: 'example.test', type: 'IXFR' }]],
  ])('%s is refused without authority', (_, questions) => {
    const answer = exchange({ type: 'query', id: 1, questions });
    expect(answer).toMatchObject({ rcode: 'REFUSED', flag_aa: false, answers: [] });
  });

  test('ANY gets the one record of RFC 8482', () => {
    const answer = ask('checkout.example.test', 'ANY' as QueryType);
    expect(answer.answers).toMatchObject([{ type: 'HINFO', data: { cpu: 'RFC8482' } }]);
    expect(ask('nope.example.test', 'ANY' as QueryType).rcode).toBe('NXDOMAIN');
  });

  test('a response gets no response', () => {
    expect(answerPacket(ZONE, encode({ type: 'response', id: 1 }), UDP)).toBeNull();
  });

  test('an update is not implemented, and its opcode comes back', () => {
    const answer = exchange({ type: 'query', id: 5, flags: 5 << 11 });
    expect(answer).toMatchObject({ id: 5, rcode: 'NOTIMP', opcode: 'UPDATE' });
  });
});

describe('the size of an answer', () => {
  test.each([
    ['512 bytes without EDNS', null, 512],
    ['512 bytes when EDNS offers less', 100, 512],
    ['what EDNS offers', 900, 900],
    ['1,232 bytes when EDNS offers more', 4096, 1232],
  ])('over UDP is at most %s', (_, offered, most) => {
    const query = queryFor('big.example.test', 'TXT', offered);
    const packet = answerPacket(ZONE, query, UDP) ?? Buffer.alloc(0);
    expect(packet.length).toBeLessThanOrEqual(most);
    expect(decode(packet)).toMatchObject({ flag_tc: true, answers: [], rcode: 'NOERROR' });
  });

  test('over UDP holds an answer that just fits', () => {
    const answer = decode(
      answerPacket(ZONE, queryFor('checkout.example.test', 'A', null), UDP) ?? Buffer.alloc(0),
    );
    expect(answer.flag_tc).toBe(false);
  });

  test('over TCP holds all of it', () => {
    const query = queryFor('big.example.test', 'TXT', null);
    const answer = decode(answerPacket(ZONE, query, TCP) ?? Buffer.alloc(0));
    expect(answer.flag_tc).toBe(false);
    expect(texts(answer).map((text) => text.length)).toEqual(Array(8).fill(300));
  });
});

describe('EDNS', () => {
  test('is answered with our own size when it was used, and not when it was not', () => {
    const withEdns = decode(
      answerPacket(ZONE, queryFor('six.example.test', 'AAAA', 4096), UDP) ?? Buffer.alloc(0),
    );
    expect(withEdns.additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0 },
    ]);
    expect(ask('six.example.test', 'AAAA').additionals).toEqual([]);
  });

  test('of a later version is BADVERS', () => {
    const query = queryFor('six.example.test', 'AAAA', { udpBytes: 4096, version: 1 });
    const answer = decode(answerPacket(ZONE, query, UDP) ?? Buffer.alloc(0));
    expect(answer).toMatchObject({
      answers: [],
      additionals: [{ extendedRcode: 1, ednsVersion: 0 }],
    });
  });
});

test('any bytes get a well-formed response to the same id, or none', () => {
  const queries = ['checkout.example.test', 'big.example.test', 'www.example.test'].map((name) =>
    queryFor(name, 'TXT', 1232),
  );
  const damaged = fc
    .tuple(
      fc.constantFrom(...queries),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 5 }),
    )
    .map(([query, changes]) => {
      const bytes = Uint8Array.from(query);
      for (const [at, to] of changes) {
        bytes[at % bytes.length] = to;
      }
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      const response = answerPacket(ZONE, bytes, UDP);
      if (response !== null) {
        expect(response.length).toBeLessThanOrEqual(1232);
        const isQuestionKept = response.readUInt16BE(4) === 1;
        expect(response.readUInt16BE(0)).toBe(Buffer.from(bytes).readUInt16BE(0));
        expect(response.readUInt8(2) & 0x80).toBe(0x80);
        expect(isQuestionKept ? decode(response).questions : []).toHaveLength(
          isQuestionKept ? 1 : 0,
        );
      }
    }),
    { seed: 6, numRuns: 2000 },
  );
});

interface EdnsOffer {
  readonly udpBytes: number;
  readonly version: number;
}

type Decoded = DecodedPacket & { readonly rcode: string };

function ask(name: string, type: QueryType, changes: Partial<Packet> = {}): Decoded {
  return exchange({ type: 'query', id: 1, questions: [{ name, type }], ...changes });
}

function exchange(query: Packet): Decoded {
  const response = answerPacket(ZONE, encode(query), UDP);
  if (response === null) {
    throw new Error('no response');
  }
  return decode(response) as Decoded;
}

function queryFor(name: string, type: QueryType, edns: number | null | EdnsOffer): Buffer {
  const offer = typeof edns === 'number' ? { udpBytes: edns, version: 0 } : edns;
  return encode({
    type: 'query',
    id: 1,
    questions: [{ name, type }],
    additionals:
      offer === null
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: offer.udpBytes,
              extendedRcode: 0,
              ednsVersion: offer.version,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  });
}

function data(answer: DecodedPacket): readonly unknown[] {
  return (answer.answers ?? []).map((record) => ('data' in record ? record.data : null));
}

function texts(answer: DecodedPacket): readonly string[] {
  return data(answer).map((chunks) => Buffer.concat(chunks as Buffer[]).toString('utf8'));
}

function zoneWith(recordSets: readonly RecordSet[]): Zone {
  const outcome = applyBatch(
    createZone('example.test', '127.0.0.1'),
    recordSets.map((recordSet) => ({ action: 'CREATE', recordSet })),
  );
  if (outcome.kind !== 'applied') {
    throw new Error(JSON.stringify(outcome));
  }
  return outcome.zone;
}

function set(name: string, type: RecordType, values: readonly string[]): RecordSet {
  return { name, type, ttlSeconds: 5, values };
}
