/**
 * The last look at a change batch before it leaves: what no adapter may ever send.
 *
 * A batch replaces, it never removes. The us-east-1 event of October 2025 ended in an empty record
 * because a cleanup deleted the plan that was live; a DELETE here needs a CREATE at the same name,
 * of an address for an address and of a text for a text (a name must not lose its fence either),
 * and one that gives clients something: weighted sets that all weigh nothing are no address.
 * The numeric limits are Route 53's; the embedded zone keeps them too, so that a batch that works
 * on a laptop works on AWS.
 */
import {
  canonicalName,
  canonicalValue,
  isAddressType,
  isDnsName,
  isSetId,
  recordSetKey,
} from './record-set.ts';
import { SWITCH_LIMITS } from './switch-limits.ts';
import type { Change, RecordSet, WeightedShare } from './switch-port.ts';

export type BatchCheck =
  | { readonly kind: 'sound' }
  | { readonly kind: 'refused'; readonly code: BatchRefusalCode; readonly detail: string };

export const BATCH_REFUSAL_CODES = [
  'empty-batch',
  'malformed-record-set',
  'duplicate-change',
  'would-empty-name',
  'would-drop-text',
  'weights-all-zero',
  'batch-too-large',
] as const;

export type BatchRefusalCode = (typeof BATCH_REFUSAL_CODES)[number];

/** Whether every adapter may send this batch. Pure; total; says nothing of what the zone holds. */
export function checkBatch(batch: readonly Change[]): BatchCheck {
  if (batch.length === 0) {
    return refused('empty-batch', 'a batch changes at least one record set');
  }
  return (
    findMalformed(batch) ??
    findDuplicate(batch) ??
    findLoss(batch) ??
    findNothingGiven(batch) ??
    findExcess(batch) ??
    SOUND
  );
}

const SOUND: BatchCheck = { kind: 'sound' };

function findMalformed(batch: readonly Change[]): BatchCheck | null {
  for (const { recordSet } of batch) {
    const fault = faultOf(recordSet);
    if (fault !== null) {
      return refused('malformed-record-set', `${recordSet.name} ${recordSet.type}: ${fault}`);
    }
  }
  return null;
}

function faultOf({ name, type, ttlSeconds, values, weighted }: RecordSet): string | null {
  if (!isDnsName(name)) {
    return 'the name is not a DNS name';
  }
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 0 || ttlSeconds > SWITCH_LIMITS.ttlSecondsMax) {
    return `the TTL is not 0 to ${SWITCH_LIMITS.ttlSecondsMax} seconds`;
  }
  if (values.length === 0) {
    return 'there is no value';
  }
  if (type === 'CNAME' && values.length > 1) {
    return 'a CNAME has one value';
  }
  const distinct = new Set(values.map((value) => canonicalValue(type, value)));
  if (distinct.size < values.length) {
    return 'a value is there twice';
  }
  if (weighted === undefined) {
    return null;
  }
  return isAddressType(type) ? weightFault(weighted) : 'only addresses are weighted';
}

function weightFault({ id, weight }: WeightedShare): string | null {
  if (!isSetId(id)) {
    return 'the id of a weighted set is not 1 to 63 letters, digits, dots, dashes or underscores';
  }
  return Number.isInteger(weight) && weight >= 0 && weight <= SWITCH_LIMITS.weightMax
    ? null
    : `the weight is not a whole number from 0 to ${SWITCH_LIMITS.weightMax}`;
}

function findDuplicate(batch: readonly Change[]): BatchCheck | null {
  const seen = new Set<string>();
  for (const { action, recordSet } of batch) {
    const identity = `${action} ${recordSetKey(recordSet)}`;
    if (seen.has(identity)) {
      return refused('duplicate-change', `${identity} is there twice`);
    }
    seen.add(identity);
  }
  return null;
}

function findLoss(batch: readonly Change[]): BatchCheck | null {
  const created = new Set(batch.filter(({ action }) => action === 'CREATE').map(placeOf));
  const lost = batch.find(
    (change) => change.action === 'DELETE' && !created.has(placeOf(change)),
  )?.recordSet;
  if (lost === undefined) {
    return null;
  }
  return isAddressType(lost.type)
    ? refused('would-empty-name', `${lost.name} would be left without an address`)
    : refused('would-drop-text', `${lost.name} would be left without its TXT record`);
}

/**
 * Route 53 answers with any of several sets that all weigh 0: a traffic split that nobody asked for.
 * A batch does not know what else stands at the name, so each batch must bring a weight of its own.
 */
function findNothingGiven(batch: readonly Change[]): BatchCheck | null {
  const created = batch.filter(({ action }) => action === 'CREATE').map((one) => one.recordSet);
  const weighed = Map.groupBy(
    created.filter(({ weighted }) => weighted !== undefined),
    ({ name, type }) => `${canonicalName(name)} ${type}`,
  );
  for (const [place, sets] of weighed) {
    if (sets.every(({ weighted }) => weighted?.weight === 0)) {
      return refused('weights-all-zero', `${place} would give all of its sites nothing`);
    }
  }
  return null;
}

/** A name, and whether the change is about where it leads or about a text beside it. */
function placeOf({ recordSet: { name, type } }: Change): string {
  return `${canonicalName(name)} ${isAddressType(type) ? 'address' : 'text'}`;
}

function findExcess(batch: readonly Change[]): BatchCheck | null {
  const values = batch.flatMap(({ recordSet }) => recordSet.values);
  const { recordsPerBatchMax, valueCharactersPerBatchMax } = SWITCH_LIMITS;
  if (values.length > recordsPerBatchMax) {
    return refused('batch-too-large', `${values.length} records, at most ${recordsPerBatchMax}`);
  }
  const characters = values.reduce((sum, value) => sum + presentedLength(value), 0);
  return characters > valueCharactersPerBatchMax
    ? refused('batch-too-large', `${characters} characters, at most ${valueCharactersPerBatchMax}`)
    : null;
}

/** Upper bound of a value's length once it is quoted, escaped and cut into chunks of 255. */
function presentedLength(value: string): number {
  let length = 0;
  for (const character of value) {
    length += /[ !#-[\]-~]/.test(character) ? 1 : OCTAL_ESCAPE_LENGTH * character.length * 3;
  }
  return length + 3 * Math.ceil((length + 1) / 255);
}

/** `\ooo`, once for each byte; a UTF-16 unit is at most three bytes of UTF-8. */
const OCTAL_ESCAPE_LENGTH: number = 4;

function refused(code: BatchRefusalCode, detail: string): BatchCheck {
  return { kind: 'refused', code, detail };
}
