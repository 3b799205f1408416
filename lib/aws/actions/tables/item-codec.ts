/**
 * DynamoDB items as lines of JSON and back: the attribute form of its API, bytes as base64.
 *
 * One item has one line: keys are sorted, and so are the members of sets, which have no order and come
 * back in any. That makes lines comparable between a table and one that was made from its copy.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { canonicalJson, type JsonValue } from '../../../base/json.ts';

export type TableItem = Record<string, AttributeValue>;

export function itemLine(item: TableItem): string {
  return canonicalJson(encodeMap(item));
}

/** @throws SyntaxError for a line that is no JSON. */
export function itemOfLine(line: string): TableItem {
  return decodeItem(JSON.parse(line));
}

export function encodeItem(item: TableItem): JsonValue {
  return encodeMap(item);
}

export function decodeItem(value: JsonValue): TableItem {
  return decodeMap(value as EncodedMap);
}

interface EncodedMap {
  readonly [name: string]: Encoded;
}

/** As in the API, one member each; bytes as text. */
interface Encoded {
  readonly [type: string]: JsonValue | undefined;
}

function encodeMap(map: TableItem): JsonValue {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, encode(value)]));
}

function encode(value: AttributeValue): JsonValue {
  if (value.B !== undefined) {
    return { B: base64(value.B) };
  }
  if (value.BS !== undefined) {
    return { BS: value.BS.map(base64).toSorted() };
  }
  if (value.SS !== undefined) {
    return { SS: value.SS.toSorted() };
  }
  if (value.NS !== undefined) {
    return { NS: value.NS.toSorted() };
  }
  if (value.L !== undefined) {
    return { L: value.L.map(encode) };
  }
  if (value.M !== undefined) {
    return { M: encodeMap(value.M) };
  }
  const { S, N, BOOL, NULL } = value;
  return { S, N, BOOL, NULL };
}

function decodeMap(map: EncodedMap): TableItem {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, decode(value)]));
}

function decode(value: Encoded): AttributeValue {
  const [[type, content] = []] = Object.entries(value);
  switch (type) {
    case 'B':
      return { B: Buffer.from(String(content), 'base64') };
    case 'BS':
      return { BS: (content as readonly string[]).map((text) => Buffer.from(text, 'base64')) };
    case 'L':
      return { L: (content as readonly Encoded[]).map(decode) };
    case 'M':
      return { M: decodeMap(content as unknown as EncodedMap) };
    default:
      // Strings, numbers, sets of them, booleans and NULL are the same in both forms.
      return value as unknown as AttributeValue;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
