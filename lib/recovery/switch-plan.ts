/**
 * The plan of one switch: which batch turns the records that stand into the records that should.
 *
 * Two rules make it a compare-and-swap. Every batch replaces the fence, also when the addresses
 * stand right already, so that of two plans made on the same ground one fails as a whole. And no
 * batch is planned over a fence whose epoch is newer, or over one that cannot be read.
 *
 * A name under our fence is ours: whatever address sets stand there are replaced together. A name
 * without a fence is adopted only when a single plain address set stands there, because adoption
 * happens when a service is set up and a person can sort out the rest.
 */
import { assertNever, invariant } from '../base/invariant.ts';
import { compareEpochs, type Fence, fenceName, formatFence, parseFence } from './fence.ts';
import {
  canonicalName,
  canonicalValue,
  isAddress,
  isAddressType,
  isDnsName,
  sameRecordSet,
} from './record-set.ts';
import type { Epoch } from './state.ts';
import { type BatchRefusalCode, checkBatch } from './switch-batch.ts';
import { SWITCH_LIMITS } from './switch-limits.ts';
import type { Change, ForeignRecordSet, RecordSet } from './switch-port.ts';

/** What should stand, and by which authority. */
export interface SwitchIntent {
  /** Absolute, lower case, no trailing dot. */
  readonly dnsName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  /** 0 to 86,400. */
  readonly ttlSeconds: number;
  readonly target: { readonly site: string; readonly address: string };
  readonly epoch: Epoch;
  readonly run: string;
}

/** What a read of `switchNames(intent)` returned. */
export interface Standing {
  readonly recordSets: readonly RecordSet[];
  readonly foreign: readonly ForeignRecordSet[];
}

type SwitchRefusalCode =
  | BatchRefusalCode
  /** The name, TTL or address of the intent cannot stand in DNS. */
  | 'intent-invalid'
  /** A record stands at the name that is not ours to replace. */
  | 'foreign-record'
  /** The fence is there but says nothing we understand: a later version, or a person's edit. */
  | 'fence-unreadable'
  /** Another run or site holds the very epoch of this intent. */
  | 'epoch-reused'
  /** Our fence stands, but the records beside it were changed by someone else. */
  | 'changed-outside';

export type SwitchPlan =
  | { readonly kind: 'change'; readonly batch: readonly Change[] }
  | { readonly kind: 'already-done' }
  | { readonly kind: 'stale'; readonly standing: Fence }
  | { readonly kind: 'refused'; readonly code: SwitchRefusalCode; readonly detail: string };

/** The names to read before planning: the fence first, so that a torn read is never mistaken. */
export function switchNames(dnsName: string): readonly string[] {
  return [fenceName(dnsName), dnsName];
}

/** Pure; total. The batch, when there is one, passes `checkBatch`. */
export function planSwitch(intent: SwitchIntent, standing: Standing): SwitchPlan {
  const invalid = intentFault(intent);
  if (invalid !== null) {
    return refused('intent-invalid', invalid);
  }
  const ground = surveyOf(intent, standing);
  const blocking = blockOf(intent, ground);
  if (blocking !== null) {
    return blocking;
  }
  switch (ground.fence.kind) {
    case 'malformed':
      return refused('fence-unreadable', ground.fence.detail);
    case 'absent':
      return ground.addresses.length > 1
        ? refused('foreign-record', `${describe(ground.addresses)}: adopt one, remove the others`)
        : replace(intent, ground);
    case 'fence': {
      const order = compareEpochs(ground.fence.fence.epoch, intent.epoch);
      if (order > 0) {
        return { kind: 'stale', standing: ground.fence.fence };
      }
      return order === 0 ? resume(intent, ground, ground.fence.fence) : replace(intent, ground);
    }
    default:
      return assertNever(ground.fence);
  }
}

type StandingFence = { readonly kind: 'absent' } | ReturnType<typeof parseFence>;

/** The part of what stands that this switch is about. */
interface Ground {
  readonly fence: StandingFence;
  readonly fenceSet: RecordSet | null;
  readonly addresses: readonly RecordSet[];
  /** Record sets of ours to leave alone, unless the target is a CNAME, which tolerates none. */
  readonly texts: readonly RecordSet[];
  readonly atFenceName: readonly (RecordSet | ForeignRecordSet)[];
  readonly foreign: readonly ForeignRecordSet[];
}

function surveyOf({ dnsName }: SwitchIntent, { recordSets, foreign }: Standing): Ground {
  const isAt = (name: string) => (set: RecordSet | ForeignRecordSet) =>
    canonicalName(set.name) === canonicalName(name);
  const atName = recordSets.filter(isAt(dnsName));
  const atFence = recordSets.filter(isAt(fenceName(dnsName)));
  const fenceSet = atFence.find(({ type }) => type === 'TXT') ?? null;
  return {
    fence: readFence(fenceSet),
    fenceSet,
    addresses: atName.filter(({ type }) => isAddressType(type)),
    texts: atName.filter(({ type }) => type === 'TXT'),
    atFenceName: [
      ...atFence.filter(({ type }) => type === 'CNAME'),
      ...foreign.filter(isAt(fenceName(dnsName))).filter(({ type }) => type === 'TXT'),
    ],
    foreign: foreign.filter(isAt(dnsName)),
  };
}

