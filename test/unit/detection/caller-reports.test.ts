import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import {
  callerFinding,
  type ReportSlot,
  withReport,
} from '../../../lib/detection/caller-reports.ts';
import { REPORT_LIMITS } from '../../../lib/detection/limits.ts';

const { slotMs, slotsMax, reportsMin, countMax, slotCountMax } = REPORT_LIMITS;
const T0 = 1_795_000_000_000;

interface Said {
  readonly afterMs: number;
  readonly outcome: 'ok' | 'failing';
  readonly count?: number;
  readonly accuser?: string;
}

function slotsAfter(said: readonly Said[]): readonly ReportSlot[] {
  return said.reduce<readonly ReportSlot[]>(
    (slots, { afterMs, count = 1, ...rest }) =>
      withReport(slots, { ...rest, count, receivedAt: epochMillis(T0 + afterMs) }),
    [],
  );
}

function findingAfter(said: readonly Said[], afterMs: number) {
  return callerFinding(slotsAfter(said), epochMillis(T0 + afterMs));
}

describe('callers are troubled', () => {
  const trouble: readonly Said[] = [
    { afterMs: 0, outcome: 'failing', count: reportsMin },
    { afterMs: slotMs, outcome: 'failing', count: reportsMin },
  ];

  test('when many calls fail, over more than one slot', () => {
    expect(findingAfter(trouble, slotMs)).toEqual({
      state: 'troubled',
      failing: 2 * reportsMin,
      total: 2 * reportsMin,
      detail: '20 of 20 calls failed within 70 s, in 2 slots',
    });
  });

  test.each<[string, readonly Said[]]>([
    ['one burst', [{ afterMs: 0, outcome: 'failing', count: countMax }]],
    [
      'too few reports',
      [
        { afterMs: 0, outcome: 'failing', count: reportsMin - 2 },
        { afterMs: slotMs, outcome: 'failing' },
      ],
    ],
    ['a small share', [...trouble, { afterMs: slotMs, outcome: 'ok', count: 3 * reportsMin }]],
  ])('but not by %s', (_, said) => {
    expect(findingAfter(said, slotMs)).toMatchObject({ state: 'content' });
  });

  test('until their reports are old, and then nothing is known', () => {
    expect(findingAfter(trouble, (slotsMax - 1) * slotMs)).toMatchObject({ state: 'troubled' });
    expect(findingAfter(trouble, slotsMax * slotMs)).toMatchObject({ state: 'content' });
    expect(findingAfter(trouble, (slotsMax + 1) * slotMs)).toBeNull();
  });

  test('whatever a clock that was set back left behind', () => {
    const ahead: Said = { afterMs: 3_600_000, outcome: 'ok', count: countMax };
    expect(findingAfter([ahead, ...trouble], slotMs)).toMatchObject({ state: 'troubled' });
  });
});

describe('of what other sites of the service report', () => {
  const alone: readonly Said[] = [0, 1, 2].map((slot) => ({
    ...{ afterMs: slot * slotMs, outcome: 'failing', count: countMax, accuser: 'aa' },
  }));
  const oneMore: Said = { afterMs: slotMs, outcome: 'failing' };

  test('one alone troubles nobody, by however many calls', () => {
    const finding = findingAfter(alone, 2 * slotMs);
    expect(finding).toMatchObject({ state: 'content', failing: 3 * countMax });
    const ok: Said = { ...oneMore, outcome: 'ok' };
    expect(findingAfter([...alone, ok], 2 * slotMs)).toMatchObject({ state: 'content' });
  });

  test.each([
    ['another one', { ...oneMore, accuser: 'bb' }],
    ['the site itself or the operator', oneMore],
  ])('failures count once %s reports some too', (_, said) => {
    for (const reports of [
      [...alone, said],
      [said, ...alone],
    ]) {
      expect(findingAfter(reports, 2 * slotMs)).toMatchObject({ state: 'troubled' });
    }
  });
});

test('slots stay few, ascending and without repeats, and hold every report that still counts', () => {
  const said = fc.record({
    afterMs: fc.integer({ min: -3 * slotMs, max: 20 * slotMs }),
    outcome: fc.constantFrom('ok' as const, 'failing' as const),
    count: fc.integer({ min: 1, max: countMax }),
  });
  fc.assert(
    fc.property(fc.array(said, { minLength: 1, maxLength: 60 }), (reports) => {
      const slots = slotsAfter(reports);
      const numbers = slots.map(({ slot }) => slot);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(slots.length).toBeLessThanOrEqual(slotsMax + 1);
      const last = reports.at(-1);
      const finding = findingAfter(reports, last?.afterMs ?? 0);
      expect(finding?.total).toBeGreaterThanOrEqual(last?.count ?? 0);
    }),
    { seed: 4, numRuns: 300 },
  );
});

test('a slot that is full stays full', () => {
  const many = Array.from({ length: slotCountMax / countMax + 5 }, () => ({
    ...{ afterMs: 0, outcome: 'failing' as const, count: countMax },
  }));
  expect(slotsAfter(many)).toEqual([
    { slot: Math.floor(T0 / slotMs), ok: 0, failing: slotCountMax },
  ]);
});

test.each([0, 1.5, countMax + 1, Number.NaN])('a report for %s calls is a bug', (count) => {
  expect(() => slotsAfter([{ afterMs: 0, outcome: 'ok', count }])).toThrow('report-count');
});
