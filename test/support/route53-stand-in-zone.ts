/**
 * A hosted zone as Route 53 keeps it: what a change batch may do, in Route 53's own words.
 *
 * Written apart from `lib/local/dns/zone.ts` on purpose, on Route 53's wire forms (names with their
 * dot, TXT values with their quotes): a rule misread in one place must not agree with itself here.
 * Message texts are those that users quote in public issue threads. Comparison is by exact text.
 */

export interface StandInSet {
  /** Absolute, lower case, with the trailing dot; `\052` for `*`. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number | null;
  readonly values: readonly string[];
  readonly setIdentifier?: string;
  readonly weight?: number;
  readonly aliasTarget?: { readonly hostedZoneId: string; readonly dnsName: string };
}

export interface StandInChange {
  readonly action: string;
  readonly set: StandInSet;
}

export interface StandInZone {
  /** With the trailing dot. */
  readonly origin: string;
  readonly sets: ReadonlyMap<string, StandInSet>;
}

export type BatchResult =
  | { readonly kind: 'applied'; readonly zone: StandInZone }
  | { readonly kind: 'invalid'; readonly messages: readonly string[] };

export function newStandInZone(origin: string): StandInZone {
  const apex = `${origin}.`;
  return seedZone({ origin: apex, sets: new Map() }, [
    { name: apex, type: 'NS', ttl: 172_800, values: ['ns-1.awsdns-01.org.'] },
    {
      name: apex,
      type: 'SOA',
      ttl: 900,
      values: ['ns-1.awsdns-01.org. a.b. 1 7200 900 1209600 86400'],
    },
  ]);
}

/** Puts record sets there that the wire protocol of the stand-in does not create. */
export function seedZone(zone: StandInZone, sets: readonly StandInSet[]): StandInZone {
  return {
    ...zone,
    sets: new Map([...zone.sets, ...sets.map((set) => [keyOf(set), set] as const)]),
  };
}

/** All changes in order on a copy, or the messages of every change that cannot be made. */
export function applyStandInBatch(
  zone: StandInZone,
  changes: readonly StandInChange[],
): BatchResult {
  const messages = [...limitMessages(changes), ...repeatMessages(changes)];
  const sets = new Map(zone.sets);
  for (const change of changes) {
    const message = recordMessage(zone, change) ?? applyOne(zone, sets, change);
    if (message !== null) {
      messages.push(message);
    }
  }
  return messages.length > 0
    ? { kind: 'invalid', messages }
    : { kind: 'applied', zone: { ...zone, sets } };
}

function applyOne(
  { origin }: StandInZone,
  sets: Map<string, StandInSet>,
  { action, set }: StandInChange,
): string | null {
  const key = keyOf(set);
  const standing = sets.get(key);
  const identifier =
    set.setIdentifier === undefined ? '' : `, set identifier='${set.setIdentifier}'`;
  const label = `resource record set [name='${set.name}', type='${set.type}'${identifier}]`;
  if (action === 'DELETE') {
    if (standing === undefined) {
      return `Tried to delete ${label} but it was not found`;
    }
    if (contentOf(standing) !== contentOf(set)) {
      return `Tried to delete ${label} but the values provided do not match the current values`;
    }
    sets.delete(key);
    return null;
  }
  if (standing !== undefined) {
    return `Tried to create ${label} but it already exists`;
  }
  const others = [...sets.values()].filter(({ name }) => name === set.name);
  const sameType = others.filter(({ type }) => type === set.type);
  const isWeighted = set.setIdentifier !== undefined;
  if (sameType.some(({ setIdentifier }) => (setIdentifier !== undefined) !== isWeighted)) {
    return `RRSet with DNS name ${set.name}, type ${set.type}, SetIdentifier ${set.setIdentifier ?? 'null'} cannot be created as other RRSets exist with the same name and type.`;
  }
  if (others.some(({ type }) => type === 'CNAME' && !(isWeighted && set.type === 'CNAME'))) {
    return `RRSet of type ${set.type} with DNS name ${set.name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${origin}`;
  }
  if (set.type === 'CNAME' && others.length > sameType.length) {
    return `RRSet of type CNAME with DNS name ${set.name} is not permitted as it conflicts with other records with the same DNS name in zone ${origin}`;
  }
  sets.set(key, set);
  return null;
}

function recordMessage({ origin }: StandInZone, { action, set }: StandInChange): string | null {
  const { name, type, ttl, values } = set;
  if (name !== origin && !name.endsWith(`.${origin}`)) {
    return `RRSet with DNS name ${name} is not permitted in zone ${origin}`;
  }
  if (action === 'CREATE' && type === 'CNAME' && name === origin) {
    return `RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${origin}`;
  }
  if (ttl === null || ttl < 0 || ttl > 2_147_483_647) {
    return `Invalid Resource Record: 'FATAL problem: InvalidTTL encountered with '${ttl}''`;
  }
  if (new Set(values).size < values.length) {
    return `Duplicate Resource Record: '${values.join("', '")}'`;
  }
  return (
    values.map((value) => valueMessage(type, value)).find((message) => message !== null) ?? null
  );
}

