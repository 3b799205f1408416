/**
 * Requests between places: regions' processes and tables, sites, the zone's control plane, clients.
 *
 *     caller ── delay, may be lost or cut ──▶ place acts ── delay, may be lost or cut ──▶ caller
 *        └── gives up after its timeout: null; the request may still arrive and act
 *
 * A way is one direction between two places, so that partitions can have any shape: one-way, partial,
 * a bridge. A place that is down takes nothing in and gives nothing out.
 */
import type { Random } from '../../base/clock.ts';
import type { Vitality } from '../vitality.ts';
import type { World } from '../world.ts';
import { ASSUMED, usualDelayMs } from './assumptions.ts';

/** Where something is: `region us-east-1`, `site us-west-2`, `route53`, `clients`. */
export interface Place {
  readonly name: string;
  /** AWS region, for the distance. */
  readonly location: string;
}

export interface Request<Answer> {
  readonly from: Place;
  readonly to: Place;
  readonly timeoutMs: number;
  /** What the place takes before it acts; default: nothing. */
  readonly takesMs?: number;
  /** Whom the answer is for; a dead one hears nothing. */
  readonly vitality: Vitality;
  /** Runs when the request arrives. Null = no answer goes back. */
  readonly act: () => Answer | Promise<Answer> | null;
}

/** What an answer of a request that nobody answered is. */
const NO_ANSWER = null;

export class Wires {
  readonly world: World;
  readonly #random: Random;
  /** `from>to`, by names; `*` on one side stands for everybody. */
  readonly cutWays = new Set<string>();
  readonly downPlaces = new Set<string>();
  /** Chance of loss of each request or answer that goes from or to this place. */
  readonly lossAt = new Map<string, number>();
  /** Delays from or to this place are this many times as long. */
  readonly slownessAt = new Map<string, number>();
  requests = 0;

  constructor(world: World, random: Random) {
    this.world = world;
    this.#random = random;
  }

  /** Whether anything gets from one place to another now. */
  isOpen(from: Place, to: Place): boolean {
    const { cutWays, downPlaces } = this;
    if (downPlaces.size > 0 && (downPlaces.has(from.name) || downPlaces.has(to.name))) {
      return false;
    }
    return (
      cutWays.size === 0 ||
      !(
        cutWays.has(`${from.name}>${to.name}`) ||
        cutWays.has(`*>${to.name}`) ||
        cutWays.has(`${from.name}>*`)
      )
    );
  }

  /** Resolves null when no answer came in time. */
  send<Answer>(request: Request<Answer>): Promise<Answer | null> {
    const { from, to, timeoutMs, vitality, takesMs = 0 } = request;
    this.requests += 1;
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer | null) => vitality.deliver(() => resolve(answer));
      const giveUp = this.world.after(timeoutMs, () => settle(NO_ANSWER), 'timeout');
      if (this.#isLost(from, to)) {
        return;
      }
      const reply = (answer: Answer | null) => {
        if (answer !== null && !this.#isLost(to, from)) {
          this.world.after(
            this.#delayMs(to, from),
            () => this.#deliver(request, answer, [giveUp, settle]),
            'reply',
          );
        }
      };
      const arrive = () => {
        if (!this.isOpen(from, to)) {
          return;
        }
        const answer = request.act();
        if (answer instanceof Promise) {
          answer.then(reply, reject);
        } else {
          reply(answer);
        }
      };
      this.world.after(this.#delayMs(from, to) + takesMs, arrive, 'request');
    });
  }

  #deliver<Answer>(
    { from, to }: Request<Answer>,
    answer: Answer,
    [giveUp, settle]: readonly [() => void, (answer: Answer) => void],
  ): void {
    if (this.isOpen(to, from)) {
      giveUp();
      settle(answer);
    }
  }

  #isLost(from: Place, to: Place): boolean {
    const base = from.location === to.location ? 0 : ASSUMED.lossChance;
    const chance = Math.max(base, this.lossAt.get(from.name) ?? 0, this.lossAt.get(to.name) ?? 0);
    return chance > 0 && this.#random() < chance;
  }

  #delayMs(from: Place, to: Place): number {
    const slowness = Math.max(
      this.slownessAt.get(from.name) ?? 1,
      this.slownessAt.get(to.name) ?? 1,
    );
    return usualDelayMs(this.#random, { from: from.location, to: to.location, slowness });
  }
}