function readFence(fenceSet: RecordSet | null): StandingFence {
  if (fenceSet === null) {
    return { kind: 'absent' };
  }
  const [value, ...others] = fenceSet.values;
  return value === undefined || others.length > 0
    ? { kind: 'malformed', detail: `${fenceSet.values.length} values where one fence belongs` }
    : parseFence(value);
}

function intentFault({ dnsName, recordType, ttlSeconds, target }: SwitchIntent): string | null {
  if (!isDnsName(dnsName) || !isDnsName(fenceName(dnsName))) {
    return `${dnsName} is not a DNS name that leaves room for its fence`;
  }
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 0 || ttlSeconds > SWITCH_LIMITS.ttlSecondsMax) {
    return `the TTL ${ttlSeconds} is not 0 to ${SWITCH_LIMITS.ttlSecondsMax} seconds`;
  }
  if (!isAddress(recordType, target.address)) {
    return `${JSON.stringify(target.address)} cannot be the value of a record of type ${recordType}`;
  }
  return recordType === 'CNAME' && canonicalName(target.address) === canonicalName(dnsName)
    ? `${dnsName} cannot be an alias of itself`
    : null;
}

/** Records that this switch may neither keep beside its own nor replace. */
function blockOf({ recordType }: SwitchIntent, ground: Ground): SwitchPlan | null {
  const isCname = recordType === 'CNAME';
  const blocking = [
    ...ground.atFenceName,
    ...ground.foreign.filter(({ type }) => isCname || isAddressType(type)),
    ...(isCname ? ground.texts : []),
  ];
  return blocking.length === 0
    ? null
    : refused('foreign-record', `${describe(blocking)}: not ours to replace or to stand beside`);
}

/** Our own epoch stands: the change was made before, unless someone meddled with it. */
function resume(intent: SwitchIntent, ground: Ground, standing: Fence): SwitchPlan {
  if (standing.site !== intent.target.site || standing.run !== intent.run) {
    return refused('epoch-reused', `the fence names ${standing.site} and run ${standing.run}`);
  }
  const [address, ...others] = ground.addresses;
  return address !== undefined && others.length === 0 && sameRecordSet(address, targetSet(intent))
    ? { kind: 'already-done' }
    : refused('changed-outside', `${describe(ground.addresses)}: not what run ${intent.run} made`);
}

/** DELETEs come first: Route 53 checks a CREATE of a CNAME against the changes before it. */
function replace(intent: SwitchIntent, ground: Ground): SwitchPlan {
  const target = targetSet(intent);
  const [address, ...others] = ground.addresses;
  const stands = address !== undefined && others.length === 0 && sameRecordSet(address, target);
  const old = [...(stands ? [] : ground.addresses), ...(ground.fenceSet ? [ground.fenceSet] : [])];
  const batch: readonly Change[] = [
    ...old.map((recordSet): Change => ({ action: 'DELETE', recordSet })),
    ...[...(stands ? [] : [target]), fenceSetOf(intent)].map(
      (recordSet): Change => ({ action: 'CREATE', recordSet }),
    ),
  ];
  const check = checkBatch(batch);
  invariant(
    batch.some(({ action, recordSet }) => action === 'CREATE' && recordSet.type === 'TXT'),
    'switch-without-fence',
    intent,
  );
  return check.kind === 'refused' ? check : { kind: 'change', batch };
}

function targetSet({ dnsName, recordType, ttlSeconds, target }: SwitchIntent): RecordSet {
  const values = [
    recordType === 'CNAME' ? canonicalValue('CNAME', target.address) : target.address,
  ];
  return { name: canonicalName(dnsName), type: recordType, ttlSeconds, values };
}

function fenceSetOf({ dnsName, ttlSeconds, target, epoch, run }: SwitchIntent): RecordSet {
  const value = formatFence({ epoch, site: target.site, run });
  return { name: fenceName(canonicalName(dnsName)), type: 'TXT', ttlSeconds, values: [value] };
}

function describe(sets: readonly (RecordSet | ForeignRecordSet)[]): string {
  return sets.length === 0
    ? 'no address stands'
    : sets
        .map((set) =>
          'values' in set ? `${set.type} ${set.values.join(', ')}` : `${set.type} (${set.reason})`,
        )
        .join('; ');
}

function refused(code: SwitchRefusalCode, detail: string): SwitchPlan {
  return { kind: 'refused', code, detail };
}
