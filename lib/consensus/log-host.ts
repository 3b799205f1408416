/**
 * The replicated log as one process offers it: propose a command, read, follow.
 *
 * Commands wait in one queue and are committed in batches: one write at the leader's register, then
 * one at each follower's, and the batch counts as soon as a majority holds it. A command whose fate
 * is open is proposed again (its id makes that harmless) until its time is over; then its caller is
 * told `unknown`, never a guess.
 */
import type { CommandId, LogIndex, MonotonicMillis, RegionId, Term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { JsonValue, Sha256 } from '../base/json.ts';
import { Applier } from './applier.ts';
import { type Cluster, clientOf, leaderAmong, ownClient, readAll } from './cluster.ts';
import { committedIndex } from './progress.ts';
import { isMajority } from './quorum.ts';
import { type AppliedEntry, bodyDigest, type Replica, type StateMachine } from './replica.ts';
import { Replicator } from './replicator.ts';
import { type Base, type Command, isLeader, lastEntry, type Server, termAt } from './server.ts';
import { LOG_LIMITS } from './settings.ts';

export type ProposeOutcome =
  | {
      readonly kind: 'committed';
      readonly index: LogIndex;
      readonly term: Term;
      readonly result: JsonValue;
    }
  | {
      readonly kind: 'rejected';
      readonly code:
        | 'no-leader'
        | 'no-quorum'
        | 'too-large'
        | 'busy'
        | 'log-full'
        | 'command-id-reused';
    }
  | { readonly kind: 'unknown' };

/** Which region leads, and in which term. */
export interface Leadership {
  readonly region: RegionId;
  readonly term: Term;
}

interface Pending {
  readonly command: Command;
  readonly deadline: MonotonicMillis;
  readonly settle: (outcome: ProposeOutcome) => void;
}

type Attempt =
  | { readonly kind: 'committed' }
  | {
      readonly kind: 'failed';
      readonly code: 'no-leader' | 'no-quorum' | 'log-full';
      readonly inDoubt: boolean;
    };

export interface LogHostOptions<State> {
  readonly cluster: Cluster;
  readonly machine: StateMachine<State>;
  readonly sha256: Sha256;
}

/** One look, one help for an uncommitted tail, and one more look. */
const CONFIRM_ROUNDS_MAX = 2;

export class LogHost<State> {
  readonly #cluster: Cluster;
  readonly #sha256: Sha256;
  readonly #replicator: Replicator;
  readonly #applier: Applier<State>;
  readonly #queue: Pending[] = [];
  /** The leading region as last seen; a guess that the registers correct. */
  #leader: Leadership | null = null;
  #isPumping = false;
  #lostQuorum = false;

  constructor({ cluster, machine, sha256 }: LogHostOptions<State>) {
    this.#cluster = cluster;
    this.#sha256 = sha256;
    this.#replicator = new Replicator(cluster);
    this.#applier = new Applier({ cluster, machine, sha256 });
  }

  get replica(): Replica<State> {
    return this.#applier.replica;
  }

  get leader(): Leadership | null {
    return this.#leader;
  }

  /** Whether some register refuses this leader because it is in a higher term. */
  isChallenged(leader: Server): boolean {
    return this.#replicator.highestTermSeen > leader.term;
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

  /** Commits one command, exactly once for its id. Resolves within `proposeTimeoutMs` or a little more. */
  propose(id: CommandId, body: JsonValue): Promise<ProposeOutcome> {
    const text = JSON.stringify(body);
    // As every other region will read it: what JSON drops or changes must not live on here.
    const plain = JSON.parse(text) as JsonValue;
    const command: Command = { id, basis: this.replica.applied.index, body: plain };
    const size = text.length;
    if (size > LOG_LIMITS.commandBytesMax || this.#queue.length >= LOG_LIMITS.queuedCommandsMax) {
      const code = size > LOG_LIMITS.commandBytesMax ? 'too-large' : 'busy';
      return Promise.resolve({ kind: 'rejected', code });
    }
    const { clock, timings } = this.#cluster;
    const deadline = (clock.monotonicNow() + timings.proposeTimeoutMs) as MonotonicMillis;
    return new Promise((settle) => {
      this.#queue.push({ command, deadline, settle });
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) {
      return;
    }
    this.#isPumping = true;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.splice(0, batchSize(this.#queue));
        await this.#commitBatch(batch).catch((thrown: unknown) => {
          settleAll(batch, { kind: 'unknown' });
          throw thrown;
        });
      }
    } finally {
      this.#isPumping = false;
    }
  }

  async #commitBatch(batch: readonly Pending[]): Promise<void> {
    const { clock, random, timings } = this.#cluster;
    const commands = batch.map(({ command }) => command);
    const deadline = Math.max(...batch.map((pending) => pending.deadline));
    let isInDoubt = false;
    for (;;) {
      const attempt = await this.#attempt(commands);
      if (attempt.kind === 'committed') {
        this.#settle(batch);
        return;
      }
      isInDoubt ||= attempt.inDoubt;
      if (clock.monotonicNow() >= deadline) {
        const outcome: ProposeOutcome = isInDoubt
          ? { kind: 'unknown' }
          : { kind: 'rejected', code: attempt.code };
        settleAll(batch, outcome);
        return;
      }
      await clock.sleep(timings.beatMs * (0.5 + random()));
    }
  }

  async #attempt(commands: readonly Command[]): Promise<Attempt> {
    const leader = await this.#findLeader();
    if (leader === null) {
      return { kind: 'failed', code: 'no-leader', inDoubt: false };
    }
    if (!(await this.#mayAppend(leader))) {
      return { kind: 'failed', code: 'no-quorum', inDoubt: false };
    }
    const answer = await clientOf(this.#cluster, leader.identity.region).exchange(() => ({
      kind: 'propose',
      term: leader.term,
      commands,
      commit: this.commit,
    }));
    if (answer.kind !== 'answered') {
      const code =
        answer.kind === 'refused' && answer.code === 'too-large' ? 'log-full' : 'no-leader';
      this.#leader = null;
      return { kind: 'failed', code, inDoubt: answer.kind === 'unknown' };
    }
    if (answer.reply.kind === 'no') {
      this.#leader = null;
      return { kind: 'failed', code: 'no-leader', inDoubt: false };
    }
    await this.#commitTail(answer.server);
    const isApplied = commands.every(({ id }) => this.replica.sessions.has(id));
    return isApplied ? { kind: 'committed' } : { kind: 'failed', code: 'no-quorum', inDoubt: true };
  }

  /** Without a quorum nothing is appended, so that an isolated leader's log cannot fill up. */
  async #mayAppend(leader: Server): Promise<boolean> {
    const uncommitted = lastEntry(leader).index - this.commit.index;
    const mustProve = this.#lostQuorum || uncommitted > LOG_LIMITS.uncommittedEntriesMax;
    return mustProve ? this.confirmLeadership() : true;
  }

  /** Replicates the leader's log as it stands and applies what that commits. */
  async #commitTail(leader: Server): Promise<boolean> {
    const advance = await this.#replicator.advance(leader);
    this.#lostQuorum = advance.kind === 'no-majority';
    if (advance.kind === 'deposed') {
      this.#leader = null;
    }
    await this.#applier.applyFrom(leader, this.#replicator.commit.index);
    return advance.kind === 'committed';
  }

  async #findLeader(): Promise<Server | null> {
    const known = this.#leader && clientOf(this.#cluster, this.#leader.region).cached;
    if (known && isLeader(known) && known.term === this.#leader?.term) {
      return known;
    }
    const leader = leaderAmong(await readAll(this.#cluster));
    this.noteLeader(leadershipOf(leader));
    return leader;
  }

  /** Takes up what an election won: commits the no-op, and with it all that came before. */
  async lead(leader: Server): Promise<void> {
    this.noteLeader({ region: leader.identity.region, term: leader.term });
    await this.#commitTail(leader);
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
   * majority in its term, all strongly consistent and within this call, and applies the leader's
   * whole log once that is committed. After `true`, `replica` reflects every command that was
   * committed before the call. Never a lease, and never an acknowledgement from before the call.
   */
  async confirmLeadership(): Promise<boolean> {
    for (let rounds = 0; rounds < CONFIRM_ROUNDS_MAX; rounds += 1) {
      const servers = await readAll(this.#cluster);
      const leader = leaderAmong(servers);
      this.noteLeader(leadershipOf(leader));
      if (leader === null || !isMajority(servers.length, leader.identity.members.length)) {
        this.#lostQuorum = true;
        return false;
      }
      if (await this.#applyIfConfirmed(leader, servers)) {
        return true;
      }
      await this.#commitTail(leader);
    }
    return false;
  }

  async #applyIfConfirmed(leader: Server, servers: readonly Server[]): Promise<boolean> {
    const followers = servers.filter((server) => server !== leader && server.term === leader.term);
    const isConfirmed = isMajority(followers.length + 1, leader.identity.members.length);
    const end = lastEntry(leader).index;
    if (!isConfirmed || committedIndex(leader, followers) < end) {
      return false;
    }
    this.#lostQuorum = false;
    await this.#applier.applyFrom(leader, end);
    return true;
  }

  /**
   * Catches up with what others committed, from this region's own register where it can. In the
   * leading region it also brings lagging followers level. Static: without a quorum it applies what
   * is known to be committed and changes nothing.
   */
  async follow(commit: Base | null): Promise<void> {
    const own = await ownClient(this.#cluster).refresh();
    if (own !== null && isLeader(own)) {
      this.noteLeader(leadershipOf(own));
      const hasWork = lastEntry(own).index > this.replica.applied.index;
      if (hasWork || this.#replicator.isBehind(own)) {
        await this.#commitTail(own);
      }
      return;
    }
    if (own !== null) {
      await this.#applier.applyFrom(own, provenIn(own, commit));
    }
    if (commit !== null && commit.index > this.replica.applied.index && this.#leader !== null) {
      const leader = await clientOf(this.#cluster, this.#leader.region).refresh();
      if (leader !== null) {
        await this.#applier.applyFrom(leader, provenIn(leader, commit));
      }
    }
  }

  #settle(batch: readonly Pending[]): void {
    for (const { command, settle } of batch) {
      const session = this.replica.sessions.get(command.id);
      invariant(session !== undefined, 'committed-without-session', { id: command.id });
      settle(
        session.digest === bodyDigest(command.body, this.#sha256)
          ? {
              kind: 'committed',
              index: session.index,
              term: session.term,
              result: session.result,
            }
          : { kind: 'rejected', code: 'command-id-reused' },
      );
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

function settleAll(batch: readonly Pending[], outcome: ProposeOutcome): void {
  for (const { settle } of batch) {
    settle(outcome);
  }
}

function batchSize(queue: readonly Pending[]): number {
  let bytes = 0;
  const limit = Math.min(queue.length, LOG_LIMITS.batchCommandsMax);
  for (let size = 0; size < limit; size += 1) {
    bytes += JSON.stringify(queue[size]?.command).length;
    if (bytes > LOG_LIMITS.batchBytesMax) {
      return Math.max(1, size);
    }
  }
  return limit;
}
