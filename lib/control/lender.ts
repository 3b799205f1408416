/**
 * How much of the active role of a fenced service this process lends, and to whom.
 *
 * It lends what its last confirmation vouches for. One more rule keeps an acknowledgement true: a sender
 * that has just started does not know what its predecessor acknowledged, so it is lent a role only by
 * a confirmation that began after it was first heard here. That costs a restarted site one beat.
 */
import type { Clock } from '../base/clock.ts';
import type { MonotonicMillis } from '../base/identifiers.ts';
import type { Confirmation } from './confirmation.ts';
import type { Heartbeat } from './control-plane.ts';
import { lendableMs } from './lease.ts';
import { CONTROL_LIMITS } from './limits.ts';

export interface Lending {
  readonly clock: Pick<Clock, 'monotonicNow'>;
  readonly confirmation: Pick<Confirmation, 'confirmedFrom'>;
}

type Sender = Pick<Heartbeat, 'service' | 'site' | 'bootId'>;

/** Guards its bound: a sender that is forgotten counts as new. */
export class Lender {
  readonly #lending: Lending;
  /** When each sender was first heard, least recently heard first. */
  readonly #heardAt = new Map<string, MonotonicMillis>();

  constructor(lending: Lending) {
    this.#lending = lending;
  }

  /** Call when a beat comes in, before anything is awaited. */
  hear(sender: Sender): void {
    const key = keyOf(sender);
    const heardAt = this.#heardAt.get(key) ?? this.#lending.clock.monotonicNow();
    this.#heardAt.delete(key);
    this.#heardAt.set(key, heardAt);
    const [oldest] = this.#heardAt.keys();
    if (this.#heardAt.size > CONTROL_LIMITS.cachedSitesMax && oldest !== undefined) {
      this.#heardAt.delete(oldest);
    }
  }

  /** Milliseconds that the sender may believe that it is active; 0 = nobody vouches for it. */
  lendMs(sender: Sender, intervalMs: number): number {
    const { clock, confirmation } = this.#lending;
    const from = confirmation.confirmedFrom;
    const heardAt = this.#heardAt.get(keyOf(sender));
    return from === null || heardAt === undefined || from < heardAt
      ? 0
      : lendableMs(intervalMs, clock.monotonicNow() - from);
  }
}

function keyOf({ service, site, bootId }: Sender): string {
  return `${service}/${site}/${bootId}`;
}
