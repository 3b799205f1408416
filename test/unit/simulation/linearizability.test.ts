/**
 * The checker of linearizability, held against one that tries every order of a small history, and
 * against histories whose verdict is known.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistoryOperation, RegisterOperation } from '../../../lib/simulation/history.ts';
import { checkLinearizability } from '../../../lib/simulation/linearizability.ts';
import { integerBetween, seededRandom } from '../../../lib/simulation/random.ts';

type Times = readonly [invoke: number, complete: number];

let clients = 0;

function operation(
  op: RegisterOperation,
  [invoke, complete]: Times,
  rest: Partial<HistoryOperation>,
): HistoryOperation {
  clients += 1;
  return { client: clients, op, invoke, complete, outcome: 'ok', result: null, ...rest };
}

function write(value: string, times: Times, rest: Partial<HistoryOperation> = {}) {
  return operation({ kind: 'write', key: 'k', value }, times, rest);
}

function read(result: string | null, times: Times, rest: Partial<HistoryOperation> = {}) {
  return operation({ kind: 'read', key: 'k' }, times, { result, ...rest });
}

function swap(
  [from, to]: readonly [from: string, to: string],
  times: Times,
  rest: Partial<HistoryOperation> = {},
) {
  return operation({ kind: 'cas', key: 'k', from, to }, times, rest);
}

const UNKNOWN = { outcome: 'unknown' } as const;
const FAIL = { outcome: 'fail' } as const;

function verdictOn(history: readonly HistoryOperation[]): string {
  return checkLinearizability(history).kind;
}

describe('histories whose verdict is known', () => {
  test.each<[string, readonly HistoryOperation[]]>([
    ['nothing at all', []],
    ['a read before any write', [read(null, [0, 1]), write('a', [2, 3])]],
    ['a read of either value while it is written', [write('a', [0, 9]), read('a', [1, 2])]],
    ['an old value while the new one is written', [write('a', [0, 9]), read(null, [1, 2])]],
    [
      'concurrent writes that two readers see in one order',
      [
        write('a', [0, 9]),
        write('b', [0, 9]),
        read('a', [1, 2]),
        read('b', [3, 4]),
        read('b', [5, 6]),
      ],
    ],
    ['an unknown write that nobody sees', [write('a', [0, 1], UNKNOWN), read(null, [2, 3])]],
    [
      'an unknown write that takes effect long after its client gave up',
      [
        write('a', [0, 1], UNKNOWN),
        read(null, [2, 3]),
        write('b', [4, 5]),
        read('b', [6, 7]),
        read('a', [8, 9]),
      ],
    ],
    [
      'a chain of unknown swaps of which only the last is seen',
      [
        write('a', [0, 1]),
        swap(['a', 'b'], [2, 3], UNKNOWN),
        swap(['b', 'c'], [2, 3], UNKNOWN),
        read('c', [4, 5]),
      ],
    ],
    ['a failed write', [write('a', [0, 1], FAIL), read(null, [2, 3])]],
    ['a failed read, whatever it says', [read('zzz', [0, 1], FAIL)]],
    [
      'a swap that found another value',
      [write('a', [0, 1]), swap(['b', 'c'], [2, 3], { result: false })],
    ],
    [
      'a swap that failed beside an unseen unknown write that explains it',
      [
        write('a', [0, 1]),
        write('b', [2, 3], UNKNOWN),
        swap(['a', 'c'], [4, 5], { result: false }),
      ],
    ],
    ['call and answer at one instant', [write('a', [0, 5]), read(null, [5, 6])]],
    [
      'the same value written twice',
      [write('a', [0, 1]), write('b', [2, 3]), write('a', [4, 5], UNKNOWN), read('a', [6, 7])],
    ],
  ])('%s is explained', (_, history) => {
    expect(verdictOn(history)).toBe('ok');
  });

  test.each<[string, readonly HistoryOperation[]]>([
    ['a stale read', [write('a', [0, 1]), write('b', [2, 3]), read('a', [4, 5])]],
    ['a value that nobody wrote', [write('a', [0, 1]), read('b', [2, 3])]],
    ['a value before it was asked for', [read('a', [0, 1]), write('a', [2, 3])]],
    ['a value before it was asked for in vain', [read('a', [0, 1]), write('a', [2, 3], UNKNOWN)]],
    ['a lost write', [write('a', [0, 1]), read(null, [2, 3])]],
    ['a failed write that is seen', [write('a', [0, 1], FAIL), read('a', [2, 3])]],
    [
      'a new value and then the old one, while it is written',
      [write('a', [0, 9]), read('a', [1, 2]), read(null, [3, 4])],
    ],
    [
      'an unknown write that takes effect twice',
      [write('a', [0, 1], UNKNOWN), read('a', [2, 3]), write('b', [4, 5]), read('a', [6, 7])],
    ],
    [
      'concurrent writes that two readers see in two orders',
      [
        write('a', [0, 9]),
        write('b', [0, 9]),
        read('a', [1, 2]),
        read('b', [3, 4]),
        read('a', [5, 6]),
      ],
    ],
    ['a swap from a value that is not there', [write('a', [0, 1]), swap(['b', 'c'], [2, 3])]],
    [
      'an unseen write with no room between a value, its swap and the read of that',
      [write('a', [0, 1]), write('x', [2, 3]), swap(['a', 'b'], [2, 9]), read('b', [10, 11])],
    ],
    [
      'two swaps from one value',
      [write('a', [0, 1]), swap(['a', 'b'], [2, 9]), swap(['a', 'c'], [2, 9])],
    ],
    [
      'a swap that did not find what was there all the time',
      [write('a', [0, 1]), swap(['a', 'b'], [2, 3], { result: false })],
    ],
  ])('%s is illegal', (_, history) => {
    expect(verdictOn(history)).toBe('illegal');
  });

  test('registers with different keys know nothing of each other', () => {
    const other = operation({ kind: 'read', key: 'other' }, [2, 3], { result: null });
    expect(checkLinearizability([write('a', [0, 1]), other])).toMatchObject({
      kind: 'ok',
      keys: 2,
    });
    const wrong = operation({ kind: 'read', key: 'other' }, [2, 3], { result: 'a' });
    expect(checkLinearizability([write('a', [0, 1]), wrong])).toMatchObject({ key: 'other' });
  });

  test('an illegal history is explained by the first answer that nobody can explain', () => {
    const stale = read('a', [40, 50]);
    const history = [
      read('zzz', [90, 99]),
      write('a', [0, 10]),
      write('b', [20, 30]),
      stale,
      read('b', [60, 70]),
    ];
    const violation = checkLinearizability(history);
    expect(violation).toMatchObject({ key: 'k', stuck: stale, answered: 3, holds: 'b' });
    expect(violation).toMatchObject({ before: [{ complete: 10 }, { complete: 30 }] });
    expect(violation).toHaveProperty('sentence', expect.stringContaining('read "a" between 40'));
  });
});

/** Tries every order of every choice of the unknown operations. */
function isLinearizable(history: readonly HistoryOperation[]): boolean {
  const candidates = history.filter(
    ({ op, outcome }) => outcome === 'ok' || (outcome === 'unknown' && op.kind !== 'read'),
  );
  const place = (left: readonly HistoryOperation[], value: string | null): boolean =>
    left.every(({ outcome }) => outcome === 'unknown') ||
    left.some((next) => {
      const others = left.filter((other) => other !== next);
      const comesTooEarly = others.some(
        ({ outcome, complete }) => outcome === 'ok' && complete < next.invoke,
      );
      const after = comesTooEarly ? undefined : effectOf(next, value);
      return after !== undefined && place(others, after);
    });
  return place(candidates, null);
}

