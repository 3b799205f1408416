/** Sizes as the store counts them: bytes of UTF-8, which text has more of than it has characters. */

const TWO_BYTES_FROM = 0x80;
const THREE_BYTES_FROM = 0x800;
const SURROGATES_FROM = 0xd800;
const SURROGATES_TO = 0xdfff;

/** Bytes of the value's JSON text. */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let place = 0; place < text.length; place += 1) {
    bytes += extraBytes(text.charCodeAt(place));
  }
  return bytes;
}

/** Bytes beyond the first. Half of a surrogate pair counts two of the pair's four. */
function extraBytes(unit: number): number {
  if (unit < TWO_BYTES_FROM) {
    return 0;
  }
  const isHalf = unit >= SURROGATES_FROM && unit <= SURROGATES_TO;
  return unit < THREE_BYTES_FROM || isHalf ? 1 : 2;
}
