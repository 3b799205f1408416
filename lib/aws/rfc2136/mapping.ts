/**
 * Between a change batch and a dynamic update (RFC 2136), and between answers and record sets.
 *
 * The whole batch is one UPDATE message, which the server does as a whole or not at all (section
 * 3.4), and its prerequisites make it the compare-and-swap that the port demands:
 *
 * ```
 * DELETE set   prerequisite "RRset exists (value dependent)"   update "delete an RRset"
 * CREATE set   prerequisite "RRset does not exist", unless     update "add to an RRset"
 *              the batch deletes it
 * ```
 * Two things a zone would otherwise do in silence need prerequisites too: an address added beside a
 * CNAME, and a CNAME added beside anything, are ignored without an error (section 3.4.2.2), which
 * after a delete would leave the name empty. The TTL is no part of a prerequisite (section 2.4.2):
 * `switch-port.ts` compares it when it reads. A TXT that we would cut into strings in another way
 * than it stands could not be deleted exactly: it is foreign, as on Route 53.
 */
import type { Answer } from 'dns-packet';
import { canonicalName, isAddress, isDnsName } from '../../recovery/record-set.ts';
import type {
  Change,
  ForeignRecordSet,
  RecordSet,
  RecordType,
} from '../../recovery/switch-port.ts';
import { RFC2136_LIMITS } from './limits.ts';
import { CLASS, encodeName, TYPE, type WireRecord } from './wire.ts';

const STRING_BYTES_MAX = 255;
export const OUR_TYPES: readonly RecordType[] = ['A', 'AAAA', 'CNAME', 'TXT'];

/** Types that cannot stand beside a CNAME: PTR, MX, RP, SRV, NAPTR, DNAME, DS, SSHFP, TLSA, SVCB, HTTPS, CAA … */
const CLASH_TYPES: readonly number[] = [
  TYPE.NS,
  TYPE.SOA,
  12,
  15,
  17,
  29,
  33,
  35,
  39,
  43,
  44,
  52,
  64,
  65,
  99,
  256,
  257,
];

/** Why this zone could never take the batch; null = it could. */
export function batchFault(zone: string, batch: readonly Change[]): string | null {
  for (const { action, recordSet } of batch) {
    const fault = setFault(zone, recordSet, action);
    if (fault !== null) {
      return `${recordSet.name} ${recordSet.type}: ${fault}`;
    }
  }
  return null;
}

function setFault(
  zone: string,
  { name, type, values }: RecordSet,
  action: Change['action'],
): string | null {
  const canonical = canonicalName(name);
  if (canonical !== zone && !canonical.endsWith(`.${zone}`)) {
    return `the name is not in the zone ${zone}`;
  }
  if (action === 'DELETE') {
    return null;
  }
  if (type === 'CNAME' && canonical === zone) {
    return 'the apex cannot be a CNAME';
  }
  const bad = values.find((value) => !isValue(type, value));
  return bad === undefined ? null : `${JSON.stringify(bad.slice(0, 255))} is not a ${type} value`;
}

function isValue(type: RecordType, value: string): boolean {
  return type === 'TXT'
    ? Buffer.byteLength(value, 'utf8') <= RFC2136_LIMITS.textBytesMax
    : isAddress(type, value);
}

export interface Update {
  readonly prerequisites: readonly WireRecord[];
  readonly updates: readonly WireRecord[];
}

/** `batch` has passed `checkBatch` and `batchFault`, and holds no weighted set. */
export function updateOf(batch: readonly Change[]): Update {
  const deleted = new Set(batch.flatMap((change) => (isDelete(change) ? placeOf(change) : [])));
  const absent = new Map<string, WireRecord>();
  for (const { recordSet } of batch.filter((change) => !isDelete(change))) {
    for (const type of clashingTypes(recordSet.type)) {
      const place = `${canonicalName(recordSet.name)} ${type}`;
      if (!deleted.has(place)) {
        absent.set(place, bare(recordSet.name, type, CLASS.none));
      }
    }
  }
  return {
    prerequisites: [
      ...batch.filter(isDelete).flatMap(({ recordSet }) => recordsOf(recordSet, 0)),
      ...absent.values(),
    ],
    updates: batch.flatMap((change) =>
      isDelete(change)
        ? [bare(change.recordSet.name, TYPE[change.recordSet.type], CLASS.any)]
        : recordsOf(change.recordSet, change.recordSet.ttlSeconds),
    ),
  };
}

function isDelete({ action }: Change): boolean {
  return action === 'DELETE';
}

function placeOf({ recordSet: { name, type } }: Change): string {
  return `${canonicalName(name)} ${TYPE[type]}`;
}