/** What the register holds afterwards; undefined = it could not have answered so. */
function effectOf(
  { op, result, outcome }: HistoryOperation,
  value: string | null,
): string | null | undefined {
  switch (op.kind) {
    case 'write':
      return op.value;
    case 'read':
      return result === value ? value : undefined;
    case 'cas': {
      const didMiss = outcome === 'ok' && result === false;
      const isThere = op.from === value;
      return didMiss === isThere ? undefined : isThere ? op.to : value;
    }
  }
}

/** Histories of at most seven operations that are as often right as wrong. */
function smallHistory(values: readonly string[]): fc.Arbitrary<readonly HistoryOperation[]> {
  const value = fc.constantFrom(...values);
  const times = fc
    .tuple(fc.nat({ max: 20 }), fc.nat({ max: 6 }))
    .map(([invoke, lasted]): Times => [invoke, invoke + lasted]);
  const outcome = fc.constantFrom('ok' as const, 'ok' as const, 'unknown' as const);
  const rest = fc.record({ outcome });
  return fc.array(
    fc.oneof(
      fc.tuple(value, times, rest).map((args) => write(...args)),
      fc.tuple(fc.option(value), times, rest).map((args) => read(...args)),
      fc
        .tuple(value, value, times, rest, fc.boolean())
        .map(([from, to, when, known, result]) => swap([from, to], when, { ...known, result })),
    ),
    { minLength: 2, maxLength: 7 },
  );
}

describe('the checker and one that tries every order', () => {
  test.each([
    ['few values', ['a', 'b'], 3000],
    ['many values', ['a', 'b', 'c', 'd', 'e', 'f'], 3000],
  ])('agree on small histories of %s', (_, values, numRuns) => {
    const verdicts = { ok: 0, illegal: 0, unknown: 0 };
    fc.assert(
      fc.property(smallHistory(values), (history) => {
        const { kind } = checkLinearizability(history);
        verdicts[kind] += 1;
        expect(kind).toBe(isLinearizable(history) ? 'ok' : 'illegal');
      }),
      { numRuns, seed: 7 },
    );
    expect(verdicts.ok).toBeGreaterThan(numRuns / 10);
    expect(verdicts.illegal).toBeGreaterThan(numRuns / 10);
  });
});

interface Shape {
  readonly operations: number;
  readonly clients: number;
  readonly unknownChance: number;
}

