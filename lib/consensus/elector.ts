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
import { type Cluster, clientOf, readAll, settledOrEnough } from './cluster.ts';
import { isMajority } from './quorum.ts';
import { type Base, compareLogs, lastEntry, type Server } from './server.ts';

export type Election =
  | { readonly kind: 'won'; readonly leader: Server }
  /** Another candidate, a register that moved on, or too few answers. Try again after a while. */
  | { readonly kind: 'lost'; readonly detail: string }
  /** Too few registers answer: nobody can be elected. The first election of all needs every one. */
  | { readonly kind: 'no-quorum' };

/** Looks twice, three beats apart. True when a majority answers and none of it saw a new beat. */
export async function isLeaderless(cluster: Cluster): Promise<boolean> {
  const before = await readSigns(cluster);
  await cluster.clock.sleep(cluster.timings.beatMs * 3);
  const after = await readSigns(cluster);
  const silent = [...after].filter(([region, sign]) => before.get(region) === sign);
  return isMajority(silent.length, cluster.identity.members.length);
}

/** What the first majority to answer knows of a leader; equal text = no new beat. */
async function readSigns({ clients }: Cluster): Promise<ReadonlyMap<RegionId, string>> {
  const signs = new Map<RegionId, string>();
  const reads = [...clients.values()].map(async (client) => {
    const outcome = await client.readBeat();
    if (outcome.kind === 'found') {
      signs.set(client.region, `${outcome.beat.term}/${outcome.beat.counter}`);
    } else if (outcome.kind === 'absent') {
      signs.set(client.region, 'never');
    }
  });
  await settledOrEnough(reads, () => isMajority(signs.size, clients.size));
  return new Map(signs);
}

/**
 * One election, in a term above all that its electorate shows and above `termSeen`, which a register
 * that is not asked may be in. Never waits for a slow minority.
 */
export async function elect(cluster: Cluster, termSeen: number = 0): Promise<Election> {
  const { members } = cluster.identity;
  const mayVote = (answers: readonly Server[]) => isElectorate(answers, members.length);
  const servers = await readAll(cluster, mayVote);
  if (!mayVote(servers)) {
    return { kind: 'no-quorum' };
  }
  const candidate = bestCandidate(servers, cluster.identity.region);
  const term = termOf(Math.max(termSeen, ...servers.map((server) => server.term)) + 1);
  const client = clientOf(cluster, candidate.identity.region);
  const own = await client.exchange(() => ({ kind: 'campaign', term }));
  if (own.kind !== 'answered' || own.reply.kind === 'no') {
    return { kind: 'lost', detail: `${client.region} did not stand for term ${term}` };
  }
  const hasMajority = await collectVotes(cluster, { term, candidate: own.server });
  if (!hasMajority) {
    return { kind: 'lost', detail: `${client.region} got no majority in term ${term}` };
  }
  const led = await client.exchange(() => ({ kind: 'lead', term }));
  return led.kind === 'answered' && led.reply.kind === 'yes'
    ? { kind: 'won', leader: led.server }
    : { kind: 'lost', detail: `${client.region} could not take the lead of term ${term}` };
}

/**
 * A majority; and for the first election of all, every register: a cluster that is still being made
 * must not vote, or a register that is not made yet would look like one that was lost.
 */
function isElectorate(servers: readonly Server[], memberCount: number): boolean {
  const isFirst = servers.every(({ term }) => term === 0);
  return isFirst ? servers.length === memberCount : isMajority(servers.length, memberCount);
}

function bestCandidate(servers: readonly Server[], preferred: RegionId): Server {
  return servers.reduce((best, server) => {
    const order = compareLogs(lastEntry(server), lastEntry(best));
    const isPreferred = order === 0 && server.identity.region === preferred;
    return order > 0 || isPreferred ? server : best;
  });
}

interface Candidacy {
  readonly term: Term;
  /** The candidate's register after its own vote. */
  readonly candidate: Server;
}

async function collectVotes(cluster: Cluster, { term, candidate }: Candidacy): Promise<boolean> {
  const { members } = cluster.identity;
  const { region } = candidate.identity;
  const last: Base = { index: lastEntry(candidate).index, term: lastEntry(candidate).term };
  let votes = 1;
  let refusals = 0;
  const requests = members
    .filter((member) => member !== region)
    .map(async (member) => {
      const client = clientOf(cluster, member);
      const answer = await client.exchange(() => ({ kind: 'vote', term, candidate: region, last }));
      const isYes = answer.kind === 'answered' && answer.reply.kind === 'yes';
      votes += isYes ? 1 : 0;
      refusals += answer.kind === 'answered' && !isYes ? 1 : 0;
    });
  const isWon = () => isMajority(votes, members.length);
  const isLost = () => !isMajority(members.length - refusals, members.length);
  await settledOrEnough(requests, () => isWon() || isLost());
  return isWon();
}