/** The types that must not stand where a set of this one is created. */
function clashingTypes(type: RecordType): readonly number[] {
  return type === 'CNAME'
    ? [...OUR_TYPES.map((own) => TYPE[own]), ...CLASH_TYPES]
    : [TYPE[type], TYPE.CNAME];
}

/** A record without data: a condition or a deletion. */
function bare(name: string, type: number, ofClass: number): WireRecord {
  return { name, type, class: ofClass, ttlSeconds: 0, data: Buffer.alloc(0) };
}

function recordsOf({ name, type, values }: RecordSet, ttlSeconds: number): readonly WireRecord[] {
  return values.map((value) => {
    return { name, type: TYPE[type], class: CLASS.in, ttlSeconds, data: dataOf(type, value) };
  });
}

function dataOf(type: RecordType, value: string): Buffer {
  switch (type) {
    case 'A':
      return Buffer.from(value.split('.').map(Number));
    case 'AAAA':
      return addressBytes(value);
    case 'CNAME':
      return encodeName(value);
    case 'TXT':
      return Buffer.concat(
        textStrings(value).flatMap((string) => [Buffer.from([string.length]), string]),
      );
  }
}

/** The URL parser knows every spelling of an IPv6 address, and writes RFC 5952. */
function addressBytes(value: string): Buffer {
  const [head = '', tail = ''] = new URL(`http://[${value}]/`).hostname.slice(1, -1).split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [place, group] of [...before, ...zeros, ...after].entries()) {
    bytes.writeUInt16BE(group, place * 2);
  }
  return bytes;
}

function groupsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function textStrings(value: string): readonly Buffer[] {
  const bytes = Buffer.from(value, 'utf8');
  const strings = [bytes.subarray(0, STRING_BYTES_MAX)];
  for (let start = STRING_BYTES_MAX; start < bytes.length; start += STRING_BYTES_MAX) {
    strings.push(bytes.subarray(start, start + STRING_BYTES_MAX));
  }
  return strings;
}

export interface ReadSets {
  readonly recordSets: readonly RecordSet[];
  readonly foreign: readonly ForeignRecordSet[];
}

/** Types that DNSSEC and the server itself put beside every name, and the answer to ANY of RFC 8482. */
const SHADOW_TYPES: ReadonlySet<string> = new Set([
  'RRSIG',
  'NSEC',
  'NSEC3',
  'NSEC3PARAM',
  'HINFO',
]);

/** The sets at `name`, from the answers to one question for each type of ours and one for ANY. */
export function setsAt(name: string, answers: readonly Answer[]): ReadSets {
  const wanted = canonicalName(name);
  const atName = answers.filter((answer) => canonicalName(answer.name) === wanted);
  const groups = Map.groupBy(atName, ({ type }) => type);
  const recordSets: RecordSet[] = [];
  const foreign: ForeignRecordSet[] = [];
  for (const [type, group] of groups) {
    const ours = OUR_TYPES.find((own) => own === type);
    if (ours !== undefined) {
      const set = setOf({ name: wanted, type: ours }, group);
      if (set === null) {
        foreign.push({ name: wanted, type, reason: 'encoding' });
      } else {
        recordSets.push(set);
      }
    } else if (!SHADOW_TYPES.has(type)) {
      foreign.push({ name: wanted, type, reason: 'type' });
    }
  }
  return { recordSets, foreign };
}

/** One set, each value once though two questions brought it; null when it cannot be written back. */
function setOf(
  { name, type }: Pick<RecordSet, 'name' | 'type'>,
  group: readonly Answer[],
): RecordSet | null {
  const values = group.map((answer) => ('data' in answer ? presented(type, answer.data) : null));
  const readable = values.filter((value) => value !== null);
  const [first] = group;
  const ttlSeconds = first !== undefined && 'ttl' in first ? (first.ttl ?? 0) : 0;
  return readable.length < values.length
    ? null
    : { name, type, ttlSeconds, values: [...new Set(readable)] };
}

function presented(type: RecordType, data: unknown): string | null {
  if (type === 'TXT') {
    return textOf(data);
  }
  if (typeof data !== 'string') {
    return null;
  }
  const value = type === 'CNAME' ? canonicalName(data) : data;
  return type !== 'CNAME' || isDnsName(value) ? value : null;
}

/** null when the strings are not cut, or their bytes not written, as we would do it. */
function textOf(data: unknown): string | null {
  const strings = Array.isArray(data) && data.every(Buffer.isBuffer) ? data : null;
  if (strings === null) {
    return null;
  }
  const value = Buffer.concat(strings).toString('utf8');
  const own = textStrings(value);
  const isSame =
    own.length === strings.length &&
    own.every((string, place) => string.equals(strings[place] ?? Buffer.alloc(0)));
  return isSame ? value : null;
}
