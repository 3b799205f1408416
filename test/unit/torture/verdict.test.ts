/** What a torture run holds against the journals of its replicas: each promise, broken once. */
import { describe, expect, test } from 'vitest';
import type { HistoryOperation } from '../../../lib/simulation/history.ts';
import { type JournalEntry, wholeLines } from '../../torture/entry-journal.ts';
import { type RecordedOperation, recordedOperations } from '../../torture/operation-journal.ts';
import { violationsIn } from '../../torture/verdict.ts';

/** Entries 1, 2, 3, … of these commands, each with its effect. */
function journalOf(...ids: readonly (string | null)[]): readonly JournalEntry[] {
  return ids.map((id, position) => ({
    index: position + 1,
    term: 1,
    chain: `chain ${position + 1}`,
    id,
    tookEffect: id !== null,
  }));
}

function told(
  id: string,
  index: number | null,
  outcome: HistoryOperation['outcome'] = 'ok',
): RecordedOperation {
  const op = { kind: 'write', key: 'k', value: id } as const;
  return { client: 1, op, invoke: 0, complete: 1, outcome, result: null, id, index };
}

const LOG = journalOf(null, 'a', 'b');

describe('the verdict on a torture run', () => {
  test('has nothing to say about a log that keeps all promises', () => {
    const operations = [
      told('a', 2),
      told('b', 3),
      told('lost', null, 'unknown'),
      told('refused', null, 'fail'),
    ];
    expect(violationsIn([LOG, LOG.slice(1), LOG.slice(0, 1)], operations)).toEqual([]);
  });

  test('knows that a second copy of a command is no second effect', () => {
    const [first, second, third] = LOG;
    const copy = { ...third, index: 4, chain: 'chain 4', tookEffect: false };
    const log = [first, second, third, copy].filter((entry) => entry !== undefined);
    expect(violationsIn([log as readonly JournalEntry[]], [told('b', 3)])).toEqual([]);
  });

  test.each<[string, Partial<JournalEntry>]>([
    ['another command', { id: 'c' }],
    ['another chain', { chain: 'forked' }],
    ['another term', { term: 2 }],
    ['no effect', { tookEffect: false }],
  ])('finds two replicas of which one has %s at an index', (_, change) => {
    const other = LOG.map((entry) => (entry.index === 3 ? { ...entry, ...change } : entry));
    expect(violationsIn([LOG, other], [])).toEqual([
      expect.stringContaining('replicas applied different entries at 3'),
    ]);
  });

  test('finds an entry that nobody applied', () => {
    expect(violationsIn([LOG.filter(({ index }) => index !== 2)], [])).toEqual([
      'nobody applied 1 entries below 3, the first at 2',
    ]);
  });

  test('finds a command that took effect twice', () => {
    expect(violationsIn([journalOf('a', 'b', 'a')], [])).toEqual(['a took effect at 1, 3']);
  });

  test.each([
    ['lost', told('gone', 4)],
    ['acknowledged at another place', told('a', 3)],
  ])('finds an acknowledged write that is %s', (_, operation) => {
    const sentence = `${operation.id} was acknowledged at ${operation.index}, where it did not take effect`;
    expect(violationsIn([LOG], [operation])).toEqual([sentence]);
  });

  test('finds a rejected write that is in the log', () => {
    expect(violationsIn([LOG], [told('a', null, 'fail')])).toEqual([
      'a was rejected and is in the log',
    ]);
  });
});

describe('the journals of processes that were killed', () => {
  const begin = { kind: 'begin', client: 1, op: { kind: 'read', key: 'k' } };
  const lines = [
    { ...begin, id: '1-1', at: 10 },
    { kind: 'end', id: '1-1', at: 20, outcome: 'ok', result: 'v', index: null },
    { ...begin, id: '1-2', at: 30 },
  ].map((line) => `${JSON.stringify(line)}\n`);

  test('make an operation without an end an unknown one', () => {
    expect(recordedOperations(lines.join(''), 99)).toMatchObject([
      { id: '1-1', invoke: 10, complete: 20, outcome: 'ok', result: 'v' },
      { id: '1-2', invoke: 30, complete: 99, outcome: 'unknown', result: null },
    ]);
  });

  test('may end in half a line', () => {
    expect(wholeLines('{"index":1}\n{"ind')).toEqual([{ index: 1 }]);
    expect(wholeLines('{"ind')).toEqual([]);
  });
});