/** What clients of a real register would record: each operation takes effect somewhere within. */
function lifeOf(seed: number, shape: Shape): readonly HistoryOperation[] {
  const random = seededRandom(seed);
  const calls = Array.from({ length: shape.clients }, (_, client) => {
    let now = integerBetween(random, 0, 100);
    return Array.from({ length: shape.operations / shape.clients }, () => {
      const invoke = now;
      const effect = invoke + integerBetween(random, 1, 1000);
      const complete = effect + integerBetween(random, 1, 1000);
      now = complete + integerBetween(random, 1, 200);
      return { client, invoke, effect, complete };
    });
  }).flat();
  let value: string | null = null;
  return calls
    .toSorted((left, right) => left.effect - right.effect)
    .map(({ client, invoke, complete }, position) => {
      const op = anyOperation(random, { value, next: `v${position}` });
      const isUnknown = op.kind !== 'read' && random() < shape.unknownChance;
      const isThere = op.kind !== 'cas' || op.from === value;
      const result = op.kind === 'read' ? value : null;
      const takesEffect = isThere && (!isUnknown || random() < 0.5);
      value = takesEffect && op.kind !== 'read' ? writtenBy(op) : value;
      const outcome = isUnknown ? 'unknown' : isThere ? 'ok' : 'fail';
      return { client, op, invoke, complete, outcome, result };
    });
}

function anyOperation(
  random: () => number,
  { value, next }: { readonly value: string | null; readonly next: string },
): RegisterOperation {
  const dice = random();
  if (dice < 0.4) {
    return { kind: 'write', key: 'k', value: next };
  }
  const from = random() < 0.7 ? (value ?? 'none') : 'none';
  return dice < 0.75 ? { kind: 'read', key: 'k' } : { kind: 'cas', key: 'k', from, to: next };
}

function writtenBy(op: Exclude<RegisterOperation, { kind: 'read' }>): string {
  return op.kind === 'write' ? op.value : op.to;
}

/** The history with one read changed to a value that was overwritten long before. */
function withStaleRead(history: readonly HistoryOperation[], seed: number) {
  const random = seededRandom(seed);
  const reads = history.filter(({ op, result }) => op.kind === 'read' && result !== null);
  const spoilt = reads[integerBetween(random, reads.length >> 1, reads.length - 1)];
  const old = reads[integerBetween(random, 0, reads.length >> 2)];
  return history.map((one) => (one === spoilt ? { ...one, result: old?.result ?? null } : one));
}

const LIFE: Shape = { operations: 400, clients: 8, unknownChance: 0.1 };

describe('what clients of a real register record', () => {
  const seeds = Array.from({ length: 25 }, (_, position) => position + 1);

  test('is explained, however many answers never came', () => {
    for (const seed of seeds) {
      expect(verdictOn(lifeOf(seed, LIFE))).toBe('ok');
    }
  });

  test('is illegal with one stale read in it', () => {
    for (const seed of seeds) {
      expect(verdictOn(withStaleRead(lifeOf(seed, LIFE), seed))).toBe('illegal');
    }
  });

  test('is illegal when a write that was seen is said to have failed', () => {
    for (const seed of seeds) {
      const history = lifeOf(seed, LIFE);
      const seen = new Set(history.map(({ result }) => result));
      const victim = history.find(({ op }) => op.kind === 'write' && seen.has(op.value));
      const denied = history.map((one) =>
        one === victim ? { ...one, outcome: 'fail' as const } : one,
      );
      expect(verdictOn(denied)).toBe('illegal');
    }
  });

  // Time of this thread, so that whatever else the machine does is not counted.
  test('is judged within a second for ten thousand operations on one key, and right or wrong', () => {
    const history = lifeOf(1, { operations: 10_000, clients: 10, unknownChance: 0.05 });
    const before = process.threadCpuUsage();
    expect(verdictOn(history)).toBe('ok');
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1000);
    expect(verdictOn(withStaleRead(history, 1))).toBe('illegal');
  });
});

describe('a search that is too long', () => {
  test('ends as unknown within its steps', () => {
    // Values that repeat, and answers that never came: nothing tells the orders apart.
    const history = Array.from({ length: 600 }, (_, position) =>
      position % 3 === 0
        ? read(`v${position % 4}`, [position, position + 40])
        : write(`v${position % 5}`, [position, position + 40], position % 2 === 0 ? UNKNOWN : {}),
    );
    const spoilt = [...history, read('never', [700, 701])];
    const verdict = checkLinearizability(spoilt, { stepsMax: 20_000 });
    expect(verdict).toMatchObject({ kind: 'unknown', unjudged: ['k'] });
    expect(verdict.steps).toBeLessThan(25_000);
  });

  test('does not hide another key that is illegal', () => {
    const good = lifeOf(1, LIFE);
    const bad = operation({ kind: 'read', key: 'z' }, [0, 1], { result: 'never written' });
    expect(checkLinearizability(good, { stepsMax: 10 }).kind).toBe('unknown');
    expect(checkLinearizability([...good, bad], { stepsMax: 10 })).toMatchObject({
      kind: 'illegal',
      key: 'z',
    });
  });
});
