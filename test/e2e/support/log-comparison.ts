/**
 * Holds the log against what clients were told. Pure; throws an Error that names what is wrong.
 *
 * The log may hold two entries of one command: a retry whose first attempt made it after all. Only
 * the first takes effect, and every acknowledgement must name that one.
 */
import type { LogJson } from '../../../lib/api/schemas.ts';
import type { NoteRecord } from './note-client.ts';
import { require } from './wait.ts';

export type Entries = LogJson['entries'];

/** Entries 1, 2, 3, … without a gap. */
export function requireContiguous(log: Entries): void {
  log.forEach(({ index }, position) => {
    require(index === position + 1, `entry ${position + 1} is missing from the log`);
  });
}

/** Equal as far as both go; one region may have applied a little more. */
export function requireSameLog(one: Entries, other: Entries): void {
  const shorter = Math.min(one.length, other.length);
  for (let position = 0; position < shorter; position += 1) {
    const [left, right] = [one[position], other[position]];
    require(left?.index === right?.index &&
      left?.chain ===
        right?.chain, `two regions serve different entries at ${left?.index}/${right?.index}`);
  }
}

/** Returns how many entries repeat an earlier command. */
export function requireKept(records: readonly NoteRecord[], log: Entries): number {
  const positions = new Map<string, number[]>();
  for (const { command, index } of log) {
    if (command !== null) {
      positions.set(command, [...(positions.get(command) ?? []), index]);
    }
  }
  let repeated = 0;
  for (const record of records) {
    const at = positions.get(`key:${record.key}`) ?? [];
    requireFate(record, at, log);
    repeated += Math.max(0, at.length - 1);
  }
  return repeated;
}

function requireFate({ key, text, indexes, fate }: NoteRecord, at: number[], log: Entries): void {
  if (fate === 'absent') {
    require(at.length === 0, `${key} was refused for certain, but stands at ${at.join()}`);
  }
  if (fate !== 'acknowledged') {
    return;
  }
  const [first] = at;
  require(first !== undefined, `${key} was acknowledged and is lost`);
  require(indexes.length > 0 &&
    indexes.every(
      (index) => index === first,
    ), `${key} was acknowledged at ${indexes.join()} and stands at ${at.join()}`);
  const { reason } = (log[first - 1]?.body ?? {}) as { readonly reason?: unknown };
  require(reason === text, `${key} holds another text: ${reason}`);
}

/**
 * Each note took effect at one index at most, the acknowledged ones exactly where they were
 * acknowledged. `effects` are the sentences that were seen on the timeline, with their indexes.
 */
export function requireOneEffect(
  records: readonly NoteRecord[],
  effects: ReadonlyMap<string, ReadonlySet<number>>,
): void {
  for (const { key, text, indexes, fate } of records) {
    const seen = [...(effects.get(`operator: ${text}`) ?? [])];
    require(seen.length <= 1, `${key} took effect at ${seen.join()}`);
    require(fate !== 'absent' || seen.length === 0, `${key} took effect after a certain refusal`);
    require(fate !== 'acknowledged' ||
      seen[0] ===
        indexes[0], `${key} took effect at ${seen[0] ?? 'no entry'}, acknowledged at ${indexes.join()}`);
  }
}
