/**
 * How much may be written to one register, and how long to wait until more may.
 *
 * A DynamoDB partition serves 1,000 write units a second, and a write costs one for each KiB of the
 * whole item, so the tail's length decides how often a register can be written. Beyond that the
 * service throttles, for everybody and at a time of its choosing. So whoever would write waits here
 * first; meanwhile more commands join its batch, which costs hardly more.
 *
 * Intuition: a bucket of units that fills at a steady rate. What was spent is not drawn here but
 * found out: the register's revision counts the writes of all processes, so also what others spent
 * is known as soon as a copy is seen. That may be more than the bucket held: a debt, bounded, since
 * what lies long back is paid.
 *
 * Invariant: a process that is alone and writes only when its wait is 0 spends, over any window of
 * t seconds, at most `burstUnits + t * unitsPerSecond`, whatever its clock does.
 */
import type { Random } from '../base/clock.ts';
import type { MonotonicMillis } from '../base/identifiers.ts';

export interface WriteBudgetPolicy {
  readonly unitsPerSecond: number;
  /** What a register that was not written for a while can take at once; the largest debt, too. */
  readonly burstUnits: number;
}

export interface WriteBudget {
  /** In thousandths of a unit, from minus to plus the burst: whole numbers do not drift. */
  readonly milliUnits: number;
  /** Latest instant seen, in whole milliseconds; never moves back. */
  readonly updatedAt: number;
  /** Units spent on the register, as far as they are settled. */
  readonly settledUnits: number;
}

/** A register as one process knows it now. */
export interface Spending {
  readonly now: MonotonicMillis;
  /** Units spent on it since this process looks; only rises. */
  readonly spentUnits: number;
}

export function fullBudget(
  { burstUnits }: WriteBudgetPolicy,
  { now, spentUnits }: Spending,
): WriteBudget {
  return {
    milliUnits: burstUnits * 1000,
    updatedAt: Math.floor(now),
    settledUnits: spentUnits,
  };
}

/**
 * The budget now. What was spent meanwhile is set against what came in meanwhile, before either
 * bound counts: others spent it little by little, not at this instant.
 */
export function settle(
  budget: WriteBudget,
  { unitsPerSecond, burstUnits }: WriteBudgetPolicy,
  { now, spentUnits }: Spending,
): WriteBudget {
  const updatedAt = Math.max(budget.updatedAt, Math.floor(now));
  // Units a second are thousandths of a unit a millisecond.
  const gained = (updatedAt - budget.updatedAt) * unitsPerSecond;
  const spent = (spentUnits - budget.settledUnits) * 1000;
  const bound = burstUnits * 1000;
  const milliUnits = Math.max(-bound, Math.min(bound, budget.milliUnits + gained - spent));
  return { milliUnits, updatedAt, settledUnits: spentUnits };
}

/** Milliseconds until `units` are there; 0 = now. What is more than a burst waits for a full one. */
export function waitForUnitsMs(
  { milliUnits }: WriteBudget,
  { unitsPerSecond, burstUnits }: WriteBudgetPolicy,
  units: number,
): number {
  const missing = Math.min(units, burstUnits) * 1000 - milliUnits;
  return missing <= 0 ? 0 : Math.ceil(missing / unitsPerSecond);
}

export interface ThrottlePolicy {
  readonly throttleWaitMsMin: number;
  readonly throttleWaitMsMax: number;
}

/**
 * How long to leave a store alone that has throttled so many times in a row (1 or more): up to twice
 * as long each time, and drawn by chance, so that those it throttled do not come back together.
 */
export function throttleWaitMs(
  { throttleWaitMsMin, throttleWaitMsMax }: ThrottlePolicy,
  timesInARow: number,
  random: Random,
): number {
  const upperMs = Math.min(throttleWaitMsMax, throttleWaitMsMin * 2 ** Math.min(timesInARow, 20));
  return throttleWaitMsMin + random() * (upperMs - throttleWaitMsMin);
}
