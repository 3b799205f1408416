/**
 * How good is the early warning? Precision and recall on recorded or made-up arrivals, beside what
 * chance would have got.
 *
 * An *event* is a suspicion at the shipping thresholds; suspicions within a horizon of one another
 * are one. A *warning* is an episode from its raising to
 * its end. An event counts as foretold if a warning stood, or ended, within the horizon before it; a
 * warning as justified if an event came between its raising and the horizon after its end. Warnings
 * that stand for hours foretell much by chance, so the control arm has as many warnings of the same
 * lengths, at random times of random series: what they get is the base rate, and only the difference
 * is the merit of the early warning.
 */
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { ArrivalWindow, Beat } from '../../lib/detection/arrival-window.ts';
import { type ForecastMemory, stepForecast } from '../../lib/detection/forecast.ts';
import { SUSPECT_INTERVALS_MIN } from '../../lib/detection/limits.ts';
import type { DetectionPolicy } from '../../lib/detection/policy.ts';
import { recordArrival } from '../../lib/detection/record-arrival.ts';
import { deadlines } from '../../lib/detection/suspicion.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import type { ArrivalSeries, ArrivalTrace } from '../../lib/simulation/traces/arrival-trace.ts';
import { freshArrivals } from '../../lib/simulation/traces/arrival-trace.ts';
import { DEGRADING_TRACES, degradingTrace } from './degrading-traces.ts';

export const HORIZON_BEATS = 40;
const CONTROL_ROUNDS = 100;

export interface PredictionResult {
  readonly trace: string;
  readonly horizonMs: number;
  readonly events: number;
  readonly warnings: number;
  /** Foretold events as a share of all; null = there was no event. */
  readonly recall: number | null;
  /** Justified warnings as a share of all; null = there was no warning. */
  readonly precision: number | null;
  /** Share of the time during which a warning stood. */
  readonly warnedShare: number;
  /** From the raising to the event it foretold, median. */
  readonly leadMs: number | null;
  /** The same warnings at random times. */
  readonly control: { readonly recall: number | null; readonly precision: number | null };
  readonly byCode: { readonly [code: string]: number };
}

interface Episode {
  readonly code: string;
  readonly from: number;
  readonly to: number;
}

interface Course {
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly events: readonly number[];
  readonly warnings: readonly Episode[];
}

/** Of each trace, and of the senders that are made to degrade, for what the early warning can do. */
export function measurePredictions(traces: readonly ArrivalTrace[]): readonly PredictionResult[] {
  const degrading = DEGRADING_TRACES.map((name) => degradingTrace(name, 1));
  return [...traces, ...degrading].map(measurePrediction);
}

export function measurePrediction(trace: ArrivalTrace): PredictionResult {
  const { intervalMs } = trace;
  const policy = { intervalMs, suspectPhi: 8, failPhi: 16, silenceMsMax: 12 * intervalMs };
  const horizonMs = HORIZON_BEATS * intervalMs;
  const courses = trace.series.map((series) => courseOf(series, policy));
  const score = scoreOf(courses, horizonMs);
  const totalMs = sum(courses.map(({ beginsAt, endsAt }) => endsAt - beginsAt));
  const warnings = courses.flatMap((course) => course.warnings);
  return {
    trace: trace.name,
    horizonMs,
    events: score.events,
    warnings: score.warnings,
    recall: shareOf(score.foretold, score.events),
    precision: shareOf(score.justified, score.warnings),
    warnedShare: totalMs === 0 ? 0 : sum(warnings.map(({ from, to }) => to - from)) / totalMs,
    leadMs: medianOf(score.leadsMs),
    control: controlOf(courses, horizonMs),
    byCode: countBy(warnings.map(({ code }) => code)),
  };
}

/** What the detector and the early warning of production make of one series. */
function courseOf(series: ArrivalSeries, policy: DetectionPolicy): Course {
  const { sequences, arrivedAtMs } = freshArrivals(series);
  const events: number[] = [];
  const changes: { readonly code: string | null; readonly at: number }[] = [];
  let known: Known | null = null;
  let lastSuspectAt = Number.NEGATIVE_INFINITY;
  for (const [position, sequence] of sequences.entries()) {
    const arrivedAt = epochMillis(arrivedAtMs[position] ?? 0);
    const before: Known | null = known;
    for (const suspectAt of suspicionBefore(before, arrivedAt, policy)) {
      const isNew = suspectAt > lastSuspectAt + HORIZON_BEATS * policy.intervalMs;
      events.push(...(isNew ? [suspectAt] : []));
      lastSuspectAt = suspectAt;
    }
    known = afterBeat(before, { bootId: 'trace', sequence, arrivedAt }, policy);
    if (known.memory.code !== (before?.memory.code ?? null)) {
      changes.push({ code: known.memory.code, at: arrivedAt });
    }
  }
  const beginsAt = arrivedAtMs[0] ?? 0;
  const endsAt = arrivedAtMs.at(-1) ?? beginsAt;
  return { beginsAt, endsAt, events, warnings: episodesOf(changes, endsAt) };
}

