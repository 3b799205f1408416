import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../../lib/base/errors.ts';
import { readRecording } from '../../../../lib/simulation/replay/read-recording.ts';

const ARRIVALS = { kind: 'arrival', intervalMs: null } as const;

function codeOf(text: string, observers: readonly string[] | null = null): string {
  try {
    readRecording(text, ARRIVALS, observers);
    return 'read';
  } catch (thrown) {
    return thrown instanceof AppError ? `${thrown.code}: ${thrown.message}` : String(thrown);
  }
}

describe('a CSV of arrivals', () => {
  test('gives one target for columns of several observers, with the row as sequence', () => {
    const { series } = readRecording('a_x,a_y\n0,5\n1000,\n2000,2005\n', ARRIVALS, null);
    expect(series.map(({ target, observer }) => [target, observer])).toEqual([
      ['a', 'x'],
      ['a', 'y'],
    ]);
    expect(series[1]?.beats).toEqual([
      { bootId: 'recorded', sequence: 0, arrivedAt: 5 },
      { bootId: 'recorded', sequence: 2, arrivedAt: 2005 },
    ]);
  });

  test('keeps plain columns as targets of their own', () => {
    const { series } = readRecording('shop,bank\n0,5\n1000,1005\n', ARRIVALS, null);
    expect(series.map(({ target }) => target)).toEqual(['shop', 'bank']);
  });

  test('leaves out observers that were not named, and refuses names that nobody has', () => {
    const text = 'a_x,a_y\n0,5\n1000,1005\n';
    expect(readRecording(text, ARRIVALS, ['y']).series).toHaveLength(1);
    expect(codeOf(text, ['z'])).toMatch(/^recording-observers-unknown/);
  });

  test('puts an overtaken beat where it arrived', () => {
    const { series } = readRecording('a\n0\n2500\n2000\n3000\n', ARRIVALS, null);
    expect(series[0]?.beats.map(({ sequence }) => sequence)).toEqual([0, 2, 1, 3]);
  });
});

describe('lines of JSON', () => {
  test('read as logged, whatever order the observers wrote them in', () => {
    const text = [
      '{"site":"a","observer":"x","sequence":1,"bootId":"b","arrivedAt":2000}',
      '{"site":"a","observer":"x","sequence":0,"bootId":"b","arrivedAt":"1970-01-01T00:00:01.000Z"}',
      '',
      '{"site":"a","service":"shop","arrivedAt":7}',
    ].join('\n');
    const { series } = readRecording(text, ARRIVALS, null);
    expect(series).toEqual([
      {
        target: 'a',
        observer: 'x',
        beats: [
          { bootId: 'b', sequence: 0, arrivedAt: 1000 },
          { bootId: 'b', sequence: 1, arrivedAt: 2000 },
        ],
      },
      {
        target: 'shop/a',
        observer: 'observer',
        beats: [{ bootId: 'recorded', sequence: 0, arrivedAt: 7 }],
      },
    ]);
  });

  test.each([
    ['{"site":"a","arrivedAt":1}\n{"site":', 'line 2 is no JSON object'],
    ['{"site":"a","arrivedAt":1}\n[]', 'line 2 is no JSON object'],
    ['{"arrivedAt":1}', 'line 1 has no name in "site"'],
    ['{"site":"a"}', 'line 1 has no instant in "arrivedAt"'],
    ['{"site":"a","arrivedAt":"soon"}', 'line 1 has no instant in "arrivedAt"'],
    ['{"site":"a","arrivedAt":1e294}', 'line 1 has no instant in "arrivedAt"'],
    ['{"site":"a","arrivedAt":1,"sequence":-1}', 'line 1 has no valid "sequence"'],
    ['{"site":"a","arrivedAt":1,"bootId":"two words"}', 'line 1 has no valid "bootId"'],
  ])('refuse %j with the line and what to write', (text, message) => {
    expect(codeOf(text)).toBe(`recording-line-malformed: the recording cannot be read: ${message}`);
  });
});

test('no text is read as anything but beats or a refusal with a hint', () => {
  const cell = fc.oneof(fc.string({ maxLength: 8 }), fc.double().map(String));
  const line = fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(','));
  const object = fc.record({ site: fc.anything(), arrivedAt: fc.anything() });
  const text = fc
    .array(
      fc.oneof(
        line,
        object.map((value) => JSON.stringify(value)),
      ),
      { maxLength: 6 },
    )
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, (content) => {
      try {
        const { series } = readRecording(content, ARRIVALS, null);
        expect(
          series.every(({ beats }) => beats.every(({ arrivedAt }) => Number.isFinite(arrivedAt))),
        ).toBe(true);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(AppError);
        expect((thrown as AppError).hint).not.toBe('');
      }
    }),
    { seed: 8, numRuns: 300 },
  );
});
