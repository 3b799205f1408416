/** The second reading of the log, on logs made by hand. */
import { describe, expect, test } from 'vitest';
import { type CommandId, commandId, logIndex, term } from '../../../lib/base/identifiers.ts';
import type { Entry } from '../../../lib/consensus/server.ts';
import { CommandOracle } from '../../../lib/simulation/command-oracle.ts';

const WINDOW_ENTRIES = 5;
const X = commandId('x');

function entryOf(index: number, id: CommandId, basis: number): Entry {
  const body = { kind: 'write', key: 'k', value: `${id}@${index}` };
  return {
    index: logIndex(index),
    term: term(1),
    command: { id, basis: logIndex(basis), body },
  };
}

describe('a command', () => {
  test('takes effect at its first place, and at no other within the window', () => {
    const oracle = new CommandOracle(WINDOW_ENTRIES);
    oracle.apply(entryOf(1, X, 0));
    expect(oracle.apply(entryOf(6, X, 2))).toEqual({ count: 1, values: { k: 'x@1' } });
  });

  test('that comes too long after its basis takes none', () => {
    const oracle = new CommandOracle(WINDOW_ENTRIES);
    expect(oracle.apply(entryOf(6, X, 0))).toEqual({ count: 0, values: {} });
    expect(oracle.expired).toBe(1);
  });

  test('whose second copy takes effect breaks the promise, unless it is another call', () => {
    const oracle = new CommandOracle(WINDOW_ENTRIES);
    oracle.apply(entryOf(1, X, 0));
    expect(() => oracle.apply(entryOf(7, X, 3))).toThrow('command-effective-twice');
    const another = new CommandOracle(WINDOW_ENTRIES);
    another.apply(entryOf(1, X, 0));
    another.calledAgain(X);
    expect(another.apply(entryOf(7, X, 3)).count).toBe(2);
    expect(another.isOverrun(X)).toBe(true);
  });
});

test('what was let go of is forgotten, also behind an id that was remembered anew', () => {
  const oracle = new CommandOracle(WINDOW_ENTRIES);
  oracle.apply(entryOf(1, X, 0));
  oracle.apply(entryOf(2, commandId('y'), 1));
  oracle.calledAgain(X);
  oracle.apply(entryOf(9, X, 8));
  oracle.forgetBelow(5);
  // Were `y` still known, this would be its second effect.
  expect(() => oracle.apply(entryOf(10, commandId('y'), 9))).not.toThrow();
});
