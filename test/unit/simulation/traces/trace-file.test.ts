import { describe, expect, it } from 'vitest';
import { freshArrivals } from '../../../../lib/simulation/traces/arrival-trace.ts';
import { parseTrace } from '../../../../lib/simulation/traces/trace-file.ts';

const ARRIVALS = { kind: 'arrival', intervalMs: null } as const;
const RTT = { kind: 'rtt', intervalMs: 15_000 } as const;

function seriesOf(text: string, options: Parameters<typeof parseTrace>[2] = ARRIVALS) {
  return parseTrace('file', text, options).series.map(({ name, arrivalsMs }) => ({
    name,
    arrivalsMs: [...arrivalsMs],
  }));
}

describe('a trace file', () => {
  it('is one column a series, with or without a header', () => {
    const bare = seriesOf('1000\n2000\n3000\n');
    expect(bare).toEqual([{ name: 'column-1', arrivalsMs: [1000, 2000, 3000] }]);
    expect(seriesOf('a,b\n10,11\n20,21\n')).toEqual([
      { name: 'a', arrivalsMs: [10, 20] },
      { name: 'b', arrivalsMs: [11, 21] },
    ]);
  });

  it.each([
    ['named', 'slice,a\n7,10\n9,20\n12,30\n'],
    ['unnamed in a header', ',a\n7,10\n9,20\n12,30\n'],
    ['counting by one', 'x,a\n0,10\n1,20\n2,30\n'],
    ['counting by one, without a header', '5,10\n6,20\n7,30\n'],
  ])('may have an index column, %s', (_, text) => {
    expect(seriesOf(text).map(({ arrivalsMs }) => arrivalsMs)).toEqual([[10, 20, 30]]);
  });

  it('tells a lost beat from a time, and a column may end early', () => {
    const [first, second] = seriesOf('a,b\n0,5\n,15\nNaN,*\n30\n-1,\n');
    expect(first?.arrivalsMs).toEqual([0, Number.NaN, Number.NaN, 30, Number.NaN]);
    expect(second?.arrivalsMs.slice(0, 3)).toEqual([5, 15, Number.NaN]);
  });

  it('holds round trips in seconds: beat k left at k Δ and took half of one', () => {
    const trace = parseTrace('file', 'slice,a\n1,0.4\n2,\n3,0\n4,1.2\n', RTT);
    expect([...(trace.series[0]?.arrivalsMs ?? [])]).toEqual([200, Number.NaN, Number.NaN, 45_600]);
    expect(trace.transitMs).toBeCloseTo(400, 9);
    expect(trace.intervalMs).toBe(15_000);
  });

  it('tells Δ by the median, also where beats are lost, tie or overtake', () => {
    const text = '0\n100\n\n300\n300\n500\n450\n600\n700\n800\n';
    expect(parseTrace('file', text, ARRIVALS).intervalMs).toBe(100);
  });

  it('takes times whose beats would be days apart for nanoseconds', () => {
    const rows = Array.from({ length: 50 }, (_, k) => 1_257_515_542_108_035 + k * 1e8);
    const trace = parseTrace('file', rows.join('\n'), ARRIVALS);
    expect(trace.intervalMs).toBeCloseTo(100, 6);
    expect(trace.series[0]?.arrivalsMs[1]).toBeCloseTo(1_257_515_642.108035, 3);
  });

  it('takes times after the end of time for nanoseconds, also where Δ alone does not tell', () => {
    const rows = Array.from({ length: 50 }, (_, k) => 1.257e18 + k * 1.2e7);
    const trace = parseTrace('file', rows.join('\n'), ARRIVALS);
    expect(trace.intervalMs).toBeCloseTo(12, 6);
    expect(trace.series[0]?.arrivalsMs[0]).toBe(1.257e12);
  });

  it('reads Windows lines, semicolons, quotes and a byte order mark', () => {
    expect(seriesOf('\ufeff"a";"b"\r\n"10";"11"\r\n20;21\r\n')).toEqual([
      { name: 'a', arrivalsMs: [10, 20] },
      { name: 'b', arrivalsMs: [11, 21] },
    ]);
  });

  it.each([
    ['', 'trace-empty'],
    ['a,b\n', 'trace-empty'],
    ['a\n10\nten\n', 'trace-cell-malformed'],
    ['a,b\n1,2,3\n', 'trace-row-too-long'],
    ['a\n5\n5\n5\n', 'trace-without-pace'],
    ['a\n50\n40\n30\n20\n10\n', 'trace-not-in-order'],
    ['a\n-250000\n-249000\n1000\n2000\n', 'trace-time-negative'],
    ['a\n10\n20\n-1e999\n', 'trace-time-negative'],
    ['a\n10\n20\n1e999\n', 'trace-time-too-late'],
    ['a\n10\n20\n30\n40\n1e17\n', 'trace-time-too-late'],
    ['a\n1e294\n2e294\n3e294\n', 'trace-time-too-late'],
    ['a\n0\n1e-9\n2e-9\n', 'trace-interval-invalid'],
    ['a\n0\n1e15\n2e15\n', 'trace-interval-invalid'],
  ])('is refused with a code when it is not one: %j', (text, code) => {
    expect(() => parseTrace('file', text, ARRIVALS)).toThrow(expect.objectContaining({ code }));
  });

  it.each(['1e308', '1e13', '86401'])('is refused with a round trip of %s seconds', (cell) => {
    expect(() => parseTrace('file', `a\n0.1\n${cell}\n`, RTT)).toThrow(
      expect.objectContaining({ code: 'trace-round-trip-too-long' }),
    );
  });

  it.each([1e12, 1e-6])('is refused with an interval of %d ms', (intervalMs) => {
    expect(() => parseTrace('file', 'a\n10\n20\n', { kind: 'arrival', intervalMs })).toThrow(
      expect.objectContaining({ code: 'trace-interval-invalid' }),
    );
  });

  it('needs the pace beside round trips', () => {
    expect(() => parseTrace('file', '0.1\n', { kind: 'rtt', intervalMs: null })).toThrow(
      expect.objectContaining({ code: 'trace-interval-missing' }),
    );
  });
});

describe('fresh arrivals', () => {
  it('are those that no later beat overtook; ties count', () => {
    const arrivalsMs = Float64Array.from([0, 100, 250, Number.NaN, 210, 210, 400]);
    const fresh = freshArrivals({ name: 'a', arrivalsMs });
    expect([...fresh.sequences]).toEqual([0, 1, 4, 5, 6]);
    expect([...fresh.arrivedAtMs]).toEqual([0, 100, 210, 210, 400]);
    expect(fresh.overtaken).toBe(1);
  });
});
