/**
 * Seeded traces of the ways in which heartbeats are late in practice: loss, bursts of loss, pauses
 * of the sender, cold starts, congestion, changes of pace, heavy tails.
 *
 * A beat leaves when the sender's schedule and its pauses let it, is perhaps lost, and takes a
 * random transit. The same seed gives the same trace, bit for bit, so a figure in the documents
 * can be recomputed by anyone. None of these is fitted to a detector: shapes and sizes are those
 * of recorded networks (docs/detection.md says which).
 */
import type { Random } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { seededRandom } from '../random.ts';
import type { ArrivalSeries, ArrivalTrace } from './arrival-trace.ts';

/** What happens to one beat after the last one left. All in milliseconds. */
interface Step {
  /** Time since the last beat left; the sender's schedule and pauses. */
  readonly gapMs: number;
  readonly transitMs: number;
  readonly lost: boolean;
}

/** Called once for each beat of one series, in order. */
type Sender = (sequence: number, sentAtMs: number) => Step;

interface Recipe {
  readonly intervalMs: number;
  readonly series: number;
  readonly beats: number;
  readonly sender: (random: Random, position: number) => Sender;
}

const SECOND_MS = 1000;
const PATH_MS = 40;

/** Quiet path: 40 ms, with a spread of 2 ms. */
function quietMs(random: Random): number {
  return PATH_MS + 2 * Math.abs(gaussian(random));
}

function steady(intervalMs: number, transit: () => number, lost: () => boolean): Sender {
  return () => ({ gapMs: intervalMs, transitMs: transit(), lost: lost() });
}

const never = () => false;

function lossy(share: number): Recipe['sender'] {
  return (random) =>
    steady(
      SECOND_MS,
      () => quietMs(random),
      () => random() < share,
    );
}

/** Two states (Gilbert): no loss for 500 beats on average, then half of 5 beats on average. */
function gilbert(random: Random): Sender {
  let bad = false;
  return steady(
    SECOND_MS,
    () => quietMs(random),
    () => {
      bad = bad ? random() >= 0.2 : random() < 0.002;
      return bad && random() < 0.5;
    },
  );
}

/** A loss of 0.5 %, and one burst of 1,093 beats, the longest of the first recorded study. */
function longBurst(random: Random, position: number): Sender {
  const begin = 1500 + 137 * position;
  return (sequence) => ({
    gapMs: SECOND_MS,
    transitMs: quietMs(random),
    lost: random() < 0.005 || (sequence >= begin && sequence < begin + 1093),
  });
}

/** Every 5 minutes the sender stands still for 3 s; every 40 minutes for up to 20 s. */
function pausing(random: Random, position: number): Sender {
  let sincePauseMs = position * 37 * SECOND_MS;
  let pauses = 0;
  return () => {
    sincePauseMs += SECOND_MS;
    const pausing_ = sincePauseMs >= 300 * SECOND_MS;
    if (pausing_) {
      sincePauseMs = 0;
      pauses++;
    }
    const pauseMs = pauses % 8 === 0 ? 20 * SECOND_MS * random() : 3 * SECOND_MS;
    return {
      gapMs: SECOND_MS + (pausing_ ? pauseMs : 0),
      transitMs: quietMs(random),
      lost: false,
    };
  };
}

/** A serverless receiver: 1 % of beats wait 300 ms for a cold start, 0.05 % wait 3 s. */
function coldStarts(random: Random): Sender {
  return steady(
    SECOND_MS,
    () => {
      const chance = random();
      const coldMs = chance < 0.0005 ? 3000 : chance < 0.0105 ? 300 : 0;
      return quietMs(random) + coldMs * (1 + 0.1 * gaussian(random));
    },
    never,
  );
}

/** 1 s, without notice 3 s for 1,000 beats, then 1 s again; sent with 0.2 % loss. */
function steppingPace(random: Random, position: number): Sender {
  const begin = 1200 + 90 * position;
  return (sequence) => ({
    gapMs: sequence >= begin && sequence < begin + 1000 ? 3 * SECOND_MS : SECOND_MS,
    transitMs: quietMs(random),
    lost: random() < 0.002,
  });
}

/** One hour in three the path takes 50 % longer and spreads ten times as much. */
function congested(random: Random, position: number): Sender {
  return (_, sentAtMs) => {
    const hour = Math.floor(sentAtMs / 3_600_000 + position / 3);
    const busy = hour % 3 === 1;
    const spreadMs = busy ? 150 : 15;
    return {
      gapMs: SECOND_MS,
      transitMs: Math.max(1, PATH_MS * (busy ? 1.5 : 1) + spreadMs * Math.abs(gaussian(random))),
      lost: random() < (busy ? 0.005 : 0.0005),
    };
  };
}

/** Transit of mean `share` Δ whose logarithm is normal, with a coefficient of variation of 1. */
function lognormal(share: number): Recipe['sender'] {
  const sigma = Math.sqrt(Math.LN2);
  const scaleMs = share * SECOND_MS * Math.exp(-(sigma ** 2) / 2);
  return (random) => steady(SECOND_MS, () => scaleMs * Math.exp(sigma * gaussian(random)), never);
}

/** Heavy tail: chance to exceed x falls as x^-1.5, no variance exists. At most 30 s. */
function pareto(random: Random): Sender {
  return steady(
    SECOND_MS,
    () => Math.min(30 * SECOND_MS, PATH_MS * (1 - random()) ** (-1 / 1.5)),
    never,
  );
}

/** Path delays that jump and then hold for about seven beats, as routes do. */
function heldSteps(random: Random): Sender {
  let delayMs = PATH_MS;
  return steady(
    SECOND_MS,
    () => {
      if (random() < 1 / 7) {
        delayMs = PATH_MS * Math.exp(gaussian(random));
      }
      return delayMs;
    },
    () => random() < 0.001,
  );
}

