/** JSON values, and the one canonical text of each, which is what gets hashed and compared. */

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * Canonical JSON: object keys sorted by code unit, no white space, `undefined` members dropped.
 * Equal values give equal text on every machine (the idea of RFC 8785, for the values we store).
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') {
    return JSON.stringify(value);
  }
  if (isArray(value)) {
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) {
      members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
    }
  }
  return `{${members.join(',')}}`;
}

/** The same value with the members of every object in the order of `canonicalJson`. */
export function sortedJson(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object') {
    return value;
  }
  return isArray(value)
    ? value.map(sortedJson)
    : Object.fromEntries(
        Object.keys(value)
          .sort()
          .flatMap((key) => {
            const member = value[key];
            return member === undefined ? [] : [[key, sortedJson(member)]];
          }),
      );
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** SHA-256 of a UTF-8 text as 64 lower-case hex digits; passed in, because pure rooms import nothing. */
export type Sha256 = (text: string) => string;
