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
  sameRecordSets,
} from './record-set.ts';
import type { Epoch } from './state.ts';
import { type BatchRefusalCode, checkBatch } from './switch-batch.ts';
import { SWITCH_LIMITS } from './switch-limits.ts';
import type { Change, ForeignRecordSet, RecordSet, Sharing } from './switch-port.ts';

/** What should stand, and by which authority. */
export interface SwitchIntent {
  /** Absolute, lower case, no trailing dot. */
  readonly dnsName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  /** 0 to 86,400. */
  readonly ttlSeconds: number;
  /** Who gets how much, in order of preference; at least one with a weight above 0. */
  readonly targets: readonly SwitchTarget[];
  readonly epoch: Epoch;
  readonly run: string;
}

/** A site and its share of the traffic. */
export interface SwitchTarget {
  readonly site: string;
  readonly address: string;
  /** Whole, 0 to 100; of the sum of all. A site with 0 stands in no record. */
  readonly weight: number;
}

/** What a read of `switchNames(intent)` returned. */
export interface Standing {
  readonly recordSets: readonly RecordSet[];
  readonly foreign: readonly ForeignRecordSet[];
}

/** How the records stand in the way, besides what is wrong with the batch: every worker would find it. */
export const SWITCH_REFUSAL_CODES = [
  /** The name, TTL, weight or an address of the intent cannot stand in DNS. */
  'intent-invalid',
  /** The server can share traffic evenly only, and the shares are not even. */
  'weights-unsupported',
  /** A record stands at the name that is not ours to replace. */
  'foreign-record',
  /** The fence is there but says nothing we understand: a later version, or a person's edit. */
  'fence-unreadable',
  /** Another run or site holds the very epoch of this intent. */
  'epoch-reused',
  /** Our fence stands, but the records beside it were changed by someone else. */
  'changed-outside',
] as const;

type SwitchRefusalCode = BatchRefusalCode | (typeof SWITCH_REFUSAL_CODES)[number];

export type SwitchPlan =
  | { readonly kind: 'change'; readonly batch: readonly Change[] }
  | { readonly kind: 'already-done' }
  | { readonly kind: 'stale'; readonly standing: Fence }
  | { readonly kind: 'refused'; readonly code: SwitchRefusalCode; readonly detail: string };

/** The names to read before planning: the fence first, so that a torn read is never mistaken. */
export function switchNames(dnsName: string): readonly string[] {
  return [fenceName(dnsName), dnsName];
}

/** The site that stands in the fence: that with the largest share; of equals the preferred one. */
export function leadSite(targets: readonly SwitchTarget[]): string {
  let lead: SwitchTarget | undefined;
  for (const target of targets) {
    lead = lead === undefined || target.weight > lead.weight ? target : lead;
  }
  invariant(lead !== undefined && lead.weight > 0, 'switch-without-target', { targets });
  return lead.site;
}

/** The address sets that the intent wants at its name. */
export function intendedSets(
  { dnsName, recordType, ttlSeconds, targets }: SwitchIntent,
  sharing: Sharing = 'weighted',
): readonly RecordSet[] {
  const name = canonicalName(dnsName);
  const plain = { name, type: recordType, ttlSeconds };
  const sharers = targets.filter(({ weight }) => weight > 0);
  const written = ({ address }: SwitchTarget) =>
    recordType === 'CNAME' ? canonicalValue('CNAME', address) : address;
  return sharers.length === 1 || sharing === 'even'
    ? [{ ...plain, values: sharers.map(written) }]
    : sharers.map((target): RecordSet => {
        const weighted = { id: target.site, weight: target.weight };
        return { ...plain, values: [written(target)], weighted };
      });
}

/**
 * Whether this is what clients may be answered: every value is that of a site with a share. Of
 * weighted sets one answer holds one site only, so the others cannot be asked for.
 */
export function isIntendedAnswer(intent: SwitchIntent, values: readonly string[]): boolean {
  const { recordType } = intent;
  const wanted = new Set(
    intendedSets(intent).flatMap((set) =>
      set.values.map((value) => canonicalValue(recordType, value)),
    ),
  );
  return (
    values.length > 0 && values.every((value) => wanted.has(canonicalValue(recordType, value)))
  );
}

