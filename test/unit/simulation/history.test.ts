/** The form in which histories are kept, so that an independent checker can read them. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../lib/base/errors.ts';
import {
  type HistoryOperation,
  historyLine,
  parseHistory,
} from '../../../lib/simulation/history.ts';

const WRITE: HistoryOperation = {
  client: 1,
  op: { kind: 'write', key: 'k', value: 'v' },
  invoke: 123,
  complete: 456,
  outcome: 'ok',
  result: null,
};

const text = fc.string({ maxLength: 4 });

/** Any operation that may stand in a file. */
const anyOperation: fc.Arbitrary<HistoryOperation> = fc
  .record({
    client: fc.nat(),
    op: fc.oneof(
      fc.record({ kind: fc.constant('write' as const), key: text, value: text }),
      fc.record({ kind: fc.constant('read' as const), key: text }),
      fc.record({ kind: fc.constant('cas' as const), key: text, from: text, to: text }),
    ),
    invoke: fc.nat(),
    lasted: fc.nat(),
    outcome: fc.constantFrom('ok' as const, 'fail' as const, 'unknown' as const),
    seen: fc.option(text),
    didWrite: fc.boolean(),
  })
  .map(({ lasted, seen, didWrite, ...rest }) => ({
    ...rest,
    complete: rest.invoke + lasted,
    result: rest.op.kind === 'cas' ? didWrite : rest.op.kind === 'read' ? seen : null,
  }));

/** The failure that parsing this line after a good one ends in. */
function failureOf(line: object | string): AppError {
  const bad = typeof line === 'string' ? line : JSON.stringify(line);
  try {
    parseHistory(`${historyLine(WRITE)}\n${bad}\n`);
  } catch (thrown) {
    if (thrown instanceof AppError) {
      return thrown;
    }
    throw thrown;
  }
  throw new Error(`accepted: ${bad}`);
}

describe('a history on disk', () => {
  test('is one operation a line, in the agreed order of members', () => {
    expect(historyLine(WRITE)).toBe(
      '{"client":1,"op":{"kind":"write","key":"k","value":"v"},"invoke":123,"complete":456,"outcome":"ok","result":null}',
    );
  });

  test('stands in the comment of its module as it is', () => {
    const module = readFileSync('lib/simulation/history.ts', 'utf8');
    expect(module).toContain(historyLine(WRITE));
  });

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(anyOperation), (operations) => {
        expect(parseHistory(operations.map(historyLine).join('\n'))).toEqual(operations);
      }),
      { seed: 1 },
    );
  });

  test('may have empty lines, and a last line with or without its line feed', () => {
    const line = historyLine(WRITE);
    expect(parseHistory(`\n${line}\n\n${line}`)).toEqual([WRITE, WRITE]);
    expect(parseHistory('')).toEqual([]);
  });

  test('may leave out the result of what writes', () => {
    const { result: _, ...bare } = WRITE;
    expect(parseHistory(JSON.stringify(bare))).toEqual([WRITE]);
    const swap = { ...bare, op: { kind: 'cas', key: 'k', from: 'a', to: 'b' } };
    expect(parseHistory(JSON.stringify(swap))).toMatchObject([{ result: null }]);
  });
});

describe('a history that is malformed', () => {
  test.each([
    ['no JSON', '{"client":1', 'not JSON'],
    ['a list', [WRITE], 'the line must be an object'],
    ['a client that is a name', { ...WRITE, client: 'a' }, '"client" must be a whole number'],
    ['time in fractions', { ...WRITE, invoke: 1.5 }, '"invoke" must be a whole number'],
    ['no end', { ...WRITE, complete: null }, '"complete" must be a whole number'],
    ['an end before the beginning', { ...WRITE, complete: 1 }, '"complete" lies before "invoke"'],
    ['another outcome', { ...WRITE, outcome: 'info' }, '"outcome" must be'],
    ['no operation', { ...WRITE, op: null }, '"op" must be an object'],
    ['another operation', { ...WRITE, op: { kind: 'append', key: 'k' } }, '"op.kind" must be'],
    ['no key', { ...WRITE, op: { kind: 'read' } }, '"op.key" must be a string'],
    [
      'a number as value',
      { ...WRITE, op: { kind: 'write', key: 'k', value: 1 } },
      '"op.value" must be a string',
    ],
    [
      'a read without a result',
      { ...WRITE, op: { kind: 'read', key: 'k' }, result: undefined },
      '"result" of a read that is ok',
    ],
    [
      'a cas with a text as result',
      { ...WRITE, op: { kind: 'cas', key: 'k', from: 'a', to: 'b' }, result: 'b' },
      '"result" of a cas that is ok',
    ],
  ])('with %s is refused by line and field', (_, line, problem) => {
    const { code, message } = failureOf(line);
    expect(code).toBe('history-malformed');
    expect(message).toContain(`line 2 of the history: ${problem}`);
  });
});
