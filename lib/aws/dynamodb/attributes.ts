/**
 * The few attribute types we store, and what an item weighs.
 *
 * Size arithmetic, as DynamoDB counts it: the sum over all attributes of the name's UTF-8 bytes and
 * the value's. A string weighs its UTF-8 bytes, a binary its bytes, a number one byte per two digits
 * plus one or two: we count 11, the most that the 17 digits of a double can weigh.
 *
 * Readers throw an AppError that names the item: a register that cannot be understood must stop the
 * step that met it, never be taken for an empty one.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { AppError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { TABLE_KEYS } from '../../config/names.ts';

export type Item = Record<string, AttributeValue>;

/** Partition and sort key; neither may be empty. */
export interface ItemKey {
  readonly partition: string;
  readonly sort: string;
}

/** Bytes of a number: 17 digits take 9, exponent and sign 1 each. */
const NUMBER_BYTES = 11;

export function keyItem(key: ItemKey): Item {
  return {
    [TABLE_KEYS.partition]: textValue(key.partition),
    [TABLE_KEYS.sort]: textValue(key.sort),
  };
}

export function textValue(value: string): AttributeValue.SMember {
  invariant(value !== '' && value.isWellFormed(), 'text-not-storable', { value });
  return { S: value };
}

/** @throws InvariantError unless the value is a safe integer: DynamoDB has 38 digits, we have 15. */
export function integerValue(value: number): AttributeValue.NMember {
  invariant(Number.isSafeInteger(value), 'number-not-storable', { value });
  return { N: String(value) };
}

/** DynamoDB refuses magnitudes below 1e-130 and above 1e125; doubles between come back exactly. */
const MAGNITUDE_MIN = 1e-100;
const MAGNITUDE_MAX = 1e100;

/** A number that need not be whole, such as an instant that was computed. */
export function numberValue(value: number): AttributeValue.NMember {
  const magnitude = Math.abs(value);
  const storable = value === 0 || (magnitude >= MAGNITUDE_MIN && magnitude <= MAGNITUDE_MAX);
  invariant(storable, 'number-not-storable', { value });
  return { N: String(value) };
}

export function bytesValue(value: Uint8Array): AttributeValue.BMember {
  return { B: value };
}

/** Bytes that DynamoDB counts for the item (an upper bound: numbers are counted at their most). */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) {
    bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) {
    return Buffer.byteLength(value.S);
  }
  if (value.B !== undefined) {
    return value.B.byteLength;
  }
  invariant(value.N !== undefined, 'attribute-type-not-used', { types: Object.keys(value) });
  return NUMBER_BYTES;
}

/** Reads the attributes of one item; what to say when one is missing or malformed. */
export interface ItemReader {
  readonly text: (name: string) => string;
  readonly textOrNull: (name: string) => string | null;
  readonly integer: (name: string) => number;
  readonly integerOrNull: (name: string) => number | null;
  readonly number: (name: string) => number;
  readonly numberOrNull: (name: string) => number | null;
  readonly bytes: (name: string) => Uint8Array;
  readonly bytesOrNull: (name: string) => Uint8Array | null;
  /** Stops with the item's name: its attributes are there but make no sense together. */
  readonly fail: (problem: string, cause?: unknown) => never;
}

export interface ReaderContext {
  /** Code of the AppError, e.g. `register-corrupt`. */
  readonly code: string;
  /** What the operator should do next. */
  readonly hint: string;
}

export function readItem(item: Item, context: ReaderContext): ItemReader {
  const key = `${item[TABLE_KEYS.partition]?.S ?? '?'} / ${item[TABLE_KEYS.sort]?.S ?? '?'}`;
  const fail = (problem: string, cause?: unknown): never => {
    throw new AppError(`item ${key}: ${problem}`, { ...context, retryable: false, cause });
  };
  const textOrNull = (name: string): string | null => {
    const value = item[name];
    return value === undefined ? null : (value.S ?? fail(`${name} is not a string`));
  };
  const numberOrNull = (name: string): number | null => {
    const value = item[name];
    if (value === undefined) {
      return null;
    }
    const number = Number(value.N ?? fail(`${name} is not a number`));
    return Number.isFinite(number) ? number : fail(`${name} is not finite`);
  };
  const integerOrNull = (name: string): number | null => {
    const number = numberOrNull(name);
    const whole = number === null || Number.isSafeInteger(number);
    return whole ? number : fail(`${name} is not a safe integer`);
  };
  const missing = (name: string): never => fail(`${name} is missing`);
  return {
    textOrNull,
    numberOrNull,
    integerOrNull,
    text: (name) => textOrNull(name) ?? missing(name),
    number: (name) => numberOrNull(name) ?? missing(name),
    integer: (name) => integerOrNull(name) ?? missing(name),
    bytesOrNull: (name) => item[name]?.B ?? null,
    bytes: (name) => item[name]?.B ?? fail(`${name} is missing or not binary`),
    fail,
  };
}
