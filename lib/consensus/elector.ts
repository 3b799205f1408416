/**
 * Elections: who notices that no region leads, and which region is made to lead.
 *
 * Any process can run an election, because it only lends registers its CPU. It reads every register,
 * picks the region with the most up-to-date log (its own if equal), and walks the paper's section
 * 5.2 on that region's behalf: own vote first, which freezes the candidate's log; then the others;
 * with a majority of votes, `lead`.
 *
 * Before it disturbs anyone it makes sure that a majority of regions shows no sign of a leader
 * (pre-vote, thesis section 9.6): it looks at their beats twice, some beats apart.
 */
import { type RegionId, type Term, term as termOf } from '../base/identifiers.ts';
import {
  areRegionsEnough,
  type Cluster,
  clientOf,
  isAnswered,
  readAll,
  settledOrEnough,
} from './cluster.ts';
import { decidersOf, type MemberId, regionOf } from './membership.ts';
import { isQuorum } from './quorum.ts';
import {
  type Base,
  compareLogs,
  configurationOf,
  lastEntry,
  memberOf,
  membersAmong,
  type Server,
} from './server.ts';
import { PRE_VOTE_BEATS } from './silence.ts';

export type Election =
  | { readonly kind: 'won'; readonly leader: Server }
  /** Another candidate, a register that moved on, or too few answers. Try again after a while. */
  | { readonly kind: 'lost'; readonly detail: string }
  /** Too few registers answer: nobody can be elected. The first election of all needs every one. */
  | { readonly kind: 'no-quorum' };

/** Looks twice, some beats apart. True when a majority answers and none of it saw a new beat. */
export async function isLeaderless(cluster: Cluster): Promise<boolean> {
  const before = await readSigns(cluster);
  await cluster.clock.sleep(cluster.timings.beatMs * PRE_VOTE_BEATS);
  const after = await readSigns(cluster);
  const silent = [...after].filter(([region, sign]) => before.get(region) === sign);
  return areRegionsEnough(cluster, new Set(silent.map(([region]) => region)));
}

/** What the first majority to answer knows of a leader; equal text = no new beat. */
async function readSigns(cluster: Cluster): Promise<ReadonlyMap<RegionId, string>> {
  const signs = new Map<RegionId, string>();
  const reads = [...cluster.clients.values()].map(async (client) => {
    const outcome = await client.readBeat();
    if (outcome.kind === 'found') {
      signs.set(client.region, `${outcome.beat.term}/${outcome.beat.counter}`);
    } else if (outcome.kind === 'absent') {
      signs.set(client.region, 'never');
    }
  });
  await settledOrEnough(reads, () => areRegionsEnough(cluster, new Set(signs.keys())));
  return new Map(signs);
}

export interface Candidacy {
  /** A register that is not asked may be in this term. */
  readonly termSeen: number;
  /** Who is to lead; null = whoever holds the most. */
  readonly region: RegionId | null;
}

/**
 * One election, in a term above all that its electorate shows and above `termSeen`. Never waits for a
 * slow minority.
 */
export async function elect(
  cluster: Cluster,
  { termSeen, region }: Candidacy = { termSeen: 0, region: null },
): Promise<Election> {
  const servers = await readAll(cluster, isElectorate);
  const candidate = isElectorate(servers) ? candidateAmong(servers, cluster, region) : null;
  if (candidate === null) {
    return { kind: 'no-quorum' };
  }
  const term = termOf(Math.max(termSeen, ...servers.map((server) => server.term)) + 1);
  const client = clientOf(cluster, candidate.identity.region);
  const own = await client.exchange(() => ({ kind: 'campaign', term }));
  if (own.kind !== 'answered' || own.reply.kind === 'no') {
    return { kind: 'lost', detail: `${client.region} did not stand for term ${term}` };
  }
  const isElected = await collectVotes(cluster, term, own.server);
  if (!isElected) {
    return { kind: 'lost', detail: `${client.region} got no majority in term ${term}` };
  }
  const led = await client.exchange(() => ({ kind: 'lead', term }));
  return led.kind === 'answered' && led.reply.kind === 'yes'
    ? { kind: 'won', leader: led.server }
    : { kind: 'lost', detail: `${client.region} could not take the lead of term ${term}` };
}

/**
 * Enough to elect the best of them; and for the first election of all, every founder: a cluster that
 * is still being made must not vote, or a register that is not made yet would look like one that was
 * lost.
 */
function isElectorate(servers: readonly Server[]): boolean {
  const best = servers.toSorted(byLog).at(-1);
  if (best === undefined) {
    return false;
  }
  const isFirst = servers.every(({ term }) => term === 0);
  const present = membersAmong(servers);
  return isFirst
    ? configurationOf(best).voters.every((voter) => present.has(voter))
    : isAnswered(best, servers);
}

/** Among those that may stand: the one asked for, else whoever holds the most, best this region. */
function candidateAmong(
  servers: readonly Server[],
  { identity }: Cluster,
  region: RegionId | null,
): Server | null {
  const voters = servers.filter((server) =>
    decidersOf(configurationOf(server)).includes(memberOf(server)),
  );
  if (region !== null) {
    return voters.find((server) => server.identity.region === region) ?? null;
  }
  const best = voters.toSorted(byLog).at(-1) ?? null;
  const own = voters.find((server) => server.identity.region === identity.region);
  return own !== undefined && best !== null && byLog(own, best) === 0 ? own : best;
}

function byLog(left: Server, right: Server): number {
  return compareLogs(lastEntry(left), lastEntry(right));
}

/** By the configuration of the candidate's own log as it was when it voted for itself. */
async function collectVotes(cluster: Cluster, term: Term, candidate: Server): Promise<boolean> {
  const configuration = configurationOf(candidate);
  const self = memberOf(candidate);
  const last: Base = { index: lastEntry(candidate).index, term: lastEntry(candidate).term };
  const votes = new Set<MemberId>([self]);
  const mayStillVote = new Set<MemberId>(decidersOf(configuration));
  const requests = decidersOf(configuration)
    .filter((member) => member !== self && cluster.clients.has(regionOf(member)))
    .map(async (member) => {
      const client = clientOf(cluster, regionOf(member));
      const answer = await client.exchange(() => ({ kind: 'vote', term, candidate: self, last }));
      if (answer.kind !== 'answered') {
        return;
      }
      // The table that answers may have taken the place of the one that was asked.
      if (answer.reply.kind === 'yes') {
        votes.add(memberOf(answer.server));
      } else {
        mayStillVote.delete(member);
      }
    });
  const isWon = () => isQuorum(configuration, votes);
  const isLost = () => !isQuorum(configuration, mayStillVote);
  await settledOrEnough(requests, () => isWon() || isLost());
  return isWon();
}
