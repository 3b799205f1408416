/**
 * How long one region has heard nothing of a leader, and for how long it bears that.
 *
 * ```text
 * last sign ─▶ a beat is missing: doubt, the others are asked ─▶ patience is over: election
 *               leader's register answers:  after an election timeout, drawn
 *               it does not answer either:  after 4 beats, the region next to the lost one first
 * ```
 *
 * While the leader's register answers there is no hurry: any process commits through it (`log-host.ts`),
 * and it may be that only the next invocation of the leader's controller is late. When it does not, nothing can be
 * committed, so the wait is as short as proof by a majority allows. The regions then stand one
 * after another, a pre-vote apart, in an order that all of them know: so they do not split the votes
 * (paper section 5.2 draws, and needs a spread as wide as a whole election for that).
 *
 * Liveness only: whoever is wrong about any of it asks for an election that pre-vote or terms decide.
 */
import type { MonotonicMillis, RegionId } from '../base/identifiers.ts';
import { type Cluster, ownClient } from './cluster.ts';

/** The two looks of a pre-vote are so far apart, in beats. */
export const PRE_VOTE_BEATS = 3;
/** Longer than a pre-vote, so that no beat which arrives during one goes unnoticed. */
const LOST_LEADER_BEATS = PRE_VOTE_BEATS + 0.5;

/** Guards what was heard last, and the draw that keeps equals apart. */
export class Silence {
  readonly #cluster: Cluster;
  #sign = '';
  #leader: RegionId | null = null;
  #since: MonotonicMillis;
  #draw: number;
  #isAsked = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#since = cluster.clock.monotonicNow();
    this.#draw = cluster.random();
  }

  /** What stands in this region's beat; only what differs from the last one is a sign of life. */
  hear(sign: string, leader: RegionId): void {
    if (sign !== this.#sign) {
      this.#sign = sign;
      this.#leader = leader;
      this.restart();
    }
  }

  /** A leader is known to live, or an election has just been tried. */
  restart(): void {
    this.#since = this.#cluster.clock.monotonicNow();
    this.#draw = this.#cluster.random();
    this.#isAsked = false;
  }

  /**
   * Time to ask the other regions: once when a beat of a known leader is missing, which also tells whether
   * its register answers; and again so that the answer is there when patience is over.
   */
  get isDoubtful(): boolean {
    const { beatMs } = this.#cluster.timings;
    const isUnasked = this.#leader !== null && !this.#isAsked;
    const isMissing = this.#lastsMs > beatMs / 2;
    return isMissing && (isUnasked || this.#lastsMs >= this.#patienceMs - PRE_VOTE_BEATS * beatMs);
  }

  /** The other regions are being asked. */
  noteAsked(): void {
    this.#isAsked = true;
  }

  get isOver(): boolean {
    return this.#lastsMs >= this.#patienceMs;
  }

  get #lastsMs(): number {
    return this.#cluster.clock.monotonicNow() - this.#since;
  }

  /** Without its own register a region hears no beats, and could not beat: the others come first. */
  get #patienceMs(): number {
    const { timings } = this.#cluster;
    const spread = timings.electionTimeoutMsMax - timings.electionTimeoutMsMin;
    const usualMs = timings.electionTimeoutMsMin + this.#draw * spread;
    const lost = this.#lostLeader();
    const waitMs = lost === null ? usualMs : this.#turnMs(lost);
    return (ownClient(this.#cluster).isReachable ? 1 : 2) * waitMs;
  }

  /** Whoever led last, if its register does not answer; the looks of the pre-vote have just asked. */
  #lostLeader(): RegionId | null {
    const client = this.#leader === null ? undefined : this.#cluster.clients.get(this.#leader);
    return client === undefined || client.isReachable ? null : client.region;
  }

  /** Around the regions by name, from the lost one on. */
  #turnMs(lost: RegionId): number {
    const { clients, identity, timings } = this.#cluster;
    const regions = [...clients.keys()].toSorted();
    const steps = regions.indexOf(identity.region) - regions.indexOf(lost) - 1;
    const turn = (steps + regions.length) % regions.length;
    return (LOST_LEADER_BEATS + turn * PRE_VOTE_BEATS) * timings.beatMs;
  }
}
