/**
 * Brings the followers' registers level with the leader's, and knows what that commits.
 *
 * One exchange at a time per follower; entries that arrive meanwhile go with the next one, so a
 * slow region costs nobody else anything. In the steady state each follower costs one write and no
 * read per batch.
 */
import { type LogIndex, logIndex, type RegionId, term as termOf } from '../base/identifiers.ts';
import { type Cluster, clientOf, doRegionsDecide, settledOrEnough } from './cluster.ts';
import { membersOf, regionOf } from './membership.ts';
import { appendFor, committedIndex, matchIndex } from './progress.ts';
import type { Exchange } from './register-client.ts';
import { type Base, configurationOf, lastEntry, memberOf, type Server, termAt } from './server.ts';
import { registerBytes } from './size.ts';

export type Advance =
  /** Everything in the given leader's log is committed. */
  | { readonly kind: 'committed' }
  /** A higher term was seen: this leader leads no more. */
  | { readonly kind: 'deposed' }
  /** Too few registers answered. The tail may yet be committed. */
  | { readonly kind: 'no-majority' };

export class Replicator {
  readonly #cluster: Cluster;
  #leader: Server | null = null;
  #commitIndex: LogIndex = logIndex(0);
  /** Each follower's register as last persisted under the leader's term. */
  readonly #acknowledged = new Map<RegionId, Server>();
  readonly #busy = new Map<RegionId, Promise<void>>();
  /** How long each follower's last exchange took; one without an answer is the farthest of all. */
  readonly #tookMs = new Map<RegionId, number>();
  #highestTermSeen = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * The latest copy seen of the latest leader: the only log in which `commit` can be relied on. A
   * copy of an older leader may hold other entries at these places.
   */
  get leader(): Server | null {
    return this.#leader;
  }

  /** The last entry proven committed, as far as this process knows. */
  get commit(): Base {
    const term = this.#leader && termAt(this.#leader, this.#commitIndex);
    return { index: this.#commitIndex, term: term ?? termOf(0) };
  }

  /** A register in a higher term than the leader's takes no more entries from it. */
  get highestTermSeen(): number {
    return this.#highestTermSeen;
  }

  /** Replicates the leader's whole log. Resolves as soon as a majority holds it. */
  async advance(leader: Server): Promise<Advance> {
    this.#adopt(leader);
    if (this.#leader !== null && this.#leader.term > leader.term) {
      return { kind: 'deposed' };
    }
    const goal = lastEntry(leader).index;
    const isCommitted = () => this.#leader?.term === leader.term && this.#commitIndex >= goal;
    await settledOrEnough(this.#levelAll(leader), isCommitted);
    if (isCommitted()) {
      return { kind: 'committed' };
    }
    return { kind: this.#highestTermSeen > leader.term ? 'deposed' : 'no-majority' };
  }

  /**
   * The nearest followers that make a quorum at once, the others a moment later: whatever it costs to
   * write to those, in this process and on the way, is not paid while somebody waits for a commit.
   */
  #levelAll(leader: Server): readonly Promise<void>[] {
    const { clock, timings } = this.#cluster;
    const { headStartMs } = timings;
    const regions = this.#nearestFirst(leader);
    const count = headStartMs === 0 ? regions.length : quorumCount(leader, regions);
    const needed = regions.slice(0, count).map((region) => this.#level(region));
    const others = regions.slice(count);
    if (others.length === 0) {
      return needed;
    }
    // Not at once when these have answered: whoever waits for the commit hears of it first.
    const answered = Promise.all(needed).then(() => clock.sleep(0));
    const headStart = Promise.race([answered, clock.sleep(headStartMs)]);
    return [...needed, ...others.map((region) => headStart.then(() => this.#level(region)))];
  }

  /** One that still owes an answer comes last: it is slower than it was. */
  #nearestFirst(leader: Server): readonly RegionId[] {
    const tookMs = (region: RegionId) =>
      this.#busy.has(region) ? Number.MAX_VALUE : (this.#tookMs.get(region) ?? 0);
    return this.#followersOf(leader).toSorted((a, b) => tookMs(a) - tookMs(b));
  }

  /** Replicates the leader's log to one region, however many hold it already. */
  async level(leader: Server, region: RegionId): Promise<void> {
    this.#adopt(leader);
    await this.#level(region);
  }

  /** Whether some follower is known to lack entries of this leader, or was never asked. */
  isBehind(leader: Server): boolean {
    return this.#followersOf(leader).some((region) => !this.#isLevel(leader, region));
  }

  /** Voters and learners, as far as this process has a way to them. */
  #followersOf(leader: Server): readonly RegionId[] {
    const regions = new Set(membersOf(configurationOf(leader)).map(regionOf));
    regions.delete(leader.identity.region);
    return [...regions].filter((region) => this.#cluster.clients.has(region));
  }

  #adopt(leader: Server): void {
    const known = this.#leader;
    if (known !== null && known.term === leader.term) {
      this.#leader = lastEntry(leader).index >= lastEntry(known).index ? leader : known;
      // A follower may have shown more than the older copy held.
      this.#prove(this.#leader);
      return;
    }
    if (known === null || known.term < leader.term) {
      this.#leader = leader;
      this.#acknowledged.clear();
      this.#commitIndex = logIndex(Math.max(this.#commitIndex, leader.commitIndex));
    }
  }

  /** Whether the follower holds all of this copy; it may hold more, by another process's work. */
  #isLevel(leader: Server, region: RegionId): boolean {
    const follower = this.#acknowledged.get(region);
    return (
      follower !== undefined &&
      follower.term === leader.term &&
      matchIndex(leader, follower) === lastEntry(leader).index
    );
  }

  /** Joins the work under way for this follower, or starts it. */
  #level(region: RegionId): Promise<void> {
    const underWay = this.#busy.get(region);
    if (underWay !== undefined) {
      return underWay;
    }
    if (this.#leader === null || this.#isLevel(this.#leader, region)) {
      return Promise.resolve();
    }
    // Not level, so it waits for at least one exchange, and leaves `#busy` after it was put there.
    // Cleared when the work has settled, never before it is noted here: work that ends without an
    // await would otherwise leave its settled promise behind, and the region would starve.
    const work = this.#catchUp(region).finally(() => this.#busy.delete(region));
    this.#busy.set(region, work);
    return work;
  }

  /** Goes on with a newer leader when there is one by then, unless it is this very region. */
  async #catchUp(region: RegionId): Promise<void> {
    let leader = this.#leader;
    while (leader !== null && leader.identity.region !== region && !this.#isLevel(leader, region)) {
      await this.#waitForBudget(leader, region);
      const isDone = await this.#exchange(leader, region);
      leader = isDone ? this.#leader : null;
    }
  }

  /** Entries that come meanwhile go along. One wait is enough: what is missing then, others spent. */
  async #waitForBudget(leader: Server, region: RegionId): Promise<void> {
    const { clock, flow } = this.#cluster;
    const cached = clientOf(this.#cluster, region).cached ?? leader;
    const bytes = Math.max(registerBytes(leader), registerBytes(cached));
    const waitMs = flow.waitMs(region, bytes);
    if (waitMs > 0) {
      await clock.sleep(waitMs);
    }
  }

  /** One append; false = no use going on now. */
  async #exchange(leader: Server, region: RegionId): Promise<boolean> {
    const { clock } = this.#cluster;
    const client = clientOf(this.#cluster, region);
    const askedAt = clock.monotonicNow();
    // Asked late, when its turn has come: by then the commit index may be a newer leader's, and mean
    // nothing in this one's log.
    const answer = await client.exchange((server) =>
      server.term > leader.term || this.#isSuperseded(leader)
        ? null
        : appendFor(leader, server, this.#commitIndex),
    );
    const isAnswered = answer.kind === 'answered';
    this.#tookMs.set(region, isAnswered ? clock.monotonicNow() - askedAt : Number.MAX_VALUE);
    if (answer.kind !== 'answered') {
      return isTooLarge(answer) && this.#install(leader, region);
    }
    const follower = answer.server;
    this.#highestTermSeen = Math.max(this.#highestTermSeen, follower.term);
    if (follower.term > leader.term || this.#isSuperseded(leader)) {
      return this.#isSuperseded(leader);
    }
    if (matchIndex(leader, follower) === null) {
      return this.#install(leader, region);
    }
    this.#acknowledge(leader, follower);
    if (this.#isAbandoned(follower)) {
      await this.#install(leader, region);
    }
    return true;
  }

  #isSuperseded({ term }: Server): boolean {
    return this.#leader !== null && this.#leader.term > term;
  }

  /** Grown far beyond what its own region's processes would leave: there are none. */
  #isAbandoned({ entries }: Server): boolean {
    return entries.length > this.#cluster.limits.abandonedEntriesMax;
  }

