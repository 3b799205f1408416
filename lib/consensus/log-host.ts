/**
 * The replicated log as one process offers it: propose a command, read, follow.
 *
 * Committing is one write at the leader's register, then one at each follower's; a batch counts as
 * soon as a majority holds it (`replicator.ts`), and only then is it applied. Any process can do this
 * for whichever region leads: it lends the registers its CPU.
 */
import type { CommandId, LogIndex, RegionId, Term } from '../base/identifiers.ts';
import { logIndex } from '../base/identifiers.ts';
import type { JsonValue, Sha256 } from '../base/json.ts';
import { Applier } from './applier.ts';
import {
  areRegionsEnough,
  type Cluster,
  clientOf,
  doRegionsDecide,
  isAnswered,
  isInQuorum,
  leaderAmong,
  ownClient,
  readAll,
} from './cluster.ts';
import { committedIndex } from './progress.ts';
import { type Batch, ProposalQueue, type ProposeOutcome, type Shortfall } from './proposals.ts';
import type { Exchange } from './register-client.ts';
import {
  type AppliedEntry,
  bodyDigest,
  isExpired,
  type Replica,
  type StateMachine,
} from './replica.ts';
import { Replicator } from './replicator.ts';
import { type Base, configurationOf, isLeader, lastEntry, type Server, termAt } from './server.ts';
import { sessionOf } from './sessions.ts';
import { registerBytes } from './size.ts';

/** Which region leads, and in which term. */
export interface Leadership {
  readonly region: RegionId;
  readonly term: Term;
}

export interface LogHostOptions<State> {
  readonly cluster: Cluster;
  readonly machine: StateMachine<State>;
  readonly sha256: Sha256;
}

/** One look; and one more after a help, when no majority was in the leader's term yet. */
const CONFIRM_ROUNDS_MAX = 2;

export class LogHost<State> {
  readonly #cluster: Cluster;
  readonly #sha256: Sha256;
  readonly #replicator: Replicator;
  readonly #applier: Applier<State>;
  readonly #proposals: ProposalQueue;
  /** The leading region as last seen; a guess that the registers correct. */
  #leader: Leadership | null = null;
  #lostQuorum = false;
  /** When this process last heard of the log's end; a copy from before may be very old. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #highestTermRead = 0;

  constructor({ cluster, machine, sha256 }: LogHostOptions<State>) {
    this.#cluster = cluster;
    this.#sha256 = sha256;
    this.#replicator = new Replicator(cluster);
    this.#applier = new Applier({ cluster, machine, sha256 });
    this.#proposals = new ProposalQueue(cluster, {
      waitMs: (bytes) => this.#waitMs(bytes),
      commit: (batch) => this.#commit(batch),
      outcomeOf: (id, body) => this.#outcomeOf(id, body),
    });
  }

  get replica(): Replica<State> {
    return this.#applier.replica;
  }

  get leader(): Leadership | null {
    return this.#leader;
  }

  /** Above a leader's term: some register refuses that leader. */
  get highestTermSeen(): number {
    return Math.max(this.#replicator.highestTermSeen, this.#highestTermRead);
  }

  /** The last entry that this process knows to be committed. */
  get commit(): Base {
    const proven = this.#replicator.commit;
    return proven.index > this.replica.applied.index ? proven : this.replica.applied;
  }

  /** Called with each batch of newly applied entries, in order. Returns how to stop. */
  onApplied(listener: (applied: readonly AppliedEntry[]) => void): () => void {
    return this.#applier.onApplied(listener);
  }

  /**
   * Commits one command. Exactly once for its id, however often and wherever it is proposed, as long
   * as the last try comes within `sessionWindowEntries` entries of the first (docs/raft.md).
   * Resolves within `proposeTimeoutMs` and one more try.
   */
  propose(id: CommandId, body: JsonValue): Promise<ProposeOutcome> {
    return this.#proposals.propose(id, body);
  }

  /** The leader's register must take the batch, and as many others as make a quorum with it. */
  #waitMs(bytes: number): number {
    const region = this.#leader?.region;
    const leader = region === undefined ? null : clientOf(this.#cluster, region).cached;
    if (region === undefined || leader === null) {
      return 0;
    }
    const { clients, flow } = this.#cluster;
    const after = registerBytes(leader) + bytes;
    const waits = [...clients.keys()].map((to) => ({ to, waitMs: flow.waitMs(to, after) }));
    const ready = new Set<RegionId>();
    for (const { to, waitMs } of waits.toSorted((a, b) => a.waitMs - b.waitMs)) {
      ready.add(to);
      if (ready.has(region) && doRegionsDecide(configurationOf(leader), ready)) {
        return waitMs;
      }
    }
    return 0;
  }

  async #commit({ bytes, commandsAt }: Batch): Promise<Shortfall | null> {
    const leader = await this.#findLeader();
    if (leader === null) {
      return { code: this.#hasQuorum() ? 'no-leader' : 'no-quorum', isInDoubt: false };
    }
    if (!(await this.#mayAppend(leader))) {
      return { code: 'no-quorum', isInDoubt: false };
    }
    if (registerBytes(leader) + bytes > this.#cluster.limits.registerBytesMax) {
      // Perhaps it was compacted meanwhile: the next try takes a fresh look.
      this.#leader = null;
      return { code: 'log-full', isInDoubt: false };
    }
    const commands = commandsAt(this.#basisIn(leader));
    const answer = await clientOf(this.#cluster, leader.identity.region).exchange(() => ({
      kind: 'propose',
      term: leader.term,
      commands,
      commit: this.commit,
    }));
    if (answer.kind !== 'answered' || answer.reply.kind === 'no') {
      this.#leader = null;
      return shortfallOf(answer);
    }
    await this.#commitTail(answer.server);
    const isApplied = commands.every(({ id }) => sessionOf(this.replica.sessions, id) !== null);
    return isApplied ? null : { code: 'no-quorum', isInDoubt: true };
  }

  /**
   * An index below any place that a new command can get: committed entries are never replaced. Not
   * only what this replica applied: a process that has just started has applied nothing.
   */
  #basisIn({ base, commitIndex }: Server): LogIndex {
    return logIndex(Math.max(this.replica.applied.index, base.index, commitIndex));
  }

