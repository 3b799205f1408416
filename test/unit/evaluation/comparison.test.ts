import { beforeAll, describe, expect, it } from 'vitest';
import type { ArrivalTrace } from '../../../lib/simulation/traces/arrival-trace.ts';
import { syntheticTrace } from '../../../lib/simulation/traces/synthetic-traces.ts';
import { curveChart } from '../../evaluation/chart.ts';
import { compare, type OperatingPoint, type TraceReport } from '../../evaluation/comparison.ts';
import { decisionsOf } from '../../evaluation/decisions.ts';
import { poissonBounds } from '../../evaluation/poisson.ts';
import { RIVALS } from '../../evaluation/rivals.ts';
import { settingsFrom } from '../../evaluation/settings.ts';
import { renderReport, renderSecondBar } from '../../evaluation/table.ts';
import { secondBarOf, verdictOf } from '../../evaluation/verdict.ts';
import { compareVote } from '../../evaluation/vote.ts';

const ALL = { detectionMs: null };
let report: TraceReport;

beforeAll(() => {
  const trace = syntheticTrace('unequal-paths', 2);
  report = compare({ ...trace, series: trace.series.slice(6) }, ALL);
});

describe('a comparison', () => {
  it('names detection time, mistakes and rivals, for one point and for all', () => {
    expect(report.points.length).toBeGreaterThan(8);
    const point = report.points.find(({ detectionMs }) => detectionMs === report.detectionMs);
    expect(report.mistakes).toBe(point?.mistakes);
    expect(report.rivals).toEqual({ ...point?.rivals, bertier: report.rivals['bertier'] });
    expect(Object.keys(report.rivals)).toEqual(
      expect.arrayContaining(['fixed', 'chen', '2w', 'gauss', 'akka', 'cassandra', 'satzger']),
    );
    for (const { detectionMs, rivals } of report.points) {
      expect(rivals['fixed']?.detectionMs).toBeCloseTo(detectionMs, 6);
    }
  });

  it('finds fewer mistakes than one timeout where paths differ, by several times', () => {
    const late = report.points.find(({ detectionMs }) => detectionMs > 2000 + report.transitMs);
    expect((late?.rivals['fixed']?.low ?? 0) / (late?.mistakes ?? 0)).toBeGreaterThan(2);
    expect(report.verdict.neverWorseThanFixed).toBe(true);
  });

  it('accuses itself where it is worse than the fixed timeout beyond noise', () => {
    const worse = report.points.map((point, position) =>
      position === 3 ? { ...point, mistakes: (point.rivals['fixed']?.high ?? 0) + 1 } : point,
    );
    expect(verdictOf(worse, {})).toMatchObject({
      neverWorseThanFixed: false,
      worseThanFixedAtMs: [report.points[3]?.detectionMs],
      against: { fixed: { beyondNoise: 1 } },
    });
  });

  it('holds the points against the forms of Akka and Cassandra and 2W, each trace and all', () => {
    const changed = (change: (point: OperatingPoint) => Partial<OperatingPoint>) =>
      report.points.map((point) => ({ ...point, ...change(point) }));
    const none = { mistakes: 0, high: -1 };
    const ahead = verdictOf(
      changed(() => none),
      {},
    ).secondBar;
    const behind = verdictOf(
      changed(({ rivals }) => ({ mistakes: (rivals['2w']?.high ?? 0) + 1, high: Infinity })),
      {},
    );
    const points = report.points.length;
    expect(ahead['2w']).toMatchObject({ standing: 'ahead', fewerBeyondNoise: points });
    expect(behind.secondBar['2w']).toMatchObject({
      standing: 'behind',
      more: points,
      beyondNoise: points,
      behindAtMs: report.points.map(({ detectionMs }) => detectionMs),
    });
    const all = secondBarOf([report.verdict, behind]);
    expect(all).toMatchObject({ holds: false, rivals: { '2w': { holds: false } } });
    expect(all.rivals['2w'].more).toBe(points + report.verdict.secondBar['2w'].more);
    expect(renderSecondBar(all)).toContain('nowhere more beyond noise: no');
    expect(report.verdict.secondBar.akka.fewer).toBe(report.verdict.against['akka']?.fewer);
  });

  it('measures Bertier at its own detection time, and ours at the same', () => {
    const bertier = report.rivals['bertier'];
    expect(bertier?.tripoint?.detectionMs).toBeCloseTo(bertier?.detectionMs ?? 0, 6);
    expect(bertier?.mistakes).toBeGreaterThan(0);
    const { fewer, equal, more } = report.verdict.against['bertier'] ?? {};
    expect([fewer, equal, more].toSorted()).toEqual([0, 0, 1]);
    expect(report.points.every(({ rivals }) => rivals['bertier'] === null)).toBe(true);
  });

  it('knows how far a count can be off by chance', () => {
    expect(poissonBounds(10).low).toBeCloseTo(4.8, 1);
    expect(poissonBounds(10).high).toBeCloseTo(18.4, 1);
    expect(poissonBounds(0).low).toBe(0);
    expect(poissonBounds(0).high).toBeCloseTo(3.69, 1);
    expect(poissonBounds(1 / 3).low).toBe(0);
  });

  it('lists what ships with its bounds beside the bare formula', () => {
    const shipped = report.nominal.filter(({ setting }) => setting.includes('bounded'));
    expect(shipped.map(({ detector }) => detector)).toEqual(['tripoint', 'tripoint']);
    for (const { detectionMs, detectionMsMax, queryAccuracy } of shipped) {
      expect(detectionMs).toBeGreaterThan(2200);
      expect(detectionMsMax).toBeLessThanOrEqual(12_001 + report.transitMs);
      expect(queryAccuracy).toBeLessThanOrEqual(1);
    }
  });

  it('scales with time: a trace of 1 ms beats is judged like one of 1 s', () => {
    const slow = syntheticTrace('jitter-30', 2);
    const some = { ...slow, series: slow.series.slice(0, 1) };
    const quick: ArrivalTrace = {
      ...some,
      intervalMs: 1,
      transitMs: some.transitMs / 1000,
      series: some.series.map((one) => ({
        ...one,
        arrivalsMs: one.arrivalsMs.map((ms) => ms / 1000),
      })),
    };
    expect(compare(quick, ALL).points.map(({ mistakes }) => mistakes)).toEqual(
      compare(some, ALL).points.map(({ mistakes }) => mistakes),
    );
  });

  it('refuses a trace that ends within the warm-up, and says so', () => {
    const short = { name: 'short', arrivalsMs: Float64Array.from({ length: 50 }, (_, k) => k) };
    const trace = { name: 'short', intervalMs: 1, transitMs: 0, series: [short] };
    expect(() => compare(trace, ALL)).toThrow('no series of the trace is long enough');
  });

  it('fuses three observers of a target by the rule of production', () => {
    const one = syntheticTrace('loss-10', 4).series.slice(0, 3);
    const series = one.map((each, position) => ({
      name: `t1_o${position}`,
      arrivalsMs: each.arrivalsMs.subarray(0, 3000),
    }));
    const { vote } = compare({ name: 'vote', intervalMs: 1000, transitMs: 42, series }, ALL);
    expect(vote).toMatchObject({ targets: 1 });
    const early = vote?.points[4];
    // Losses are independent here: two of three at once are rare, and a newer beat refutes.
    expect(early?.oneObserver.mistakes).toBeGreaterThan(200);
    expect((early?.twoOfThree.mistakes ?? 0) * 2).toBeLessThan(early?.oneObserver.mistakes ?? 0);
    expect(early?.twoOfThree.wrongMs).toBeLessThan(early?.oneObserver.wrongMs ?? 0);
  });

  it('lets proof of life expire in the vote, as production does', () => {
    // Two observers hear nothing from 239 s to 300 s; the last beat that the third ever hears is newer.
    const beats = Array.from({ length: 340 }, (_, beat) => beat);
    const series = [0, 1, 2].map((observer) => ({
      name: `t1_o${observer}`,
      arrivalsMs: Float64Array.from(beats, (beat) =>
        (observer < 2 ? beat < 240 || beat >= 300 : beat < 241) ? beat * 1000 : Number.NaN,
      ),
    }));
    const decisions = decisionsOf({ name: 'cut', intervalMs: 1000, transitMs: 0, series });
    const fixed = RIVALS.fixed(decisions);
    const vote = compareVote(decisions, fixed, [{ phi: 5000 }])?.points[0]?.twoOfThree;
    // The witness heard a newer beat at 240 s, which counts for 12 s; both others return at 300 s.
    expect(vote).toMatchObject({ mistakes: 1, wrongMs: 60_000 - 12_001 });
  });
});

