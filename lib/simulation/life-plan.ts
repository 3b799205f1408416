/**
 * What one life is like, before anything happens in it: its seed decides.
 *
 * Lives differ on purpose. Most are short and brutal, because most bugs need a few bad moments and
 * not many hours; a few are long, because some need a log that was compacted again and again. A
 * generator with one size for all would find the bugs of that size (swarm testing).
 */
import type { Random } from '../base/clock.ts';
import { integerBetween } from './random.ts';

export interface LifePlan {
  /** 3 or 5; with five a majority is not just "one more". */
  readonly memberCount: number;
  /** How long things go wrong. */
  readonly faultyMs: number;
  /** Between two faults, at most. */
  readonly faultPauseMs: number;
  /** How long one fault lasts, at most. */
  readonly faultMs: number;
  /** How late a late request is, at most: also after all has healed. */
  readonly lateMsMax: number;
  readonly clientsPerController: number;
  /** Between two requests of one client, at most. */
  readonly clientPauseMs: number;
  /** Few keys make operations meet. */
  readonly keys: number;
  /** How many commands are large: with many of them the wall is near. */
  readonly paddedChance: number;
}

export function planLife(random: Random): LifePlan {
  const faultyMs = faultyMsOf(random);
  return {
    memberCount: random() < 0.25 ? 5 : 3,
    faultyMs,
    faultPauseMs: between(random, 60, 500),
    faultMs: between(random, 100, Math.min(2500, faultyMs)),
    lateMsMax: between(random, 100, Math.min(3000, faultyMs)),
    clientsPerController: integerBetween(random, 1, 3),
    // With much to do something is always under way; with little, what is late still finds its place.
    clientPauseMs: random() < 0.8 ? between(random, 5, 40) : between(random, 60, 250),
    keys: integerBetween(random, 1, 4),
    paddedChance: random() < 0.75 ? 0.05 : 0.6,
  };
}

function faultyMsOf(random: Random): number {
  const dice = random();
  if (dice < 0.7) {
    return between(random, 400, 1000);
  }
  return dice < 0.97 ? between(random, 1000, 2200) : between(random, 4000, 8000);
}

function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}
