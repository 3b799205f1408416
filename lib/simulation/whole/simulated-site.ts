/**
 * A site and the agent beside it: it beats to every region over the wires, believes its role by the
 * production rules of the lease, and answers clients while it can and may.
 *
 * The clock of its machine runs at a rate of its own, and everything of the lease is counted on it, as
 * in the agent. A site is *gray* when it beats and does not serve. With `isGated` it serves only
 * while it believes to be active, as a site with a demote hook does; else whoever reaches it is served.
 */
import { type Belief, isFenced, NO_BELIEF, renewed, roleAt } from '../../agent/lease.ts';
import { JITTER_FRACTION } from '../../agent/limits.ts';
import type { SiteRole } from '../../agent/role.ts';
import type { Random } from '../../base/clock.ts';
import { epochMillis, type MonotonicMillis } from '../../base/identifiers.ts';
import type { Heartbeat, IngestOutcome } from '../../control/control-plane.ts';
import { type ClockFault, ProcessClock } from '../process-clock.ts';
import { Vitality } from '../vitality.ts';
import type { World } from '../world.ts';
import { ASSUMED, usualDelayMs } from './assumptions.ts';
import type { Place, Wires } from './wires.ts';

export interface BeatTarget {
  readonly place: Place;
  /** Null = nobody there. */
  readonly ingest: (beat: Omit<Heartbeat, 'receivedAt'>) => Promise<IngestOutcome> | null;
}

export interface SiteOptions {
  readonly world: World;
  readonly wires: Wires;
  readonly random: Random;
  readonly service: string;
  readonly site: string;
  readonly location: string;
  readonly intervalMs: number;
  readonly isGated: boolean;
  readonly targets: readonly BeatTarget[];
  /** Data not yet on the other side, milliseconds; null = it does not report it. */
  readonly lagMs: () => number | null;
  /** Called after anything that may change what the site does. */
  readonly onChange: () => void;
}

/** What ails a site, apart from its machine being down. */
export interface Ailment {
  /** Beats go on and requests fail. */
  isGray: boolean;
  /** The program lives and beats no more: its agent hangs. */
  isMute: boolean;
  /** Beats come early or late by up to this share of the interval. */
  jitterShare: number;
}

const TRUE_CLOCK: ClockFault = { skewMs: 0, rate: 1 };

export class SimulatedSite {
  readonly service: string;
  readonly site: string;
  readonly place: Place;
  readonly ailment: Ailment = { isGray: false, isMute: false, jitterShare: JITTER_FRACTION };
  readonly #options: SiteOptions;
  #vitality = new Vitality();
  #clock: ProcessClock;
  #belief: Belief = NO_BELIEF;
  #bootedAt: MonotonicMillis;
  #sequence = 0;
  #boots = 0;

  constructor(options: SiteOptions) {
    const { service, site, location, world } = options;
    this.#options = options;
    this.service = service;
    this.site = site;
    this.place = { name: `site ${service}@${site}`, location };
    this.#clock = new ProcessClock(world, this.#vitality, TRUE_CLOCK);
    this.#bootedAt = this.#clock.monotonicNow();
  }

  get clock(): ProcessClock {
    return this.#clock;
  }

  get isUp(): boolean {
    return this.#vitality.isAlive && !this.#options.wires.downPlaces.has(this.place.name);
  }

