/**
 * When each register may be written next, as far as this process knows: one write budget a region,
 * settled whenever somebody asks, and a pause after the store has throttled.
 *
 * It holds back batches of commands and their copies to followers. Votes, beats and compaction are
 * never held back: a part of what the store serves is reserved for them (`settings.ts`).
 */
import type { Clock, Random } from '../base/clock.ts';
import type { MonotonicMillis, RegionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { RegisterClient } from './register-client.ts';
import type { LogLimits } from './settings.ts';
import { writeUnits } from './size.ts';
import {
  fullBudget,
  settle,
  throttleWaitMs,
  type WriteBudget,
  type WriteBudgetPolicy,
  waitForUnitsMs,
} from './write-budget.ts';

export interface FlowControlOptions {
  readonly clients: ReadonlyMap<RegionId, RegisterClient>;
  readonly limits: LogLimits;
  readonly clock: Clock;
  readonly random: Random;
}

interface Pause {
  readonly throttledInARow: number;
  readonly until: number;
}

export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #policy: WriteBudgetPolicy;
  readonly #budgets = new Map<RegionId, WriteBudget>();
  readonly #pauses = new Map<RegionId, Pause>();

  constructor(options: FlowControlOptions) {
    const { partitionUnitsPerSecond, reservedUnitsPerSecond, burstUnits } = options.limits;
    this.#options = options;
    this.#policy = { unitsPerSecond: partitionUnitsPerSecond - reservedUnitsPerSecond, burstUnits };
  }

  /** Milliseconds until the register can take a write of an item of so many bytes; 0 = now. */
  waitMs(region: RegionId, bytes: number): number {
    const client = this.#options.clients.get(region);
    invariant(client !== undefined, 'region-not-a-member', { region });
    const spending = {
      now: this.#options.clock.monotonicNow(),
      spentUnits: client.spentUnits,
    };
    const before = this.#budgets.get(region) ?? fullBudget(this.#policy, spending);
    const budget = settle(before, this.#policy, spending);
    this.#budgets.set(region, budget);
    const budgetMs = waitForUnitsMs(budget, this.#policy, writeUnits(bytes));
    return Math.max(budgetMs, this.#pauseMs(client, spending.now));
  }

  /** Drawn once for each throttled request, not for each look. */
  #pauseMs({ region, throttledInARow }: RegisterClient, now: MonotonicMillis): number {
    const known = this.#pauses.get(region);
    if (known?.throttledInARow === throttledInARow) {
      return Math.max(0, Math.ceil(known.until - now));
    }
    const { limits, random } = this.#options;
    const pauseMs = throttledInARow === 0 ? 0 : throttleWaitMs(limits, throttledInARow, random);
    this.#pauses.set(region, { throttledInARow, until: now + pauseMs });
    return Math.ceil(pauseMs);
  }
}