describe('what a comparison is shown as', () => {
  it('is a chart that depends on nothing but the figures', () => {
    const chart = curveChart({ ...report, trace: 'a < b & c' });
    expect(chart).toBe(curveChart({ ...report, trace: 'a < b & c' }));
    expect(chart).toMatch(/^<svg [^>]*viewBox="0 0 760 430"/);
    expect(chart).toContain('a &lt; b &amp; c');
    expect(chart).not.toMatch(/NaN|Infinity|undefined/);
    expect(chart.match(/<path [^>]*fill="none"/g)).toHaveLength(9);
  });

  it('is a table with the verdict below', () => {
    const table = renderReport(report);
    expect(table).toContain('never worse than a fixed timeout beyond noise: yes');
    expect(table).not.toMatch(/NaN|undefined/);
  });
});

describe('the words of the command', () => {
  it('are read with = and without', () => {
    expect(
      settingsFrom(['--trace=a.csv', '--kind', 'rtt', '--interval-ms', '15000', '--json']),
    ).toMatchObject({ file: 'a.csv', kind: 'rtt', intervalMs: 15_000, json: true });
    const asReplay = settingsFrom(['--kind', 'arrivals', '--interval', '15s']);
    expect(asReplay).toMatchObject({ kind: 'arrival', intervalMs: 15_000 });
    expect(settingsFrom(['--detection-ms', '16000,18000']).detectionMs).toEqual([16_000, 18_000]);
  });

  it.each([
    [['--what'], '--what is not known'],
    [['--trace'], '--trace needs a value'],
    [['--kind', 'ping'], '--kind is arrivals or rtt'],
    [['--interval', 'soon'], '--interval is a duration'],
    [['--interval', '0s'], 'takes positive numbers'],
    [['--interval-ms', '-1'], 'takes positive numbers'],
  ])('are refused where they are wrong: %j', (words, message) => {
    expect(() => settingsFrom(words)).toThrow(message);
  });
});
