/**
 * Since when this process knows that nothing newer was committed: what the active role of a fenced
 * service is lent by.
 *
 * A region that follows the log by its own register, or hears a leader's beat, has no such proof: both
 * may be from before a cut. Only a read of a majority has (`LogHost.confirmLeadership`), and it
 * vouches for the instant at which it *began*. Nothing is read while no service asks for it.
 */
import type { Clock } from '../base/clock.ts';
import type { MonotonicMillis } from '../base/identifiers.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { confirmEveryMs } from './lease.ts';
import { CONTROL_TIMINGS } from './limits.ts';

export interface ConfirmationOptions {
  /** True: all that was committed before the call is applied. */
  readonly confirm: () => Promise<boolean>;
  readonly state: () => RecoveryState;
  readonly clock: Pick<Clock, 'monotonicNow'>;
}

/** Guards the newest proof, and that one read is under way at a time. */
export class Confirmation {
  readonly #options: ConfirmationOptions;
  #confirmedFrom: MonotonicMillis | null = null;
  #underWay: Promise<void> | null = null;

  constructor(options: ConfirmationOptions) {
    this.#options = options;
  }

  /** When the newest read that succeeded began; null = none did. */
  get confirmedFrom(): MonotonicMillis | null {
    return this.#confirmedFrom;
  }

  /** Time between two reads, or until it is worth asking again whether one is needed. */
  pauseMs(): number {
    return this.#periodMs() ?? CONTROL_TIMINGS.tickMs;
  }

  /** null = no service asks for one. */
  #periodMs(): number | null {
    const intervals = Object.values(this.#options.state().services)
      .filter(({ policy }) => policy.fencing === 'lease')
      .map(({ policy }) => policy.detection.intervalMs);
    return intervals.length === 0 ? null : confirmEveryMs(Math.min(...intervals));
  }

  /** Reads, unless nobody asks for it or a read is under way: then waits for that one. */
  async renew(): Promise<void> {
    if (this.#underWay === null && this.#periodMs() !== null) {
      this.#underWay = this.#read().finally(() => {
        this.#underWay = null;
      });
    }
    await this.#underWay;
  }

  async #read(): Promise<void> {
    const startedAt = this.#options.clock.monotonicNow();
    if (await this.#options.confirm()) {
      this.#confirmedFrom = startedAt;
    }
  }
}
