/**
 * Answers one DNS packet from a zone (RFC 1034, section 4.3.2, without recursion or delegation).
 *
 * Authoritative for one zone and for nothing else: outside it the answer is REFUSED. A name that
 * does not exist is NXDOMAIN, one that exists without the type asked is an empty answer; both carry
 * the SOA so that resolvers cache the absence for a short time only (RFC 2308). ANY is answered as
 * RFC 8482 proposes, and zone transfers are refused. Of weighted sets each answer holds one, drawn
 * with the chance that its weight gives it, as Route 53 does. Pure and total: never throws.
 */
import { type Answer, encode } from 'dns-packet';
import type { Random } from '../../base/clock.ts';
import type { RecordSet } from '../../recovery/switch-port.ts';
import { DNS_LIMITS } from './limits.ts';
import { type Edns, HEADER_BYTES, type Query, RESPONSE_CODE, readQuery } from './query.ts';
import { isInZone, recordSetsAt, type Zone } from './zone.ts';

export type Transport = 'udp' | 'tcp';

/** How the packet came, and the chance that draws one of several weighted sets. */
export interface AnswerSurroundings {
  readonly transport: Transport;
  readonly random: Random;
}

/** The response packet, or null when the packet deserves none. */
export function answerPacket(
  zone: Zone,
  packet: Uint8Array,
  { transport, random }: AnswerSurroundings,
): Buffer | null {
  const reading = readQuery(packet);
  switch (reading.kind) {
    case 'noise':
      return null;
    case 'fault': {
      const { id, opcode, isRecursionDesired, responseCode } = reading;
      const flags = (opcode << 11) | recursionFlag(isRecursionDesired) | responseCode;
      return encode({ type: 'response', id, flags });
    }
    case 'query':
      return respond(reading.query, answerQuery(zone, reading.query, random), transport);
  }
}

const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28 } as const;
const TYPE_ANY = 255;
/** IXFR, AXFR, MAILB, MAILA: questions about zones, not about names. */
const TYPE_TRANSFER_MIN = 251;
const TYPE_TRANSFER_MAX = 254;
const CLASS_IN = 1;
const CLASS_ANY = 255;
const SOA_TTL_SECONDS = 60;
/** How long resolvers may remember that something is absent; short, because failover creates. */
const NEGATIVE_TTL_SECONDS = 5;

interface Result {
  readonly responseCode: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}

function answerQuery(zone: Zone, query: Query, random: Random): Result {
  const isTransfer = query.type >= TYPE_TRANSFER_MIN && query.type <= TYPE_TRANSFER_MAX;
  const isInternet = query.class === CLASS_IN || query.class === CLASS_ANY;
  if (!isInternet || isTransfer || !isInZone(zone, query.name)) {
    return { ...EMPTY, responseCode: RESPONSE_CODE.refused, isAuthoritative: false };
  }
  return follow(zone, query, random);
}

const EMPTY: Result = {
  responseCode: RESPONSE_CODE.noError,
  isAuthoritative: true,
  answers: [],
  authorities: [],
};

/** Looks the name up, and the names that its CNAMEs lead to while they stay in the zone. */
function follow(zone: Zone, { name, type }: Query, random: Random): Result {
  const chain: Answer[] = [];
  let current = name;
  for (let hops = 0; hops <= DNS_LIMITS.aliasHopsMax; hops += 1) {
    if (!isInZone(zone, current)) {
      return { ...EMPTY, answers: chain };
    }
    if (!zone.names.has(current)) {
      const responseCode = RESPONSE_CODE.noSuchName;
      return { ...EMPTY, responseCode, answers: chain, authorities: [soa(zone, 'negative')] };
    }
    const drawn = drawSets(recordSetsAt(zone, current), random);
    const found = recordsOf(zone, { name: current, type }, drawn);
    if (found.length > 0) {
      return { ...EMPTY, answers: [...chain, ...found] };
    }
    const alias = drawn.find((set) => set.type === 'CNAME');
    const target = alias?.values[0];
    if (alias === undefined || target === undefined) {
      return { ...EMPTY, answers: chain, authorities: [soa(zone, 'negative')] };
    }
    chain.push(...encodeSet(alias));
    current = target;
  }
  return { ...EMPTY, answers: chain };
}

/** The plain sets, and of the weighted ones of each type the one that chance gives. */
function drawSets(sets: readonly RecordSet[], random: Random): readonly RecordSet[] {
  const weighted = sets.filter((set) => set.weighted !== undefined);
  if (weighted.length === 0) {
    return sets;
  }
  const groups = Map.groupBy(weighted, ({ type }) => type);
  const drawn = [...groups.values()].map((group) => drawOne(group, random));
  return [
    ...sets.filter((set) => set.weighted === undefined),
    ...drawn.flatMap((set) => set ?? []),
  ];
}

