/**
 * Arrivals for the tests of detection: policies, seeded chance, and a small world in which one
 * sender beats, beats get lost, and one observer evaluates every second.
 */
import { type EpochMillis, epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow, Beat, Ping } from '../../../lib/detection/arrival-window.ts';
import { NO_EVIDENCE } from '../../../lib/detection/evidence.ts';
import type { DetectionPolicy } from '../../../lib/detection/policy.ts';
import { recordArrival } from '../../../lib/detection/record-arrival.ts';
import { judge, type Verdict } from '../../../lib/detection/verdict.ts';

export const INTERVAL_MS = 1000;
export const POLICY: DetectionPolicy = {
  intervalMs: INTERVAL_MS,
  suspectPhi: 8,
  failPhi: 16,
  silenceMsMax: 12_000,
};
export const START: EpochMillis = epochMillis(1_800_000_000_000);

/** mulberry32: small, seeded, good enough to draw jitter. Numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The window after a beat that must have been accepted. */
export function accept(
  window: ArrivalWindow | null,
  beat: Beat | Ping,
  policy: DetectionPolicy = POLICY,
): ArrivalWindow {
  const outcome = recordArrival(window, beat, policy);
  if (outcome.kind === 'refused') {
    throw new Error(`refused: ${outcome.code}`);
  }
  return outcome.window;
}

export interface BeatPattern {
  readonly count: number;
  /** Interval before the k-th beat (k from 1), milliseconds. Default: Δ exactly. */
  readonly intervalMs?: (k: number) => number;
  /** Whether the k-th beat gets lost. Default: none. */
  readonly lost?: (k: number) => boolean;
  readonly bootId?: string;
  readonly policy?: DetectionPolicy;
}

/** Lets the sender of `window` (a new one if null) beat on by a pattern, sequence by sequence. */
export function beatOn(window: ArrivalWindow | null, pattern: BeatPattern): ArrivalWindow {
  const { intervalMs = () => INTERVAL_MS, lost = () => false, policy = POLICY } = pattern;
  const bootId = pattern.bootId ?? window?.bootId ?? 'boot-a';
  let current = window ?? accept(null, { bootId, sequence: 0, arrivedAt: START }, policy);
  let sequence = current.bootId === bootId ? current.lastSequence : 0;
  let at: number = current.lastArrivalAt;
  for (let k = 1; k <= pattern.count; k++) {
    at += intervalMs(k);
    sequence += 1;
    if (!lost(k)) {
      current = accept(current, { bootId, sequence, arrivedAt: epochMillis(at) }, policy);
    }
  }
  return current;
}

/** Jitter in the manner of a calm network: uniform, within ± `share` of Δ. */
export function jitter(random: () => number, share: number): () => number {
  return () => INTERVAL_MS * (1 + share * (2 * random() - 1));
}

/** Verdict of an observer that has watched for ever and does not doubt itself. */
export function judgeAt(
  window: ArrivalWindow | null,
  now: number,
  policy: DetectionPolicy = POLICY,
): Verdict {
  return judge({
    window,
    reportedStatus: 'ok',
    evidence: NO_EVIDENCE,
    now: epochMillis(now),
    baselineAt: epochMillis(0),
    doubt: null,
    policy,
  });
}

export interface Change {
  readonly at: number;
  readonly state: Verdict['state'];
}

/** Plays beats (ascending in arrival) against an evaluation each second; returns the state changes. */
export function playBack(
  beats: readonly Beat[],
  untilAt: number,
  policy: DetectionPolicy = POLICY,
): readonly Change[] {
  const changes: Change[] = [];
  let window: ArrivalWindow | null = null;
  let next = 0;
  for (let now: number = START; now <= untilAt; now += 1000) {
    for (let beat = beats[next]; beat !== undefined && beat.arrivedAt <= now; beat = beats[next]) {
      window = accept(window, beat, policy);
      next += 1;
    }
    const { state } = judgeAt(window, now, policy);
    if (state !== changes.at(-1)?.state) {
      changes.push({ at: now, state });
    }
  }
  return changes;
}

/** Beats at these offsets from the start (milliseconds), numbered from 1. */
export function beatsAt(offsetsMs: readonly number[], bootId: string = 'boot-a'): readonly Beat[] {
  return offsetsMs.map((offset, position) => ({
    bootId,
    sequence: position + 1,
    arrivedAt: epochMillis(START + offset),
  }));
}

/** Running sums of intervals: the offsets at which beats arrive. */
export function offsetsOf(intervalsMs: readonly number[]): readonly number[] {
  let at = 0;
  return intervalsMs.map((interval) => {
    at += interval;
    return at;
  });
}

/** Values of the first `count` whole numbers. */
export function repeat(count: number, intervalMs: (k: number) => number): readonly number[] {
  return Array.from({ length: count }, (_, k) => intervalMs(k));
}

/** The states that an evaluation each second goes through, until some time after the last beat. */
export function statesOf(beats: readonly Beat[], afterMs: number): readonly string[] {
  const last = beats.at(-1)?.arrivedAt ?? START;
  return playBack(beats, last + afterMs).map(({ state }) => state);
}