interface Known {
  readonly window: ArrivalWindow;
  readonly memory: ForecastMemory;
}

/** No deadline is nearer than 2.2 intervals, so most beats need no model. */
function suspicionBefore(
  known: Known | null,
  arrivedAt: number,
  policy: DetectionPolicy,
): readonly number[] {
  const silentMs = known === null ? 0 : arrivedAt - known.window.lastArrivalAt;
  if (known === null || silentMs <= SUSPECT_INTERVALS_MIN * policy.intervalMs) {
    return [];
  }
  const { suspectAt } = deadlines(known.window, policy);
  return suspectAt < arrivedAt ? [suspectAt] : [];
}

function afterBeat(known: Known | null, beat: Beat, policy: DetectionPolicy): Known {
  const before = known?.window ?? null;
  const outcome = recordArrival(before, beat, policy);
  if (outcome.kind === 'refused') {
    throw new Error(`beat refused: ${outcome.code}`);
  }
  const { window } = outcome;
  const memory = known?.memory ?? null;
  return {
    window,
    memory: stepForecast(memory, {
      before,
      window,
      replicationLagMs: null,
      hasLagObjective: false,
      policy,
    }),
  };
}

function episodesOf(
  changes: readonly { readonly code: string | null; readonly at: number }[],
  endsAt: number,
): readonly Episode[] {
  return changes.flatMap(({ code, at }, position) =>
    code === null ? [] : [{ code, from: at, to: changes[position + 1]?.at ?? endsAt }],
  );
}

function scoreOf(courses: readonly Course[], horizonMs: number) {
  let events = 0;
  let warnings = 0;
  let foretold = 0;
  let justified = 0;
  const leadsMs: number[] = [];
  for (const course of courses) {
    events += course.events.length;
    warnings += course.warnings.length;
    for (const event of course.events) {
      const warning = course.warnings.find(
        ({ from, to }) => from < event && event <= to + horizonMs,
      );
      foretold += warning === undefined ? 0 : 1;
      leadsMs.push(...(warning === undefined ? [] : [event - warning.from]));
    }
    justified += course.warnings.filter(({ from, to }) =>
      course.events.some((event) => from < event && event <= to + horizonMs),
    ).length;
  }
  return { events, warnings, foretold, justified, leadsMs };
}

/** As many warnings of the same lengths, each at a random time of a random series. */
function controlOf(courses: readonly Course[], horizonMs: number): PredictionResult['control'] {
  const random = seededRandom(20_261_123);
  const lengths = courses.flatMap(({ warnings }) => warnings.map(({ from, to }) => to - from));
  const total = { events: 0, warnings: 0, foretold: 0, justified: 0 };
  for (let round = 0; round < CONTROL_ROUNDS; round++) {
    const moved = courses.map((course) => ({ ...course, warnings: [] as Episode[] }));
    for (const lengthMs of lengths) {
      const course = moved[Math.floor(random() * moved.length)];
      const roomMs = course === undefined ? 0 : course.endsAt - course.beginsAt - lengthMs;
      const from = (course?.beginsAt ?? 0) + random() * Math.max(0, roomMs);
      course?.warnings.push({ code: 'random', from, to: from + lengthMs });
    }
    const score = scoreOf(moved, horizonMs);
    total.events += score.events;
    total.foretold += score.foretold;
    total.warnings += score.warnings;
    total.justified += score.justified;
  }
  return {
    recall: shareOf(total.foretold, total.events),
    precision: shareOf(total.justified, total.warnings),
  };
}

function shareOf(part: number, all: number): number | null {
  return all === 0 ? null : Math.round((1000 * part) / all) / 1000;
}

function medianOf(values: readonly number[]): number | null {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function countBy(names: readonly string[]): { readonly [name: string]: number } {
  return Object.fromEntries(
    [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]),
  );
}
