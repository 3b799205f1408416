/**
 * Path A: health checkers that poll `/v1/routing/…` of each region, and records that follow them.
 *
 * Each checker asks on its own each 10 s whether the secondary site is active, and changes its mind after so
 * many answers in a row; an endpoint is healthy while more than 18 % of its checkers say so; the secondary
 * is active while 2 of 3 endpoints are healthy; a name server answers with the SECONDARY record while it
 * knows that, and with the PRIMARY one else. No call to a control plane anywhere.
 */
import type { Random } from '../../base/clock.ts';
import type { World } from '../world.ts';
import { ASSUMED, between } from './assumptions.ts';

export interface RoutingTargets {
  readonly regions: readonly string[];
  /** Has the PRIMARY record. */
  readonly primary: string;
  /** The site that the checks ask for. */
  readonly secondary: string;
  /** Whether the region answers 200 for the site; false for any other answer and for none. */
  readonly isActive: (region: string, site: string) => boolean;
}

interface Checker {
  isHealthy: boolean;
  /** Answers in a row that contradict it. */
  contrary: number;
}

export class RoutingChecks {
  /** Called when the answer of a name server changes. */
  onServed: (server: number, site: string) => void = () => undefined;
  readonly #world: World;
  readonly #random: Random;
  readonly #targets: RoutingTargets;
  /** By region. */
  readonly #checkers = new Map<string, readonly Checker[]>();
  readonly #answers: string[];
  readonly #settledAt: number[];
  #chosen: string;

  constructor(world: World, random: Random, targets: RoutingTargets) {
    this.#world = world;
    this.#random = random;
    this.#targets = targets;
    this.#chosen = targets.primary;
    this.#answers = Array.from({ length: ASSUMED.nameServers }, () => targets.primary);
    this.#settledAt = this.#answers.map(() => 0);
    for (const region of targets.regions) {
      const checkers = Array.from({ length: ASSUMED.checkers }, () => ({
        isHealthy: false,
        contrary: 0,
      }));
      this.#checkers.set(region, checkers);
      for (const checker of checkers) {
        this.#pollFrom(checker, region);
      }
    }
  }

  /** The site whose record this name server answers with. */
  answerOf(server: number): string {
    return this.#answers[server] ?? this.#chosen;
  }

  #pollFrom(checker: Checker, region: string): void {
    const { isActive, secondary } = this.#targets;
    const poll = () => {
      // A packet that is lost never makes a yes.
      const isLost = this.#random() < ASSUMED.lossChance;
      this.#hear(checker, !isLost && isActive(region, secondary));
      // Not coordinated with any other checker, and never exactly on time.
      const pauseMs = ASSUMED.checkerIntervalMs * between(this.#random, 0.98, 1.02);
      this.#world.after(pauseMs, poll, 'checker');
    };
    this.#world.after(this.#random() * ASSUMED.checkerIntervalMs, poll, 'checker');
  }

  #hear(checker: Checker, isHealthy: boolean): void {
    checker.contrary = checker.isHealthy === isHealthy ? 0 : checker.contrary + 1;
    if (checker.contrary >= ASSUMED.pathAFailureThreshold) {
      checker.isHealthy = isHealthy;
      checker.contrary = 0;
      this.#choose();
    }
  }

  #choose(): void {
    const { primary, secondary } = this.#targets;
    const chosen = this.#isSecondaryActive() ? secondary : primary;
    if (chosen === this.#chosen) {
      return;
    }
    this.#chosen = chosen;
    const { checkPropagationMsMin, checkPropagationMsMax } = ASSUMED;
    for (const server of this.#answers.keys()) {
      const drawn =
        this.#world.now + between(this.#random, checkPropagationMsMin, checkPropagationMsMax);
      const at = Math.max(drawn, this.#settledAt[server] ?? 0);
      this.#settledAt[server] = at;
      this.#world.after(at - this.#world.now, () => this.#serve(server, chosen), 'name-server');
    }
  }

  #serve(server: number, site: string): void {
    this.#answers[server] = site;
    this.onServed(server, site);
  }

  /** Calculated: a majority of the regions' endpoints. The check of the PRIMARY record is its contrary. */
  #isSecondaryActive(): boolean {
    const { regions } = this.#targets;
    const healthy = regions.filter((region) => {
      const checkers = this.#checkers.get(region) ?? [];
      const count = checkers.filter((checker) => checker.isHealthy).length;
      return count > checkers.length * ASSUMED.healthyShare;
    });
    return healthy.length > regions.length / 2;
  }
}
