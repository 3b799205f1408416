/**
 * The pulse of the log in one region: beats while this region leads, watches while another does,
 * and asks for an election when nobody does.
 *
 * One `tick` per beat interval. Everything here is about liveness: a pulse that stops, doubles or
 * runs on a broken clock costs elections, never entries.
 */
import type { MonotonicMillis } from '../base/identifiers.ts';
import { type Cluster, ownClient } from './cluster.ts';
import { elect, isLeaderless } from './elector.ts';
import type { LogHost } from './log-host.ts';
import type { Beat } from './register-port.ts';
import { type Base, isLeader, type Server } from './server.ts';
import { Silence } from './silence.ts';

export class Pulse<State> {
  readonly #cluster: Cluster;
  readonly #host: LogHost<State>;
  #counter = 0;
  readonly #silence: Silence;
  #commitSeen: Base | null = null;
  #followDueAt: MonotonicMillis;
  #challengedSince: MonotonicMillis | null = null;
  readonly #beating = new Set<string>();
  #isFollowing = false;
  #isAsking = false;
  #isElecting = false;
  #failure: { readonly thrown: unknown } | null = null;

  constructor(cluster: Cluster, host: LogHost<State>) {
    this.#cluster = cluster;
    this.#host = host;
    this.#counter = Math.floor(cluster.random() * 1_000_000_000);
    this.#silence = new Silence(cluster);
    this.#followDueAt = cluster.clock.monotonicNow();
  }

  /** Call once per `beatMs`, never twice at a time. Rejects when this process must stop. */
  async tick(): Promise<void> {
    if (this.#failure !== null) {
      throw this.#failure.thrown;
    }
    const leader = this.#ownLeader();
    if (leader === null) {
      await this.#watch();
    } else {
      this.#beat(leader);
      this.#silence.restart();
    }
    this.#followIfDue();
    if (leader !== null && this.#host.highestTermSeen > leader.term) {
      await this.#answerChallenge(leader.term);
    } else if (leader === null && this.#isFollowedLeaderChallenged()) {
      await this.#answerChallenge(this.#host.leader?.term ?? 0);
    } else {
      this.#askIfInDoubt();
    }
  }

  /**
   * This region's register, if it leads as far as this process knows. A register that does not answer
   * commits nothing, and its beats would only keep the others from electing one that does.
   */
  #ownLeader(): Server | null {
    const { cached, isReachable } = ownClient(this.#cluster);
    return isReachable && cached !== null && isLeader(cached) ? cached : null;
  }

  /** Sends a beat to each region that has taken the one before; a slow region delays nobody. */
  #beat(leader: Server): void {
    const { clients } = this.#cluster;
    this.#counter += 1;
    const beat: Beat = {
      term: leader.term,
      leader: leader.identity.region,
      counter: this.#counter,
      commit: this.#host.commit,
    };
    for (const client of clients.values()) {
      if (!this.#beating.has(client.region)) {
        this.#beating.add(client.region);
        void client.writeBeat(beat).finally(() => this.#beating.delete(client.region));
      }
    }
  }

  /** A beat that differs from the last one is a sign of life of a leader. */
  async #watch(): Promise<void> {
    const outcome = await ownClient(this.#cluster).readBeat();
    if (outcome.kind !== 'found') {
      return;
    }
    const { term, leader, counter, commit } = outcome.beat;
    this.#silence.hear(`${term}/${counter}`, leader);
    this.#commitSeen = commit;
    const own = ownClient(this.#cluster);
    if (leader === own.region && term > (own.cached?.leaderOf ?? 0)) {
      // Another process made this region lead, and sent its first beat: look, and take over.
      this.#followDueAt = this.#cluster.clock.monotonicNow();
    }
    if (this.#host.leader === null || this.#host.leader.term < term) {
      this.#host.noteLeader({ region: leader, term });
    }
  }

  /** In the background, so that a beat never waits for data; what it meets, the next tick tells. */
  #followIfDue(): void {
    const { clock, timings } = this.#cluster;
    const commit = this.#commitSeen;
    const hasNews = commit !== null && commit.index > this.#host.replica.applied.index;
    // After a write in doubt nobody knows what stands in the own register: it may lead.
    const isBlind = ownClient(this.#cluster).cached === null;
    const isDue = clock.monotonicNow() >= this.#followDueAt || hasNews || isBlind;
    if (this.#isFollowing || !isDue) {
      return;
    }
    this.#isFollowing = true;
    this.#followDueAt = (clock.monotonicNow() + timings.followMs) as MonotonicMillis;
    void this.#host
      .follow(commit)
      .catch((thrown: unknown) => {
        this.#failure = { thrown };
      })
      .finally(() => {
        this.#isFollowing = false;
      });
  }

  /**
   * Whether this region follows a leader that its own register, or another, left behind for a while: an
   * election took a majority along and came to nothing. The leader beats on, so nobody misses it; if
   * nothing is written it never meets the higher term; and it can commit nothing any more.
   */
  #isFollowedLeaderChallenged(): boolean {
    const { clock, timings } = this.#cluster;
    const { leader, highestTermSeen } = this.#host;
    if (leader === null || highestTermSeen <= leader.term) {
      this.#challengedSince = null;
      return false;
    }
    // An election that is under way looks the same, and must not be disturbed.
    this.#challengedSince ??= clock.monotonicNow();
    return clock.monotonicNow() - this.#challengedSince >= timings.electionTimeoutMsMin;
  }

  /** In the background, so that the beats are watched while the others are asked. */
  #askIfInDoubt(): void {
    if (this.#isAsking || !this.#silence.isDoubtful) {
      return;
    }
    this.#isAsking = true;
    this.#silence.noteAsked();
    void this.#electIfLeaderless()
      .catch((thrown: unknown) => {
        this.#failure = { thrown };
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }

  async #electIfLeaderless(): Promise<void> {
    if ((await isLeaderless(this.#cluster)) && this.#silence.isOver) {
      await this.#elect();
    }
  }

  /**
   * Some register is in a higher term and refuses this leader. If another region leads that term,
   * its log comes here, and this region follows. If nobody does, only a new term brings the register
   * back (paper section 5.1), and there is no need to wait for a silence first.
   */
  async #answerChallenge(leaderTerm: number): Promise<void> {
    this.#challengedSince = null;
    await this.#host.confirmLeadership();
    const isSucceeded = (this.#host.leader?.term ?? 0) > leaderTerm;
    if (!isSucceeded) {
      await this.#elect();
    }
  }

  /** One at a time: the one after a doubt and the one after a challenge would unseat each other. */
  async #elect(): Promise<void> {
    if (this.#isElecting) {
      return;
    }
    this.#isElecting = true;
    const election = await elect(this.#cluster, {
      termSeen: this.#host.highestTermSeen,
      region: null,
    });
    this.#cluster.log('info', 'election', {
      outcome: election.kind,
      detail: election.kind === 'lost' ? election.detail : undefined,
      term: election.kind === 'won' ? election.leader.term : undefined,
    });
    if (election.kind === 'won') {
      // At once, whichever region it is: the others stop looking for a leader.
      this.#beat(election.leader);
      await this.#host.lead(election.leader);
    }
    this.#silence.restart();
    this.#isElecting = false;
  }
}
