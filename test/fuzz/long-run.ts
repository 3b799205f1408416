/** One window that never ends: do its kept sums and orders still equal a recomputation? */
import { isDeepStrictEqual } from 'node:util';
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../lib/detection/arrival-window.ts';
import { longSorted, shortSorted } from '../../lib/detection/interval-statistics.ts';
import { sumsOf } from '../../lib/detection/intervals.ts';
import { recordArrival } from '../../lib/detection/record-arrival.ts';
import { deadlines } from '../../lib/detection/suspicion.ts';
import { seededRandom } from '../../lib/simulation/random.ts';

const POLICY = { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 };
const CHECKS = 1000;

/** Records `beats` beats, deadlines and all, and compares at 1,000 points on the way. */
export function longRun(beats: number, seed: number): { beats: number; differences: number } {
  const random = seededRandom(seed);
  const checkEvery = Math.max(1, Math.floor(beats / CHECKS));
  let window: ArrivalWindow | null = null;
  let at = 1_800_000_000_000;
  let differences = 0;
  for (let sequence = 1; sequence <= beats; sequence += 1) {
    at += random() < 0.01 ? 20_000 * random() : 500 + 1000 * random();
    const beat = { bootId: 'long-run', sequence, arrivedAt: epochMillis(at) };
    const outcome = recordArrival(window, beat, POLICY);
    if (outcome.kind === 'refused') {
      return { beats: sequence, differences: differences + 1 };
    }
    window = outcome.window;
    deadlines(window, POLICY);
    differences += sequence % checkEvery === 0 && !isExact(window) ? 1 : 0;
  }
  return { beats, differences };
}

function isExact(window: ArrivalWindow): boolean {
  const quanta = window.intervals.view();
  const { sum, sumOfSquares } = window.intervals;
  return (
    isDeepStrictEqual({ sum, sumOfSquares }, sumsOf(quanta)) &&
    isDeepStrictEqual(longSorted(window).slice(), quanta.slice().sort()) &&
    isDeepStrictEqual(shortSorted(window).slice(), quanta.slice(-20).sort())
  );
}