  /** As its agent would say at this instant. */
  get role(): SiteRole {
    return this.isUp
      ? roleAt(this.#belief, this.#clock.monotonicNow())
      : { role: 'unknown', epoch: null };
  }

  get believesActive(): boolean {
    return this.role.role === 'active';
  }

  /** Whether the service answers, whatever its role: what a probe finds out. */
  get isHealthy(): boolean {
    return this.isUp && !this.ailment.isGray;
  }

  /** Whether a client that comes here is served. */
  get isServing(): boolean {
    return this.isHealthy && (!this.#options.isGated || this.believesActive);
  }

  /**
   * So many beats of this site as a region heard them until now, on an ordinary day. With them told to
   * each region, a site that boots next goes on as one that has run for long.
   */
  history(
    beats: number,
    hearer: { readonly location: string; readonly now: number },
  ): readonly Heartbeat[] {
    const { random, intervalMs } = this.#options;
    this.#sequence = Math.max(this.#sequence, beats);
    return Array.from({ length: beats }, (_, place) => {
      const { location, now } = hearer;
      const jitterMs = (random() - 0.5) * 2 * JITTER_FRACTION * intervalMs;
      const delayMs = usualDelayMs(random, { from: this.place.location, to: location });
      const receivedAt = now - (beats - place) * intervalMs + jitterMs + delayMs;
      return { ...this.#beatOf(place + 1, 1), receivedAt: epochMillis(Math.round(receivedAt)) };
    });
  }

  /** A new process: it knows of no role. */
  boot(fault: ClockFault = TRUE_CLOCK): void {
    this.#vitality = new Vitality();
    this.#clock = new ProcessClock(this.#options.world, this.#vitality, fault);
    this.#belief = NO_BELIEF;
    this.#bootedAt = this.#clock.monotonicNow();
    this.#sequence = this.#boots === 0 ? this.#sequence : 0;
    this.#boots += 1;
    void this.#beatForEver();
    this.#options.onChange();
  }

  kill(): void {
    this.#vitality.kill();
    this.#options.onChange();
  }

  async #beatForEver(): Promise<void> {
    const { intervalMs, random } = this.#options;
    const clock = this.#clock;
    for (;;) {
      if (!this.ailment.isMute) {
        this.#beat();
      }
      const jitter = 1 + (random() - 0.5) * 2 * this.ailment.jitterShare;
      await clock.sleep(intervalMs * jitter);
    }
  }

  #beat(): void {
    this.#sequence += 1;
    const beat = this.#beatOf(this.#sequence, this.#boots);
    for (const target of this.#options.targets) {
      void this.#beatTo(target, beat);
    }
  }

  #beatOf(sequence: number, boot: number): Omit<Heartbeat, 'receivedAt'> {
    const { service, site, lagMs, intervalMs } = this.#options;
    const bootId = `${site}-${boot}`;
    const { role, epoch } = this.role;
    // As the agent does: who is not active says up to which decision it has given the role up.
    const acknowledgedEpoch = role === 'active' ? null : (epoch as Heartbeat['acknowledgedEpoch']);
    const common = { service, site, sequence, bootId, status: 'ok' } as const;
    const started = { startedAt: this.#bootedAt, paceMs: intervalMs };
    const fenced = isFenced(this.#belief, this.#clock.monotonicNow(), started);
    const told = { ...common, replicationLagMs: lagMs(), fenced };
    return { ...told, acknowledgedEpoch: acknowledgedEpoch ?? null };
  }

  async #beatTo({ place, ingest }: BeatTarget, beat: Omit<Heartbeat, 'receivedAt'>): Promise<void> {
    const { wires, intervalMs } = this.#options;
    const sentAt = this.#clock.monotonicNow();
    const answer = await wires.send({
      from: this.place,
      to: place,
      timeoutMs: intervalMs * ASSUMED.beatTimeoutShare,
      vitality: this.#vitality,
      act: () => ingest(beat),
    });
    if (answer?.kind === 'accepted') {
      this.#hear(answer, sentAt);
    }
  }

  #hear(answer: Extract<IngestOutcome, { kind: 'accepted' }>, sentAt: MonotonicMillis): void {
    const { intervalMs, onChange } = this.#options;
    const { role, epoch, nextBeatMs, leaseMs } = answer;
    const before = this.#belief;
    const terms = { paceMs: intervalMs, marginMs: 0 };
    const heard = { answer: { role, epoch, nextBeatMs, leaseMs }, sentAt };
    this.#belief = renewed(before, heard, terms);
    if (this.#belief.until !== null && this.#belief.until !== before.until) {
      const leftMs = Math.max(0, this.#belief.until - this.#clock.monotonicNow());
      void this.#clock.sleep(leftMs).then(onChange);
    }
    if (this.#belief.granted !== before.granted) {
      onChange();
    }
  }
}
