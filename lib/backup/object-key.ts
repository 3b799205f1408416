/**
 * Names and sizes of stored objects: one law for a folder and for a bucket.
 *
 * A key becomes a path on somebody's disk, so what could leave the folder, differ only in case, or
 * hit the length limit of a file system is refused here, before any adapter sees it. A malformed
 * key is a bug of the caller and therefore an exception, not an outcome.
 *
 * One rule cannot be seen in a single key: no key is the folder of another (`a` and `a/b` never
 * both exist). A bucket would take both; a folder cannot, and says so.
 */
import { invariant } from '../base/invariant.ts';

const OBJECT_KEY_BYTES_MAX = 512;
/** A file name may have 255 bytes; the rest is left to what a store writes beside an object. */
const OBJECT_KEY_SEGMENT_BYTES_MAX = 128;
const OBJECT_BYTES_MAX: number = 64 * 1024 * 1024;
/** Objects that one `list` may ask for. */
const OBJECTS_LISTED_MAX = 10_000;

const SEGMENT = /^[a-z0-9._-]+$/;

/** Why `key` cannot name an object, in one sentence; null when it can. */
export function findKeyFault(key: string): string | null {
  if (key.length > OBJECT_KEY_BYTES_MAX) {
    return `a key has at most ${OBJECT_KEY_BYTES_MAX} characters`;
  }
  for (const segment of key.split('/')) {
    const fault = findSegmentFault(segment);
    if (fault !== null) {
      return fault;
    }
  }
  return null;
}

/** @throws InvariantError `object-key-malformed` with the key and the reason. */
export function checkKey(key: string): void {
  const fault = findKeyFault(key);
  invariant(fault === null, 'object-key-malformed', { key, fault });
}

/**
 * A prefix is the beginning of a possible key: empty, or a key that may be cut anywhere.
 *
 * @throws InvariantError `object-prefix-malformed`.
 */
export function checkPrefix(prefix: string): void {
  const segments = prefix.split('/');
  const [last = '', ...folders] = segments.toReversed();
  // What was cut may still become a proper segment: '' and '.' are only the beginning of one.
  const isBeginning = last === '' || SEGMENT.test(last);
  const fits = prefix.length <= OBJECT_KEY_BYTES_MAX && last.length <= OBJECT_KEY_SEGMENT_BYTES_MAX;
  const isSound = folders.every((segment) => findSegmentFault(segment) === null);
  invariant(isBeginning && fits && isSound, 'object-prefix-malformed', { prefix });
}

/** @throws InvariantError `object-size` unless there is between 1 byte and 64 MiB. */
export function checkSize(bytes: Uint8Array): void {
  const { length } = bytes;
  invariant(length >= 1 && length <= OBJECT_BYTES_MAX, 'object-size', { length });
}

/** @throws InvariantError `object-limit` unless `limit` is a whole number from 1 to 10,000. */
export function checkLimit(limit: number): void {
  const isCount = Number.isSafeInteger(limit) && limit >= 1;
  invariant(isCount && limit <= OBJECTS_LISTED_MAX, 'object-limit', { limit });
}

function findSegmentFault(segment: string): string | null {
  if (segment === '') {
    return 'a key has no empty segment and neither begins nor ends with a slash';
  }
  if (segment === '.' || segment === '..') {
    return 'a key has no segment that means a folder';
  }
  if (segment.length > OBJECT_KEY_SEGMENT_BYTES_MAX) {
    return `a segment has at most ${OBJECT_KEY_SEGMENT_BYTES_MAX} characters`;
  }
  return SEGMENT.test(segment) ? null : 'a key holds only a-z, 0-9, dot, underscore and dash';
}