function drawOne(group: readonly RecordSet[], random: Random): RecordSet | undefined {
  const sum = group.reduce((total, { weighted }) => total + (weighted?.weight ?? 0), 0);
  let left = random() * sum;
  for (const set of group) {
    left -= set.weighted?.weight ?? 0;
    if (left < 0) {
      return set;
    }
  }
  // All weigh nothing: a batch that says so is refused, yet a name that stands is answered.
  return group[0];
}

function recordsOf(
  zone: Zone,
  { name, type }: { readonly name: string; readonly type: number },
  sets: readonly RecordSet[],
): readonly Answer[] {
  if (type === TYPE_ANY) {
    return [{ type: 'HINFO', name, ttl: SOA_TTL_SECONDS, data: { cpu: 'RFC8482', os: '' } }];
  }
  if (name === zone.origin && type === TYPE.SOA) {
    return [soa(zone, 'positive')];
  }
  if (name === zone.origin && type === TYPE.NS) {
    return [{ type: 'NS', name, ttl: SOA_TTL_SECONDS, data: zone.nameServer }];
  }
  return sets.filter((set) => TYPE[set.type] === type).flatMap(encodeSet);
}

function encodeSet({ name, type, ttlSeconds: ttl, values }: RecordSet): readonly Answer[] {
  return values.map((value): Answer => {
    return type === 'TXT'
      ? { type, name, ttl, data: textChunks(value) }
      : { type, name, ttl, data: value };
  });
}

/** A TXT record is a list of strings of at most 255 bytes (RFC 1035, section 3.3.14). */
function textChunks(value: string): Buffer[] {
  const bytes = Buffer.from(value, 'utf8');
  const chunks = [bytes.subarray(0, 255)];
  for (let start = 255; start < bytes.length; start += 255) {
    chunks.push(bytes.subarray(start, start + 255));
  }
  return chunks;
}

function soa({ origin, nameServer, serial }: Zone, use: 'positive' | 'negative'): Answer {
  return {
    type: 'SOA',
    name: origin,
    ttl: use === 'positive' ? SOA_TTL_SECONDS : NEGATIVE_TTL_SECONDS,
    data: {
      mname: nameServer,
      rname: `hostmaster.${origin}`,
      serial: serial >>> 0,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: NEGATIVE_TTL_SECONDS,
    },
  };
}

const FLAG_AUTHORITATIVE = 0x0400;
const FLAG_TRUNCATED = 0x0200;
const BAD_VERSION_EXTENDED = 1;

function respond(query: Query, result: Result, transport: Transport): Buffer {
  const { edns } = query;
  const isBadVersion = edns !== null && edns.version !== 0;
  const { responseCode, isAuthoritative, answers, authorities } = isBadVersion ? EMPTY : result;
  const flags =
    recursionFlag(query.isRecursionDesired) |
    (isAuthoritative && !isBadVersion ? FLAG_AUTHORITATIVE : 0) |
    responseCode;
  const additionals = edns === null ? [] : [optRecord(isBadVersion)];
  const whole = withQuestion(query, { flags, answers, authorities, additionals });
  return whole.length <= bytesMax(transport, edns)
    ? whole
    : withQuestion(query, {
        flags: flags | FLAG_TRUNCATED,
        answers: [],
        authorities: [],
        additionals,
      });
}

interface Sections {
  readonly flags: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** Encodes the response and puts the question in between byte for byte. */
function withQuestion(query: Query, sections: Sections): Buffer {
  const { flags, answers, authorities, additionals } = sections;
  const packet = encode({
    type: 'response',
    id: query.id,
    flags,
    answers: [...answers],
    authorities: [...authorities],
    additionals: [...additionals],
  });
  packet.writeUInt16BE(1, 4);
  return Buffer.concat([
    packet.subarray(0, HEADER_BYTES),
    query.question,
    packet.subarray(HEADER_BYTES),
  ]);
}

function optRecord(isBadVersion: boolean): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: DNS_LIMITS.udpBytesMax,
    extendedRcode: isBadVersion ? BAD_VERSION_EXTENDED : 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

function bytesMax(transport: Transport, edns: Edns | null): number {
  const { tcpBytesMax, udpBytesMin, udpBytesMax } = DNS_LIMITS;
  return transport === 'tcp'
    ? tcpBytesMax
    : Math.min(udpBytesMax, Math.max(udpBytesMin, edns?.udpBytes ?? udpBytesMin));
}

function recursionFlag(isDesired: boolean): number {
  return isDesired ? 0x0100 : 0;
}