  #outcomeOf(id: CommandId, body: JsonValue): ProposeOutcome | null {
    const session = sessionOf(this.replica.sessions, id);
    if (session === null) {
      return null;
    }
    if (session.digest !== bodyDigest(body, this.#sha256)) {
      return { kind: 'rejected', code: 'command-id-reused' };
    }
    const { index, term, result } = session;
    return isExpired(session) ? { kind: 'unknown' } : { kind: 'committed', index, term, result };
  }

  /** Without a quorum nothing is appended, so that an isolated leader's log cannot fill up. */
  async #mayAppend(leader: Server): Promise<boolean> {
    const uncommitted = lastEntry(leader).index - this.commit.index;
    const { uncommittedEntriesMax } = this.#cluster.limits;
    const mustProve = this.#lostQuorum || uncommitted > uncommittedEntriesMax;
    return mustProve ? this.confirmLeadership() : true;
  }

  /** Replicates the leader's log as it stands and applies what that commits. */
  async #commitTail(leader: Server): Promise<void> {
    const advance = await this.#replicator.advance(leader);
    this.#lostQuorum = advance.kind === 'no-majority';
    if (advance.kind === 'deposed') {
      this.#leader = null;
    }
    // Never from `leader`: it may be deposed by now, and hold other entries below the commit index.
    const { leader: latest, commit } = this.#replicator;
    this.#heardAt = this.#cluster.clock.monotonicNow();
    if (latest !== null) {
      await this.#applier.applyFrom(latest, commit.index);
    }
  }

  async #findLeader(): Promise<Server | null> {
    const known = this.#leader && clientOf(this.#cluster, this.#leader.region).cached;
    const isCurrent = known && isLeader(known) && known.term === this.#leader?.term;
    if (isCurrent && this.#isUpToDate()) {
      return known;
    }
    const servers = await readAll(this.#cluster, isLeaderKnown);
    this.#noteTerms(servers);
    const leader = leaderAmong(servers);
    this.noteLeader(leadershipOf(leader));
    return leader;
  }

  /** Whether a majority of registers answered when last asked; only with one can there be a leader. */
  #hasQuorum(): boolean {
    const { clients } = this.#cluster;
    const answering = [...clients.values()].filter(({ isReachable }) => isReachable);
    return areRegionsEnough(this.#cluster, new Set(answering.map(({ region }) => region)));
  }

  /**
   * Whether an old copy can still be proposed to. Any copy could, as the register decides; but the
   * basis of a command comes from it, and one that is too old makes the command come too late.
   */
  #isUpToDate(): boolean {
    const { clock, timings } = this.#cluster;
    return clock.monotonicNow() - this.#heardAt <= timings.proposeTimeoutMs;
  }

  /** Takes up what an election won: commits the no-op, and with it all that came before. */
  async lead(leader: Server): Promise<void> {
    this.noteLeader({ region: leader.identity.region, term: leader.term });
    await this.#commitTail(leader);
  }

  /** Waits until this region's register holds the leader's log, or cannot be reached. */
  async bringLevel(leader: Server, region: RegionId): Promise<void> {
    await this.#replicator.level(leader, region);
  }

  #noteTerms(servers: readonly Server[]): void {
    this.#highestTermRead = Math.max(this.#highestTermRead, ...servers.map(({ term }) => term));
  }

  /** What a beat, an election or a register said about who leads. */
  noteLeader(leader: Leadership | null): void {
    const isNews = leader !== null && leader.term !== this.#leader?.term;
    this.#leader = leader;
    if (isNews) {
      this.#cluster.log('info', 'leader-seen', { region: leader.region, term: leader.term });
    }
  }

  /**
   * Linearizable barrier (paper section 8; thesis section 6.4): reads the leader's register and a
   * majority in its term, all strongly consistent and within this call, and applies the leader's log
   * as it was read, after helping its tail to commit. All that was committed before the call is in
   * that log, so after `true` the replica reflects it. Never a lease, and never an acknowledgement
   * from before the call.
   */
  async confirmLeadership(): Promise<boolean> {
    for (let rounds = 0; rounds < CONFIRM_ROUNDS_MAX; rounds += 1) {
      const servers = await readAll(this.#cluster, isLeaderConfirmed);
      this.#noteTerms(servers);
      const leader = leaderAmong(servers);
      this.noteLeader(leadershipOf(leader));
      if (leader === null || !isAnswered(leader, servers)) {
        this.#lostQuorum = true;
        return false;
      }
      await this.#applyTail(leader, servers);
      // A replica that needs a snapshot and did not get it is still where it was.
      if (isLeaderConfirmed(servers) && this.replica.applied.index >= lastEntry(leader).index) {
        this.#lostQuorum = false;
        return true;
      }
    }
    return false;
  }

  /** Applies the leader's log as read: at once if what was read proves it committed, else with help. */
  async #applyTail(leader: Server, servers: readonly Server[]): Promise<void> {
    const end = lastEntry(leader).index;
    const followers = servers.filter((server) => server !== leader);
    if (committedIndex(leader, followers) >= end) {
      await this.#applier.applyFrom(leader, end);
    } else {
      await this.#commitTail(leader);
    }
  }

  /**
   * Catches up with what others committed, from this region's own register where it can. In the
   * leading region it also brings lagging followers level. Static: without a quorum it applies what
   * is known to be committed and changes nothing. Rejects when this host met a bug: the process must
   * stop.
   */
  async follow(commit: Base | null): Promise<void> {
    if (this.#proposals.failure !== null) {
      throw this.#proposals.failure.thrown;
    }
    const own = await ownClient(this.#cluster).refresh();
    this.#noteTerms(own === null ? [] : [own]);
    if (own !== null && isLeader(own)) {
      this.noteLeader(leadershipOf(own));
      const hasWork = lastEntry(own).index > this.replica.applied.index;
      if (hasWork || this.#replicator.isBehind(own)) {
        await this.#commitTail(own);
      }
      return;
    }
    if (own !== null) {
      this.#heardAt = this.#cluster.clock.monotonicNow();
      await this.#applier.applyFrom(own, provenIn(own, commit));
    }
    if (commit !== null && commit.index > this.replica.applied.index && this.#leader !== null) {
      const leader = await clientOf(this.#cluster, this.#leader.region).refresh();
      if (leader !== null) {
        await this.#applier.applyFrom(leader, provenIn(leader, commit));
      }
    }
  }
}

/** How far the log of this register is known to be committed, by its own hint or by a beat. */
function provenIn(server: Server, commit: Base | null): LogIndex {
  const isHeld = commit !== null && termAt(server, commit.index) === commit.term;
  return isHeld && commit.index > server.commitIndex ? commit.index : server.commitIndex;
}

function leadershipOf(server: Server | null): Leadership | null {
  return server && { region: server.identity.region, term: server.term };
}

/** A leader in the highest term that a majority was seen in. */
function isLeaderKnown(servers: readonly Server[]): boolean {
  const leader = leaderAmong(servers);
  return leader !== null && isAnswered(leader, servers);
}

/** The leader and a majority in its term. */
function isLeaderConfirmed(servers: readonly Server[]): boolean {
  const leader = leaderAmong(servers);
  return leader !== null && isInQuorum(leader, servers);
}

function shortfallOf(answer: Exchange): Shortfall {
  const refusal = answer.kind === 'refused' ? SHORTFALLS.get(answer.code) : undefined;
  return { code: refusal ?? 'no-leader', isInDoubt: answer.kind === 'unknown' };
}

const SHORTFALLS: ReadonlyMap<string, Shortfall['code']> = new Map([
  ['too-large', 'log-full'],
  ['throttled', 'busy'],
]);
