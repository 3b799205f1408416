import { describe, expect, it } from 'vitest';
import {
  type Entries,
  requireContiguous,
  requireKept,
  requireOneEffect,
  requireSameLog,
} from '../../e2e/support/log-comparison.ts';
import type { NoteRecord } from '../../e2e/support/note-client.ts';

/** A log that holds these commands at 1, 2, 3, … */
function logOf(...keys: readonly (string | null)[]): Entries {
  return keys.map((key, position) => ({
    index: position + 1,
    term: 1,
    command: key === null ? null : `key:${key}`,
    basis: 0,
    body: key === null ? null : { kind: 'note', reason: `note ${key}` },
    chain: `hash ${position + 1}`,
  }));
}

function note(key: string, change: Partial<NoteRecord> = {}): NoteRecord {
  return { key, text: `note ${key}`, indexes: [1], fate: 'acknowledged', attempts: 1, ...change };
}

describe('holding the log against what clients were told', () => {
  it('accepts a log in which every acknowledged command stands where it was acknowledged', () => {
    const records = [
      note('a', { indexes: [1, 1] }),
      note('b', { indexes: [3] }),
      note('c', { fate: 'absent', indexes: [] }),
      note('d', { fate: 'unknown', indexes: [] }),
    ];
    expect(requireKept(records, logOf('a', null, 'b', 'd'))).toBe(0);
  });

  it('finds an acknowledged command that is lost', () => {
    expect(() => requireKept([note('a')], logOf('b'))).toThrow('a was acknowledged and is lost');
  });

  it('finds a command that was acknowledged at two places, or at the wrong one', () => {
    const log = logOf('a', 'a');
    expect(() => requireKept([note('a', { indexes: [1, 2] })], log)).toThrow('stands at 1,2');
    expect(() => requireKept([note('a', { indexes: [2] })], log)).toThrow('acknowledged at 2');
    expect(() => requireKept([note('a', { indexes: [] })], log)).toThrow('acknowledged at');
  });

  it('counts repeats of a command, which are harmless when every answer named the first', () => {
    expect(requireKept([note('a', { indexes: [1] })], logOf('a', 'b', 'a'))).toBe(1);
  });

  it('finds a command that was refused for certain and is there after all', () => {
    const refused = note('a', { fate: 'absent', indexes: [] });
    expect(() => requireKept([refused], logOf('a'))).toThrow('refused for certain');
  });

  it('finds another text under the same key, also one that only begins alike', () => {
    expect(() => requireKept([note('a', { text: 'note' })], logOf('a'))).toThrow('another text');
  });

  it('finds a gap, and two regions that tell different stories', () => {
    requireContiguous(logOf('a', 'b'));
    expect(() => requireContiguous(logOf('a', 'b').slice(1))).toThrow('entry 1 is missing');
    requireSameLog(logOf('a', 'b'), logOf('a'));
    const other = logOf('a', 'b').map((entry) => ({ ...entry, chain: `x${entry.chain}` }));
    expect(() => requireSameLog(logOf('a', 'b'), other)).toThrow('different entries at 1/1');
  });

  it('finds a note that took effect twice, elsewhere, or not at all', () => {
    const effects = (...indexes: number[]) => new Map([['operator: note a', new Set(indexes)]]);
    requireOneEffect([note('a')], effects(1));
    expect(() => requireOneEffect([note('a')], effects(1, 2))).toThrow('took effect at 1,2');
    expect(() => requireOneEffect([note('a')], effects(2))).toThrow('took effect at 2');
    expect(() => requireOneEffect([note('a')], new Map())).toThrow('no entry');
    const refused = note('a', { fate: 'absent', indexes: [] });
    expect(() => requireOneEffect([refused], effects(1))).toThrow('after a certain refusal');
  });
});