  #acknowledge(leader: Server, follower: Server): void {
    const current = this.#leader;
    if (current === null || current.term !== leader.term || follower.term !== leader.term) {
      return;
    }
    this.#acknowledged.set(follower.identity.region, follower);
    this.#prove(current);
  }

  #prove(leader: Server): void {
    const proven = committedIndex(leader, [...this.#acknowledged.values()]);
    this.#commitIndex = logIndex(Math.max(this.#commitIndex, proven));
  }

  /**
   * Snapshot first, base afterwards: a base never points at a snapshot that is not there. False when
   * nothing came of it, also when the follower's base is there already, or when its table was lost
   * meanwhile, and the snapshot with it.
   */
  async #install(leader: Server, region: RegionId): Promise<boolean> {
    const { base, baseConfiguration, term, identity } = leader;
    const client = clientOf(this.#cluster, region);
    const follower = client.cached;
    const isAhead = (follower?.base.index ?? 0) >= base.index;
    if (
      follower === null ||
      isAhead ||
      !(await this.#copySnapshot(base, identity.region, region))
    ) {
      return false;
    }
    const message = {
      kind: 'install',
      term,
      leader: memberOf(leader),
      base,
      configuration: baseConfiguration,
    } as const;
    const answer = await client.exchange((server) =>
      memberOf(server) === memberOf(follower) ? message : null,
    );
    const isInstalled =
      answer.kind === 'answered' &&
      answer.reply.kind === 'yes' &&
      memberOf(answer.server) === memberOf(follower);
    if (isInstalled) {
      this.#cluster.log('info', 'snapshot-installed', { region, index: base.index });
    }
    return isInstalled;
  }

  async #copySnapshot(base: Base, from: RegionId, to: RegionId): Promise<boolean> {
    const text = await clientOf(this.#cluster, from).readSnapshot(base);
    return text !== null && (await clientOf(this.#cluster, to).writeSnapshot(base, text));
  }
}

/** How many of these regions, in their order, make a quorum with the leader; all, if they do not. */
function quorumCount(leader: Server, regions: readonly RegionId[]): number {
  const configuration = configurationOf(leader);
  const holding = new Set([leader.identity.region]);
  const last = regions.findIndex((region) => doRegionsDecide(configuration, holding.add(region)));
  return last === -1 ? regions.length : last + 1;
}

/** The register has no room for what it lacks: a newer base makes room. */
function isTooLarge(answer: Exchange): boolean {
  return answer.kind === 'refused' && answer.code === 'too-large';
}
