/**
 * (d) A new leader after the old one's register became unreachable, on local timings: how long the
 * others wait on purpose (timeouts, and the look for signs of a leader), and how long the work takes
 * (reads, votes, the lead, and its first entry committed).
 */
import type { RegionId } from '../../lib/base/identifiers.ts';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import { LOCAL_TIMINGS } from '../../lib/consensus/settings.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import { localLinks } from './links.ts';
import { type Benchmark, median, quantile, rounded } from './measure.ts';
import { type BenchProcess, commit, createProcess, run, takeLead } from './processes.ts';
import { pause, REGIONS, startRegions } from './regions.ts';

const SEED = 20_261_123;
const TRIALS = 50;
/** Time in which the lost region comes back, and every process hears who leads. */
const SETTLING_MS = 500;
const TRIAL_MS_MAX = 10_000;

/** When a process did what, in this trial. */
interface Traces {
  readonly looks: Map<RegionId, number>;
  readonly reads: Map<RegionId, number[]>;
  campaign: { readonly region: RegionId; readonly at: number } | null;
}

export async function benchElections(): Promise<Benchmark> {
  const regions = await startRegions();
  const links = localLinks();
  const traces: Traces = { looks: new Map(), reads: new Map(), campaign: null };
  const watch = (from: RegionId, port: RegisterPort) => watched(traces, from, port);
  const options = { regions, links, timings: LOCAL_TIMINGS, watch };
  const processes = REGIONS.map((region) => createProcess(options, region));
  const [first] = processes;
  if (first === undefined) {
    throw new Error('needs a process');
  }
  await takeLead(first);
  const ends = processes.map(run);
  const random = seededRandom(SEED);
  const totals: number[] = [];
  const works: number[] = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const leader = await settled(processes);
    // At any place between two beats.
    await pause(random() * LOCAL_TIMINGS.beatMs);
    traces.campaign = null;
    const startedAt = performance.now();
    const done = newLeader(processes, leader.term);
    links.refusing.add(leader.region);
    const doneAt = await done;
    totals.push(doneAt - startedAt);
    works.push(doneAt - workBeganAt(traces));
    links.refusing.clear();
  }
  await Promise.all(ends.map((end) => end()));
  await regions.close();
  const waits = totals.map((total, trial) => total - (works[trial] ?? 0));
  return {
    electionTrials: TRIALS,
    electionMedianMs: rounded(median(totals)),
    electionP99Ms: rounded(quantile(totals, 0.99)),
    electionWaitMedianMs: rounded(median(waits)),
    electionWaitP99Ms: rounded(quantile(waits, 0.99)),
    electionWorkMedianMs: rounded(median(works)),
    electionWorkP99Ms: rounded(quantile(works, 0.99)),
  };
}

/** Whoever leads when all are level and of one mind again. */
async function settled(
  processes: readonly BenchProcess[],
): Promise<NonNullable<BenchProcess['host']['leader']>> {
  for (let waitedMs = 0; waitedMs < TRIAL_MS_MAX; waitedMs += SETTLING_MS) {
    await pause(SETTLING_MS);
    const leaders = processes.map(({ host }) => host.leader);
    const [leader] = leaders;
    const process = processes.find(({ region }) => region === leader?.region);
    const isAgreed = leaders.every((one) => one?.term === leader?.term);
    if (leader && process && isAgreed) {
      await commit(process, 100);
      return leader;
    }
  }
  throw new Error('the processes do not agree who leads');
}

/** When an entry of a higher term is first known to be committed. */
function newLeader(processes: readonly BenchProcess[], term: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no new leader')), TRIAL_MS_MAX);
    const stops = processes.map(({ host }) =>
      host.onApplied((applied) => {
        if (applied.some(({ entry }) => entry.term > term)) {
          clearTimeout(late);
          for (const stop of stops) {
            stop();
          }
          resolve(performance.now());
        }
      }),
    );
  });
}

function watched(traces: Traces, from: RegionId, port: RegisterPort): RegisterPort {
  return {
    ...port,
    readBeat: () => {
      traces.looks.set(from, performance.now());
      return port.readBeat();
    },
    read: () => {
      traces.reads.set(from, [...(traces.reads.get(from) ?? []), performance.now()].slice(-50));
      return port.read();
    },
    compareAndSet: (revision, server) => {
      if (server.votedFor === port.region && server.leaderOf < server.term) {
        traces.campaign ??= { region: from, at: performance.now() };
      }
      return port.compareAndSet(revision, server);
    },
  };
}

/** The candidate's process had looked for beats a last time, and then began to read the registers. */
function workBeganAt({ looks, reads, campaign }: Traces): number {
  if (campaign === null) {
    throw new Error('a leader without a campaign');
  }
  const lookedAt = Math.min(looks.get(campaign.region) ?? 0, campaign.at);
  const began = reads.get(campaign.region)?.find((at) => at >= lookedAt);
  return began ?? campaign.at;
}
