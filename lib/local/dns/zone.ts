/**
 * A DNS zone as a value: what stands, and what one batch makes of it.
 *
 * The rules are Route 53's, so that a recovery meets the same refusals on a laptop as on AWS:
 * a batch applies as a whole or not at all; a DELETE must repeat name, type, TTL and every value;
 * a CREATE of what exists fails; a CNAME stands alone at its name; weighted sets of one name and
 * type stand side by side, but not beside a plain one. Changes are tried in order on a copy, which becomes the zone only if all of them succeed. Pure.
 */
import {
  canonicalName,
  isAddress,
  isAddressType,
  isDnsName,
  recordSetKey,
  sameRecordSet,
} from '../../recovery/record-set.ts';
import { checkBatch } from '../../recovery/switch-batch.ts';
import type { Change, RecordSet, RecordType } from '../../recovery/switch-port.ts';
import { DNS_LIMITS } from './limits.ts';

/** By name, then by `recordSetKey`. */
type Sets = ReadonlyMap<string, ReadonlyMap<string, RecordSet>>;

export interface Zone {
  /** Name of the apex, canonical: lower case, no trailing dot. */
  readonly origin: string;
  /** Rises by one with each applied batch; also the id of that change. */
  readonly serial: number;
  /** Host name that the SOA and NS records name. */
  readonly nameServer: string;
  readonly sets: Sets;
  /** Every name that exists, including those that only have names below them (RFC 8020). */
  readonly names: ReadonlySet<string>;
}

export type ZoneOutcome =
  | { readonly kind: 'applied'; readonly zone: Zone }
  /** The zone does not hold what the batch expects. */
  | { readonly kind: 'conflict'; readonly problems: readonly string[] }
  /** The batch could never be applied to this zone. */
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string };

/** A new zone: its name server, and nothing else. */
export function createZone(origin: string, nameServerAddress: string): Zone {
  const apex = canonicalName(origin);
  const nameServer = `ns.${apex}`;
  const type = nameServerAddress.includes(':') ? 'AAAA' : 'A';
  const glue: RecordSet = { name: nameServer, type, ttlSeconds: 60, values: [nameServerAddress] };
  return buildZone({ origin: apex, serial: 1, nameServer, recordSets: [glue] });
}

/** The zone that holds exactly these record sets, which must be canonical and distinct. */
export function buildZone(parts: {
  readonly origin: string;
  readonly serial: number;
  readonly nameServer: string;
  readonly recordSets: readonly RecordSet[];
}): Zone {
  const { origin, serial, nameServer, recordSets } = parts;
  const sets = new Map<string, Map<string, RecordSet>>();
  for (const recordSet of recordSets) {
    const atName = sets.get(recordSet.name) ?? new Map<string, RecordSet>();
    sets.set(recordSet.name, atName.set(recordSetKey(recordSet), recordSet));
  }
  return { origin, serial, nameServer, sets, names: namesOf(origin, sets.keys()) };
}

/** Every record set of the zone. */
export function recordSetsOf(zone: Zone): readonly RecordSet[] {
  return [...zone.sets.values()].flatMap((atName) => [...atName.values()]);
}

export function recordSetsAt(zone: Zone, name: string): readonly RecordSet[] {
  return [...(zone.sets.get(canonicalName(name))?.values() ?? [])];
}

/** Whether the canonical name is the apex or below it. */
export function isInZone({ origin }: Pick<Zone, 'origin'>, name: string): boolean {
  return name === origin || name.endsWith(`.${origin}`);
}

/** Applies the whole batch or nothing. Pure; total. */
export function applyBatch(zone: Zone, batch: readonly Change[]): ZoneOutcome {
  const check = checkBatch(batch);
  if (check.kind === 'refused') {
    return check;
  }
  for (const { action, recordSet } of batch) {
    const fault = faultOf(zone, recordSet, action);
    if (fault !== null) {
      const detail = `${recordSet.name} ${recordSet.type}: ${fault}`;
      return { kind: 'refused', code: 'not-for-this-zone', detail };
    }
  }
  const sets = new Map([...zone.sets].map(([name, atName]) => [name, new Map(atName)]));
  const problems = batch.flatMap((change) => applyChange(sets, change) ?? []);
  if (problems.length > 0) {
    return { kind: 'conflict', problems };
  }
  const recordSets = [...sets.values()].flatMap((atName) => [...atName.values()]);
  return recordSets.length > DNS_LIMITS.recordSetsMax
    ? {
        kind: 'refused',
        code: 'zone-full',
        detail: `${DNS_LIMITS.recordSetsMax} record sets stand`,
      }
    : { kind: 'applied', zone: buildZone({ ...zone, serial: zone.serial + 1, recordSets }) };
}

