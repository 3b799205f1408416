/**
 * Watches at a high rate who is active: each region's routing answers, and DNS.
 *
 * Two requests about two sites are not one look: the state may change between them. So each look is
 * a sandwich, the same site before and after the other. Only what holds on both sides of the middle
 * answer held at one instant, and counts as a violation.
 */
import { DNS_NAME, EAST, type LocalCluster, OTHER, REGIONS, SERVICE, WEST } from './cluster.ts';
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

type Seen = { -readonly [name in keyof Activity]: Activity[name] };

/** Samples until `stop` is called, which resolves with what was seen. */
export function sampleActivity(cluster: LocalCluster): { readonly stop: () => Promise<Activity> } {
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
    for (let first = EAST; !isOver; first = OTHER[first.address] ?? EAST) {
      await lookTwice(cluster, { region, first }, seen);
      await sleep(PAUSE_MS);
    }
  };
  const watchDns = async () => {
    for (let last: string | null = null; !isOver; ) {
      last = await lookAtDns(cluster, last, seen);
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

async function lookTwice(
  cluster: LocalCluster,
  { region, first }: { readonly region: string; readonly first: typeof EAST },
  seen: Seen,
): Promise<void> {
  const second = OTHER[first.address] ?? WEST;
  const answers = [
    await isActive(cluster, region, first.site),
    await isActive(cluster, region, second.site),
    await isActive(cluster, region, first.site),
  ];
  seen.looks += answers.includes(null) ? 0 : 1;
  seen.bothActive += answers.every((answer) => answer === true) ? 1 : 0;
  seen.noneActive += answers.every((answer) => answer === false) ? 1 : 0;
}

/** Returns the answer, for the next look to compare with. */
async function lookAtDns(
  cluster: LocalCluster,
  last: string | null,
  seen: Seen,
): Promise<string | null> {
  const answer = (await ask(cluster.file.dns, DNS_NAME))?.join() ?? null;
  if (answer === null) {
    return last;
  }
  seen.dnsAnswers += 1;
  seen.dnsNotOne += OTHER[answer] === undefined ? 1 : 0;
  seen.dnsChanges += last !== null && last !== answer ? 1 : 0;
  return answer;
}

/** null = the region did not say. */
async function isActive(
  cluster: LocalCluster,
  region: string,
  site: string,
): Promise<boolean | null> {
  const answer = await cluster.get(region, `/v1/routing/${SERVICE}/${site}`);
  return answer === null ? null : answer.status === 200;
}