/** Pure; total. The batch, when there is one, passes `checkBatch`. */
export function planSwitch(
  intent: SwitchIntent,
  standing: Standing,
  sharing: Sharing = 'weighted',
): SwitchPlan {
  const invalid = intentFault(intent);
  if (invalid !== null) {
    return refused('intent-invalid', invalid);
  }
  if (sharing === 'even' && !isEven(intent)) {
    return refused('weights-unsupported', `the server of ${intent.dnsName} knows no weights`);
  }
  const wanted = intendedSets(intent, sharing);
  const ground = surveyOf(intent, standing);
  const blocking = blockOf(intent, ground);
  if (blocking !== null) {
    return blocking;
  }
  switch (ground.fence.kind) {
    case 'malformed':
      return refused('fence-unreadable', ground.fence.detail);
    case 'absent':
      return ground.addresses.length > 1 || ground.addresses.some(({ weighted }) => weighted)
        ? refused('foreign-record', `${describe(ground.addresses)}: adopt one, remove the others`)
        : replace(intent, ground, wanted);
    case 'fence': {
      const order = compareEpochs(ground.fence.fence.epoch, intent.epoch);
      if (order > 0) {
        return { kind: 'stale', standing: ground.fence.fence };
      }
      return order === 0
        ? resume(intent, { ...ground, fence: ground.fence }, wanted)
        : replace(intent, ground, wanted);
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

/** Several values of one set are given out evenly; a CNAME has one value, so it cannot share. */
function isEven({ recordType, targets }: SwitchIntent): boolean {
  const sharers = targets.filter(({ weight }) => weight > 0);
  const isShared = sharers.length > 1;
  return !isShared || (recordType !== 'CNAME' && new Set(sharers.map((t) => t.weight)).size === 1);
}

function intentFault(intent: SwitchIntent): string | null {
  const { dnsName, ttlSeconds, targets } = intent;
  if (!isDnsName(dnsName) || !isDnsName(fenceName(dnsName))) {
    return `${dnsName} is not a DNS name that leaves room for its fence`;
  }
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 0 || ttlSeconds > SWITCH_LIMITS.ttlSecondsMax) {
    return `the TTL ${ttlSeconds} is not 0 to ${SWITCH_LIMITS.ttlSecondsMax} seconds`;
  }
  const { shareMax } = SWITCH_LIMITS;
  if (targets.some(({ weight }) => !Number.isInteger(weight) || weight < 0 || weight > shareMax)) {
    return `a weight is not a whole number from 0 to ${shareMax}`;
  }
  const sharers = targets.filter(({ weight }) => weight > 0);
  if (sharers.length === 0) {
    return `no site would get any traffic of ${dnsName}`;
  }
  if (new Set(targets.map(({ site }) => site)).size < targets.length) {
    return 'a site is there twice';
  }
  return (
    sharers.map((target) => addressFault(intent, target)).find((fault) => fault !== null) ?? null
  );
}

function addressFault(
  { dnsName, recordType }: SwitchIntent,
  { address }: SwitchTarget,
): string | null {
  if (!isAddress(recordType, address)) {
    return `${JSON.stringify(address)} cannot be the value of a record of type ${recordType}`;
  }
  return recordType === 'CNAME' && canonicalName(address) === canonicalName(dnsName)
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
function resume(
  intent: SwitchIntent,
  { fence: { fence: standing }, addresses }: Ground & { readonly fence: { readonly fence: Fence } },
  wanted: readonly RecordSet[],
): SwitchPlan {
  if (standing.site !== leadSite(intent.targets) || standing.run !== intent.run) {
    return refused('epoch-reused', `the fence names ${standing.site} and run ${standing.run}`);
  }
  return sameRecordSets(addresses, wanted)
    ? { kind: 'already-done' }
    : refused('changed-outside', `${describe(addresses)}: not what run ${intent.run} made`);
}

/**
 * DELETEs come first: Route 53 checks a CREATE of a CNAME, or of a weighted set beside a plain one,
 * against the changes before it. Weighted sets are replaced all together or not at all, so that
 * the batch fails when any one of them is not what was read.
 */
function replace(intent: SwitchIntent, ground: Ground, wanted: readonly RecordSet[]): SwitchPlan {
  const stands = sameRecordSets(ground.addresses, wanted);
  const old = [...(stands ? [] : ground.addresses), ...(ground.fenceSet ? [ground.fenceSet] : [])];
  const batch: readonly Change[] = [
    ...old.map((recordSet): Change => ({ action: 'DELETE', recordSet })),
    ...[...(stands ? [] : wanted), fenceSetOf(intent)].map(
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

function fenceSetOf({ dnsName, ttlSeconds, targets, epoch, run }: SwitchIntent): RecordSet {
  const value = formatFence({ epoch, site: leadSite(targets), run });
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
