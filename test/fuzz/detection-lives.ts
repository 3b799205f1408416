/**
 * Lives of one site for the fuzz of detection: a policy, and beats that are mostly ordinary and
 * sometimes anything a network, a clock, a sender or an attacker can make of them.
 */
import type { EpochMillis } from '../../lib/base/identifiers.ts';
import type { ArrivalWindow, Beat } from '../../lib/detection/arrival-window.ts';
import type { DetectionPolicy } from '../../lib/detection/policy.ts';

type Random = () => number;

/** Instants and durations that have broken arithmetic before. */
const ABSURD: readonly number[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  -0,
  0,
  -1,
  0.5,
  65_535,
  65_536,
];

const BAD_BOOT_IDS: readonly string[] = ['', 'x'.repeat(65), 'a b', 'ä', 'tab\t', '\u0000', '😀'];

/** A policy that lib/config would let pass: Δ from 100 ms to a day, whole or not. */
export function policyOf(random: Random): DetectionPolicy {
  const exact = 100 * 864_000 ** random();
  const intervalMs = random() < 0.8 ? Math.round(exact) : exact;
  const suspectPhi = random() < 0.5 ? 8 : 0.5 + 20 * random();
  return {
    intervalMs,
    suspectPhi,
    failPhi: suspectPhi + (random() < 0.5 ? 8 : 0.01 + 30 * random()),
    silenceMsMax: intervalMs * (random() < 0.5 ? 12 : 4 + 40 * random()),
  };
}

/** The next beat of a life. Before the first one that counts, `window` is null. */
export function beatAfter(
  window: ArrivalWindow | null,
  { intervalMs }: DetectionPolicy,
  random: Random,
): Beat {
  const lastAt = window?.lastArrivalAt ?? 1_800_000_000_000;
  const arrivedAt = random() < 0.004 ? absurd(random) : lastAt + gapOf(intervalMs, random);
  return {
    bootId: bootIdOf(window, random),
    sequence: sequenceOf(window?.lastSequence ?? 0, random),
    // Not by epochMillis, which would refuse what recordArrival has to refuse.
    arrivedAt: arrivedAt as EpochMillis,
  };
}

/** A silence to ask about: around the deadlines, or absurd but a number. */
export function silenceOf({ intervalMs }: DetectionPolicy, random: Random): number {
  if (random() < 0.05) {
    const value = absurd(random);
    return Number.isFinite(value) ? value : intervalMs;
  }
  return 14 * intervalMs * random() ** 2;
}

function bootIdOf(window: ArrivalWindow | null, random: Random): string {
  const chance = random();
  if (window === null || chance < 0.005) {
    return `boot-${Math.floor(random() * 1e6)}`;
  }
  if (chance < 0.01) {
    return `boot-${Math.floor(random() * 5)}`;
  }
  return chance < 0.013 ? pick(BAD_BOOT_IDS, random) : window.bootId;
}

function sequenceOf(last: number, random: Random): number {
  const chance = random();
  if (chance < 0.9) {
    return last + 1;
  }
  if (chance < 0.96) {
    return last + Math.floor(2 + 30 * random() ** 4);
  }
  if (chance < 0.99) {
    return Math.max(0, last - Math.floor(5 * random()));
  }
  return chance < 0.996 ? Math.floor(last * random()) : absurd(random);
}

function gapOf(intervalMs: number, random: Random): number {
  const chance = random();
  if (chance < 0.85) {
    return intervalMs * (0.8 + 0.4 * random());
  }
  if (chance < 0.9) {
    return intervalMs * 0.2 * random();
  }
  if (chance < 0.97) {
    return intervalMs * 15 * random();
  }
  if (chance < 0.985) {
    return intervalMs * 10 ** (8 * random());
  }
  return -intervalMs * 10 ** (6 * random() - 2);
}

function absurd(random: Random): number {
  return pick(ABSURD, random);
}

function pick<Value>(values: readonly [Value, ...Value[]] | readonly Value[], random: Random) {
  return values[Math.floor(random() * values.length)] as Value;
}
