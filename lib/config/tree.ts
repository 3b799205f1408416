/** Reading in a value of unknown shape: by path, without ever throwing. */
import type { Path } from './problem.ts';

/** The value at a path; undefined where nothing stands. Own members only. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => childOf(value, key), root);
}

export function childOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as { readonly [member: string | number]: unknown })[key]
    : undefined;
}

/** Members of a map in the order they are written; none when it is not a map. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isMapping(value) ? Object.entries(value) : [];
}

export function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
