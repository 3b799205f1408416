/**
 * Record sets as values: when two are the same, and what a valid target is.
 *
 * DNS compares names without case, and one IPv6 address has many spellings, so values are compared
 * in a canonical form (RFC 5952 for addresses, lower case without the trailing dot for names).
 * What is sent to a zone for DELETE is always the spelling that was read, never the canonical one.
 */
import type { RecordSet, RecordType } from './switch-port.ts';

/** Types that say where clients go. At most one of these kinds of set may stand at a name. */
export const ADDRESS_TYPES: readonly RecordType[] = ['A', 'AAAA', 'CNAME'];

export function isAddressType(type: string): boolean {
  return ADDRESS_TYPES.some((addressType) => addressType === type);
}

/** Whether both stand for the same DNS data: name, type, weight, TTL and the set of values. */
export function sameRecordSet(a: RecordSet, b: RecordSet): boolean {
  return (
    a.type === b.type &&
    a.ttlSeconds === b.ttlSeconds &&
    canonicalName(a.name) === canonicalName(b.name) &&
    a.weighted?.id === b.weighted?.id &&
    a.weighted?.weight === b.weighted?.weight &&
    canonicalValues(a) === canonicalValues(b)
  );
}

/** Whether both lists hold the same sets, in any order; no list holds a set twice. */
export function sameRecordSets(a: readonly RecordSet[], b: readonly RecordSet[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameRecordSet(one, other)));
}

/** What tells a record set from every other one of its zone. */
export function recordSetKey({ name, type, weighted }: RecordSet): string {
  const id = weighted === undefined ? '' : ` ${weighted.id}`;
  return `${canonicalName(name)} ${type}${id}`;
}

/** Whether a plan of ours could have named a weighted set so: names of sites are such names. */
export function isSetId(id: string): boolean {
  return SET_ID_PATTERN.test(id);
}

/** Lower case, without the trailing dot. */
export function canonicalName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

/** The form in which two values of one type are equal exactly when DNS says so. */
export function canonicalValue(type: RecordType, value: string): string {
  switch (type) {
    case 'A':
    case 'TXT':
      return value;
    case 'AAAA':
      return ipv6Digits(value) ?? value.toLowerCase();
    case 'CNAME':
      return canonicalName(value);
  }
}

/** Whether `name` is an absolute DNS name of letters, digits, `-` and `_`, at most 253 long. */
export function isDnsName(name: string): boolean {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  const labels = bare.split('.');
  return bare.length <= 253 && labels.every((label) => LABEL_PATTERN.test(label));
}

/** Whether `address` can be the value of an address record of this type. */
export function isAddress(type: RecordType, address: string): boolean {
  switch (type) {
    case 'A':
      return isIpv4(address);
    case 'AAAA':
      return ipv6Digits(address) !== null;
    case 'CNAME':
      return isDnsName(address) && !isIpv4(address);
    case 'TXT':
      return false;
  }
}

const SET_ID_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const LABEL_PATTERN: RegExp = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const OCTET: string = '(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
const IPV4_PATTERN: RegExp = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const GROUP_PATTERN: RegExp = /^[0-9a-f]{1,4}$/;

function canonicalValues({ type, values }: RecordSet): string {
  const canonical = new Set(values.map((value) => JSON.stringify(canonicalValue(type, value))));
  return [...canonical].sort().join(' ');
}

function isIpv4(text: string): boolean {
  return IPV4_PATTERN.test(text);
}

/** All 32 hexadecimal digits of an IPv6 address; null when it is not one (RFC 4291, section 2.2). */
function ipv6Digits(text: string): string | null {
  const [head = '', tail, ...rest] = embeddedIpv4AsGroups(text.toLowerCase()).split('::');
  if (rest.length > 0) {
    return null;
  }
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = 8 - before.length - after.length;
  if (tail === undefined ? zeros !== 0 : zeros < 1) {
    return null;
  }
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return groups.every((group) => GROUP_PATTERN.test(group))
    ? groups.map((group) => group.padStart(4, '0')).join('')
    : null;
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}

/** `::ffff:192.0.2.1` becomes `::ffff:c000:201`. */
function embeddedIpv4AsGroups(text: string): string {
  const start = text.lastIndexOf(':') + 1;
  const ending = text.slice(start);
  if (start === 0 || !isIpv4(ending)) {
    return text;
  }
  const [a = 0, b = 0, c = 0, d = 0] = ending.split('.').map(Number);
  return `${text.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
