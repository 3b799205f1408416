/**
 * Fuzz of detection: every case records one beat of some life and asks everything that may be asked
 * of the window after it. What must hold is written down here once more, apart from the code: φ is a
 * number, never falls and rises where doubles can show it; deadlines keep their bounds; sums and
 * orders equal a recomputation; what is stored reads back; a beat that is no beat changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import { type ArrivalWindow, type Beat, usualPace } from '../../lib/detection/arrival-window.ts';
import { isHeard } from '../../lib/detection/boots.ts';
import { longSorted, shortSorted } from '../../lib/detection/interval-statistics.ts';
import { sumsOf } from '../../lib/detection/intervals.ts';
import type { DetectionPolicy } from '../../lib/detection/policy.ts';
import { recordArrival } from '../../lib/detection/record-arrival.ts';
import {
  phiAfter,
  type SuspicionModel,
  silenceForPhi,
  silenceLimits,
  suspicionModel,
} from '../../lib/detection/suspicion.ts';
import { decodeWindow, encodeWindow } from '../../lib/detection/window-codec.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import { beatAfter, policyOf, silenceOf } from './detection-lives.ts';

type Random = () => number;

export interface FuzzSummary {
  readonly cases: number;
  readonly lives: number;
  readonly outcomes: { readonly [kind: string]: number };
  /** The first violation, with the seed of the life it happened in; null = none. */
  readonly violation: { readonly seed: number; readonly what: string } | null;
}

const BEATS_MAX = 600;
/** The dear checks are made of one case in so many. */
const DEAR_EVERY = 32;

/** Life k has seed `seed + k`, so that the seed of a violation repeats it as the first life. */
export function fuzzDetection(cases: number, seed: number): FuzzSummary {
  const outcomes: { [kind: string]: number } = {};
  let done = 0;
  let lives = 0;
  for (; done < cases; lives += 1) {
    const life = liveOnce(seed + lives, Math.min(BEATS_MAX, cases - done), outcomes);
    done += life.beats;
    if (life.violation !== null) {
      const violation = { seed: seed + lives, what: life.violation };
      return { cases: done, lives: lives + 1, outcomes, violation };
    }
  }
  return { cases: done, lives, outcomes, violation: null };
}

interface Life {
  readonly beats: number;
  readonly violation: string | null;
}

function liveOnce(seed: number, beatsMax: number, outcomes: { [kind: string]: number }): Life {
  const random = seededRandom(seed);
  const beats = Math.min(beatsMax, Math.ceil(BEATS_MAX * random()));
  let policy = policyOf(random);
  let window: ArrivalWindow | null = null;
  for (let beat = 1; beat <= beats; beat += 1) {
    policy = random() < 0.002 ? policyOf(random) : policy;
    const arriving = beatAfter(window, policy, random);
    const outcome = recordArrival(window, arriving, policy);
    outcomes[outcome.kind] = (outcomes[outcome.kind] ?? 0) + 1;
    const next: ArrivalWindow | null = outcome.kind === 'refused' ? window : outcome.window;
    const violation: string | null =
      wrongRefusal(arriving, window, outcome.kind) ??
      violationOf(next, policy, { random, dear: beat % DEAR_EVERY === 0 });
    if (violation !== null) {
      return { beats: beat, violation };
    }
    window = next !== null && random() < 0.01 ? stored(next) : next;
  }
  return { beats, violation: null };
}

function wrongRefusal(beat: Beat, window: ArrivalWindow | null, kind: string): string | null {
  const isBeat =
    Number.isSafeInteger(beat.sequence) &&
    beat.sequence >= 0 &&
    /^[!-~]{1,64}$/.test(beat.bootId) &&
    Number.isFinite(beat.arrivedAt);
  if (isBeat !== (kind !== 'refused')) {
    return isBeat ? 'a beat was refused' : 'what is no beat was taken';
  }
  const repeated =
    isBeat &&
    window !== null &&
    isHeard(window, { bootId: beat.bootId, lastSequence: beat.sequence });
  return repeated === (kind === 'duplicate') ? null : `a beat was ${kind}, repeated: ${repeated}`;
}