type WorkingSets = Map<string, Map<string, RecordSet>>;

/** Changes the working copy; returns what is wrong when it cannot. */
function applyChange(sets: WorkingSets, { action, recordSet }: Change): string | null {
  const name = canonicalName(recordSet.name);
  const atName = sets.get(name) ?? new Map<string, RecordSet>();
  const key = recordSetKey(recordSet);
  const standing = atName.get(key);
  const id = recordSet.weighted === undefined ? '' : `, set identifier='${recordSet.weighted.id}'`;
  const label = `[name='${name}.', type='${recordSet.type}'${id}]`;
  if (action === 'DELETE') {
    if (standing === undefined) {
      return `tried to delete ${label} but it was not found`;
    }
    if (!sameRecordSet(standing, recordSet)) {
      return `tried to delete ${label} but the values provided do not match the current values`;
    }
    atName.delete(key);
    return null;
  }
  if (standing !== undefined) {
    return `tried to create ${label} but it already exists`;
  }
  const fault = neighbourFault([...atName.values()], recordSet);
  if (fault !== null) {
    return `tried to create ${label} but ${fault}`;
  }
  sets.set(name, atName.set(key, canonicalSet(recordSet)));
  return null;
}

/** What keeps a set from standing beside those at its name. */
function neighbourFault(
  atName: readonly RecordSet[],
  { type, weighted }: RecordSet,
): string | null {
  if (atName.some((other) => other.type !== type && [other.type, type].includes('CNAME'))) {
    return 'a CNAME stands alone at its name';
  }
  const isPlainBeside = (other: RecordSet) =>
    other.type === type && (other.weighted === undefined || weighted === undefined);
  if (!atName.some(isPlainBeside)) {
    return null;
  }
  return type === 'CNAME'
    ? 'a CNAME stands alone at its name'
    : 'plain and weighted sets do not stand together';
}

function faultOf(zone: Zone, recordSet: RecordSet, action: Change['action']): string | null {
  const { type, values } = recordSet;
  const name = canonicalName(recordSet.name);
  if (!isDnsName(name) || !isInZone(zone, name)) {
    return `the name is not in the zone ${zone.origin}`;
  }
  if (action === 'DELETE') {
    return null;
  }
  if (type === 'CNAME' && name === zone.origin) {
    return 'the apex cannot be a CNAME';
  }
  if (values.length > DNS_LIMITS.valuesPerRecordSetMax) {
    return `${values.length} values, at most ${DNS_LIMITS.valuesPerRecordSetMax}`;
  }
  const bad = values.find((value) => !isValue(type, value));
  return bad === undefined ? null : `${JSON.stringify(bad.slice(0, 255))} is not a ${type} value`;
}

function isValue(type: RecordType, value: string): boolean {
  return isAddressType(type)
    ? isAddress(type, value)
    : new TextEncoder().encode(value).length <= DNS_LIMITS.textBytesMax;
}

/** As it is kept: canonical names, and addresses in the spelling that was given. */
function canonicalSet({ name, type, ttlSeconds, values, weighted }: RecordSet): RecordSet {
  return {
    name: canonicalName(name),
    type,
    ttlSeconds,
    values: type === 'CNAME' ? values.map(canonicalName) : [...values],
    ...(weighted === undefined ? {} : { weighted }),
  };
}

function namesOf(origin: string, owners: Iterable<string>): ReadonlySet<string> {
  const names = new Set([origin]);
  for (const owner of owners) {
    for (let name = owner; !names.has(name); name = name.slice(name.indexOf('.') + 1)) {
      names.add(name);
    }
  }
  return names;
}
