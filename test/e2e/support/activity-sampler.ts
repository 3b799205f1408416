/**
 * Watches at a high rate who is active: each region's routing answers, and DNS.
 *
 * Two requests about two sites are not one look: the state may change between them. So each look is
 * a sandwich, the same site before and after the other. Only what holds on both sides of the middle
 * answer held at one instant, and counts as a violation.
 */
import { DNS_NAME, EAST, type LocalCluster, REGIONS, SERVICE, WEST } from './cluster.ts';
import { ask } from './dns.ts';
import { sleep } from './wait.ts';

const PAUSE_MS = 5;

export interface Activity {
  readonly looks: number;
  /** Looks in which both sites were active at one instant, by the answers of one region. */
  readonly bothActive: number;
  /** Looks in which no site was. */
  readonly noneActive: number;
  readonly dnsAnswers: number;
  /** DNS answers that were not exactly one address. */
  readonly dnsNotOne: number;
  /** How often the DNS answer changed. */
  readonly dnsChanges: number;
}

interface PlacedSite {
  readonly site: string;
  readonly address: string;
}

/** A service of two sites. */
export interface Watched {
  readonly service: string;
  readonly dnsName: string;
  readonly sites: readonly [PlacedSite, PlacedSite];
}

const CHECKOUT: Watched = { service: SERVICE, dnsName: DNS_NAME, sites: [EAST, WEST] };

type Seen = { -readonly [name in keyof Activity]: Activity[name] };

/** Samples until `stop` is called, which resolves with what was seen. */
export function sampleActivity(
  cluster: LocalCluster,
  watched: Watched = CHECKOUT,
): { readonly stop: () => Promise<Activity> } {
  const [east, west] = watched.sites;
  const seen: Seen = {
    looks: 0,
    bothActive: 0,
    noneActive: 0,
    dnsAnswers: 0,
    dnsNotOne: 0,
    dnsChanges: 0,
  };
  let isOver = false;
  const watchRegion = async (region: string) => {
    for (let outer = east; !isOver; outer = outer === east ? west : east) {
      const inner = outer === east ? west : east;
      const isActive = ({ site }: PlacedSite) => answered(cluster, { region, watched, site });
      await lookTwice([() => isActive(outer), () => isActive(inner)], seen);
      await sleep(PAUSE_MS);
    }
  };
  const watchDns = async () => {
    for (let last: string | null = null; !isOver; ) {
      last = await lookAtDns({ cluster, watched }, last, seen);
      await sleep(PAUSE_MS);
    }
  };
  const loops = Promise.all([...REGIONS.map(watchRegion), watchDns()]);
  return {
    stop: async () => {
      isOver = true;
      await loops;
      return seen;
    },
  };
}

type Question = () => Promise<boolean | null>;

/** Asks for the first before and after the second. */
async function lookTwice(
  [first, second]: readonly [outer: Question, inner: Question],
  seen: Seen,
): Promise<void> {
  const answers = [await first(), await second(), await first()];
  seen.looks += answers.includes(null) ? 0 : 1;
  seen.bothActive += answers.every((answer) => answer === true) ? 1 : 0;
  seen.noneActive += answers.every((answer) => answer === false) ? 1 : 0;
}

/** Returns the answer, for the next look to compare with. */
async function lookAtDns(
  { cluster, watched }: { readonly cluster: LocalCluster; readonly watched: Watched },
  last: string | null,
  seen: Seen,
): Promise<string | null> {
  const answer = (await ask(cluster.file.dns, watched.dnsName))?.join() ?? null;
  if (answer === null) {
    return last;
  }
  seen.dnsAnswers += 1;
  seen.dnsNotOne += watched.sites.some(({ address }) => address === answer) ? 0 : 1;
  seen.dnsChanges += last !== null && last !== answer ? 1 : 0;
  return answer;
}

/** Whether the region answers that traffic belongs to the site; null = it did not say. */
async function answered(
  cluster: LocalCluster,
  {
    region,
    watched,
    site,
  }: { readonly region: string; readonly watched: Watched; readonly site: string },
): Promise<boolean | null> {
  const answer = await cluster.get(region, `/v1/routing/${watched.service}/${site}`);
  return answer === null ? null : answer.status === 200;
}