interface Question {
  readonly random: Random;
  readonly dear: boolean;
}

function violationOf(
  window: ArrivalWindow | null,
  policy: DetectionPolicy,
  { random, dear }: Question,
): string | null {
  if (window === null) {
    return null;
  }
  const model = suspicionModel(window, policy);
  return (
    wrongPhi(model, silenceOf(policy, random)) ??
    wrongInverse(model, 40 * random()) ??
    wrongLimits(window, policy, model) ??
    (dear ? wrongStatistics(window, policy) : null) ??
    (dear ? wrongCopy(window, policy) : null)
  );
}

function wrongPhi(model: SuspicionModel, silentMs: number): string | null {
  const phi = phiAfter(model, silentMs);
  const step = Math.max(1, Math.abs(silentMs) * 1e-6);
  const later = Math.min(Number.MAX_VALUE, silentMs + step);
  const laterPhi = phiAfter(model, later);
  if (!(Number.isFinite(phi) && phi >= 0 && Number.isFinite(laterPhi))) {
    return `φ(${silentMs}) is ${phi}, φ(${later}) is ${laterPhi}`;
  }
  // Below one in a million φ is flat in doubles where the body is narrow.
  const rises = phi > 1e-6 && later > silentMs && silentMs >= 0 ? laterPhi > phi : laterPhi >= phi;
  return rises ? null : `φ falls or stands from ${silentMs} to ${later}: ${phi}, ${laterPhi}`;
}

/** The deadline for a φ is where φ is that much. */
function wrongInverse(model: SuspicionModel, phi: number): string | null {
  const silentMs = silenceForPhi(model, phi);
  const back = phiAfter(model, silentMs);
  const agrees = back >= phi - 1e-6 * Math.max(1, phi);
  return Number.isFinite(silentMs) && agrees ? null : `φ ${phi} at ${silentMs} ms is ${back}`;
}

function wrongLimits(
  window: ArrivalWindow,
  policy: DetectionPolicy,
  model: SuspicionModel,
): string | null {
  const { suspectMs, failMs, boundMs } = silenceLimits(window, policy, model);
  const holds =
    suspectMs >= 2.2 * policy.intervalMs &&
    failMs > suspectMs &&
    failMs <= boundMs &&
    boundMs <= Math.ceil(12 * policy.intervalMs) &&
    boundMs <= Math.ceil(policy.silenceMsMax) &&
    (window.intervals.length >= 20 || failMs === boundMs);
  return holds ? null : `limits ${suspectMs}, ${failMs}, ${boundMs} for Δ ${policy.intervalMs}`;
}

function wrongStatistics(window: ArrivalWindow, policy: DetectionPolicy): string | null {
  const quanta = window.intervals.view();
  const { sum, sumOfSquares } = window.intervals;
  const { meanMs, spreadMs } = usualPace(window, policy.intervalMs);
  const holds =
    isDeepStrictEqual({ sum, sumOfSquares }, sumsOf(quanta)) &&
    isDeepStrictEqual(longSorted(window).slice(), quanta.slice().sort()) &&
    isDeepStrictEqual(shortSorted(window).slice(), quanta.slice(-20).sort()) &&
    Number.isFinite(meanMs) &&
    spreadMs >= 0 &&
    Number.isFinite(spreadMs);
  return holds ? null : `sums or orders of ${quanta.length} intervals are not their own`;
}

function wrongCopy(window: ArrivalWindow, policy: DetectionPolicy): string | null {
  const copy = stored(window);
  const same =
    isDeepStrictEqual(encodeWindow(copy), encodeWindow(window)) &&
    isDeepStrictEqual(suspicionModel(copy, policy), suspicionModel(window, policy));
  return same ? null : 'the stored window is another';
}

function stored(window: ArrivalWindow): ArrivalWindow {
  const outcome = decodeWindow(encodeWindow(window));
  if (outcome.kind !== 'decoded') {
    throw new Error(`a window does not read back: ${outcome.code}`);
  }
  return outcome.window;
}
