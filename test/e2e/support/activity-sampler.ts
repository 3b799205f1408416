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

/** Samples until `stop` is called, which resolves with what was seen. */
export function sampleActivity(cluster: LocalCluster): { readonly stop: () => Promise<Activity> } {
  const seen = {
    looks: 0,
    bothActive: 0,
    noneActive: 0,
    dnsAnswers: 0,
    dnsNotOne: 0,
    dnsChanges: 0,
  };
  let isOver = false;
  const look = async (region: string) => {
    for (let first = EAST; !isOver; first = first === EAST ? WEST : EAST) {
      const second = first === EAST ? WEST : EAST;
      const answers = [
        await isActive(cluster, region, first.site),
        await isActive(cluster, region, second.site),
        await isActive(cluster, region, first.site),
      ];
      seen.looks += answers.includes(null) ? 0 : 1;
      seen.bothActive += answers.every((answer) => answer === true) ? 1 : 0;
      seen.noneActive += answers.every((answer) => answer === false) ? 1 : 0;
      await sleep(PAUSE_MS);
    }
  };
  const resolve = async () => {
    let last: string | null = null;
    while (!isOver) {
      const values = await ask(cluster.file.dns, DNS_NAME);
      if (values !== null) {
        const answer = values.join();
        seen.dnsAnswers += 1;
        seen.dnsNotOne += answer === EAST.address || answer === WEST.address ? 0 : 1;
        seen.dnsChanges += last !== null && last !== answer ? 1 : 0;
        last = answer;
      }
      await sleep(PAUSE_MS);
    }
  };
  const loops = Promise.all([...REGIONS.map(look), resolve()]);
  return {
    stop: async () => {
      isOver = true;
      await loops;
      return seen;
    },
  };
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