function valueMessage(type: string, value: string): string | null {
  const [problem, reason] = valueProblem(type, value) ?? [];
  return problem === undefined
    ? null
    : `Invalid Resource Record: 'FATAL problem: ${problem} (${reason}) encountered with '${value}''`;
}

function valueProblem(type: string, value: string): readonly [string, string] | null {
  switch (type) {
    case 'A':
      return /^\d{1,3}(\.\d{1,3}){3}$/.test(value) &&
        value.split('.').every((n) => Number(n) <= 255)
        ? null
        : ['ARRDATAIllegalIPv4Address', 'Value is not a valid IPv4 address'];
    case 'AAAA':
      return /^[0-9a-fA-F:.]{2,45}$/.test(value) && value.includes(':')
        ? null
        : ['AAAARRDATAIllegalIPv6Address', 'Value is not a valid IPv6 address'];
    case 'CNAME':
      return /^[A-Za-z0-9_.-]{1,254}$/.test(value)
        ? null
        : ['DomainLabelEmpty', 'Domain label is empty'];
    case 'TXT':
      return textProblem(value);
    default:
      return ['UnsupportedType', `the stand-in does not create ${type} records`];
  }
}

function textProblem(value: string): readonly [string, string] | null {
  if (!/^"(?:[^"\\]|\\.)*"(?: +"(?:[^"\\]|\\.)*")*$/.test(value)) {
    return ['InvalidCharacterString', 'Value should be enclosed in quotation marks'];
  }
  if (/[^ -~]/.test(value)) {
    return ['UnsupportedCharacter', 'Value contains unsupported characters'];
  }
  const strings = [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, content = '']) => content);
  return strings.some((content) => content.replace(/\\(?:[0-7]{3}|.)/g, 'x').length > 255)
    ? ['CharacterStringTooLong', 'Value is too long']
    : null;
}

const RECORDS_MAX = 1000;
const CHARACTERS_MAX = 32_000;

function limitMessages(changes: readonly StandInChange[]): string[] {
  const values = changes.flatMap(({ set }) => set.values);
  const characters = values.reduce((sum, value) => sum + value.length, 0);
  return [
    ...(values.length > RECORDS_MAX ? [`Number of records limit of ${RECORDS_MAX} exceeded.`] : []),
    ...(characters > CHARACTERS_MAX
      ? [`Number of characters limit of ${CHARACTERS_MAX} exceeded.`]
      : []),
  ];
}

function repeatMessages(changes: readonly StandInChange[]): string[] {
  const identities = changes.map(({ action, set }) => `${action} ${keyOf(set)}`);
  return changes
    .filter((_, position) => identities.indexOf(identities[position] ?? '') !== position)
    .map(
      ({ set }) =>
        `The request contains an invalid set of changes for a resource record set '${set.type} ${set.name}'`,
    );
}

export interface Listing {
  readonly sets: readonly StandInSet[];
  readonly next: StandInSet | null;
}

/** Sorted by name with the labels reversed and the trailing dot, then type, then identifier. */
export function listSets(
  zone: StandInZone,
  start: { readonly name: string; readonly type: string; readonly identifier: string },
  itemsMax: number,
): Listing {
  const from = sortKey({ name: start.name, type: start.type, setIdentifier: start.identifier });
  const sorted = [...zone.sets.values()]
    .filter((set) => compareKeys(sortKey(set), from) >= 0)
    .sort((a, b) => compareKeys(sortKey(a), sortKey(b)));
  return { sets: sorted.slice(0, itemsMax), next: sorted[itemsMax] ?? null };
}

type SortKey = readonly [name: string, type: string, identifier: string];

function sortKey(set: { name: string; type: string; setIdentifier?: string }): SortKey {
  const reversed = set.name.split('.').filter(Boolean).reverse().join('.');
  return [`${reversed}.`, set.type, set.setIdentifier ?? ''];
}

function compareKeys(a: SortKey, b: SortKey): number {
  for (const [position, part] of a.entries()) {
    const other = b[position] ?? '';
    if (part !== other) {
      return part < other ? -1 : 1;
    }
  }
  return 0;
}

function keyOf({ name, type, setIdentifier = '' }: StandInSet): string {
  return JSON.stringify([name, type, setIdentifier]);
}

function contentOf({ ttl, values, weight }: StandInSet): string {
  return JSON.stringify([ttl, [...values].sort(), weight]);
}