/** Targets whose paths differ by a factor of 200: what one timeout for all cannot fit. */
function unequal(random: Random, position: number): Sender {
  const scaleMs = 5 * 200 ** ((position % 12) / 11);
  return steady(
    SECOND_MS,
    () => PATH_MS + scaleMs * Math.exp(0.8 * gaussian(random)),
    () => random() < 0.001,
  );
}

/**
 * Volunteers' machines on home lines: delays jump and hold for seven beats on average, and the size
 * of the jumps differs between paths by orders of magnitude (one in a hundred: seconds).
 */
function volunteer(random: Random): Sender {
  const medianMs = 85 * Math.exp(0.6 * gaussian(random));
  const scaleMs = 60 * Math.exp(1.3 * gaussian(random));
  let delayMs = medianMs;
  return steady(
    15 * SECOND_MS,
    () => {
      if (random() < 1 / 7) {
        delayMs = medianMs + scaleMs * Math.exp(1.2 * gaussian(random));
      }
      return delayMs;
    },
    never,
  );
}

/** Scheduling of a shared host (spread by position), rare hiccups, three hosts with one pause. */
const HOST_SPREAD_MS = [0.18, 0.3, 0.2, 0.6, 0.25, 1, 1.5, 0.2];
const HOST_PAUSE_MS: { readonly [position: number]: number } = { 3: 916, 5: 1227, 6: 966 };

function sharedHost(random: Random, position: number): Sender {
  const spreadMs = HOST_SPREAD_MS[position % HOST_SPREAD_MS.length] ?? 1;
  const pauseAt = 6000 + 731 * position;
  let lateMs = 0;
  return (sequence) => {
    const before = lateMs;
    lateMs = spreadMs * Math.abs(gaussian(random));
    if (random() < 0.001) {
      lateMs += 10 * (1 - random()) ** (-1 / 3);
    }
    const pauseMs = sequence === pauseAt ? (HOST_PAUSE_MS[position] ?? 0) : 0;
    return { gapMs: 100 + lateMs - before + pauseMs, transitMs: 0, lost: false };
  };
}

const RECIPES = {
  'loss-0.5': { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: lossy(0.005) },
  'loss-2': { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: lossy(0.02) },
  'loss-10': { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: lossy(0.1) },
  'gilbert-bursts': { intervalMs: SECOND_MS, series: 6, beats: 8000, sender: gilbert },
  'burst-of-1093': { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: longBurst },
  'gc-pauses': { intervalMs: SECOND_MS, series: 6, beats: 8000, sender: pausing },
  'cold-starts': { intervalMs: SECOND_MS, series: 6, beats: 8000, sender: coldStarts },
  'pace-steps': { intervalMs: SECOND_MS, series: 6, beats: 5000, sender: steppingPace },
  'congestion-hour': { intervalMs: SECOND_MS, series: 6, beats: 12_000, sender: congested },
  'jitter-30': { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: lognormal(0.3) },
  pareto: { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: pareto },
  'held-steps': { intervalMs: SECOND_MS, series: 6, beats: 6000, sender: heldSteps },
  'unequal-paths': { intervalMs: SECOND_MS, series: 12, beats: 4000, sender: unequal },
  'volunteer-paths': { intervalMs: 15 * SECOND_MS, series: 150, beats: 688, sender: volunteer },
  'shared-hosts': { intervalMs: 100, series: 8, beats: 16_000, sender: sharedHost },
} as const satisfies { readonly [name: string]: Recipe };

export type SyntheticTraceName = keyof typeof RECIPES;

export const SYNTHETIC_TRACES: readonly SyntheticTraceName[] = Object.keys(
  RECIPES,
) as SyntheticTraceName[];

/** The trace of that name; the same for the same seed. */
export function syntheticTrace(name: SyntheticTraceName, seed: number): ArrivalTrace {
  const recipe: Recipe = RECIPES[name];
  let transitSumMs = 0;
  const series = Array.from({ length: recipe.series }, (_, position): ArrivalSeries => {
    const random = seededRandom(seed * 1009 + position * 7919 + SYNTHETIC_TRACES.indexOf(name));
    const send = recipe.sender(random, position);
    const arrivalsMs = new Float64Array(recipe.beats);
    let sentAtMs = 0;
    for (let sequence = 0; sequence < recipe.beats; sequence++) {
      const step = send(sequence, sentAtMs);
      sentAtMs += step.gapMs;
      transitSumMs += step.transitMs;
      arrivalsMs[sequence] = step.lost ? Number.NaN : sentAtMs + step.transitMs;
    }
    return { name: `target-${position + 1}`, arrivalsMs };
  });
  invariant(series.length > 0, 'trace-without-series', { name });
  const transitMs = transitSumMs / (recipe.series * recipe.beats);
  return { name, intervalMs: recipe.intervalMs, transitMs, series };
}

/** Intervals that are independent and exactly normal: a detector's φ must then be true. */
export function normalIntervals(count: number, spreadShare: number, seed: number): ArrivalTrace {
  const random = seededRandom(seed);
  const arrivalsMs = new Float64Array(count);
  let arrivedAtMs = 0;
  for (let sequence = 0; sequence < count; sequence++) {
    arrivedAtMs += SECOND_MS * Math.max(0, 1 + spreadShare * gaussian(random));
    arrivalsMs[sequence] = arrivedAtMs;
  }
  const name = 'normal-intervals';
  return { name, intervalMs: SECOND_MS, transitMs: 0, series: [{ name, arrivalsMs }] };
}

/** Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
