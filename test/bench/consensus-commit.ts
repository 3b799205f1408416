/**
 * (b) A commit against the two writes below it, in pairs, so that whatever else the machine does meets
 * both; and (f) the requests that a commit costs, and an idle log.
 */

import { LOCAL_TIMINGS } from '../../lib/consensus/settings.ts';
import { CONTROL_TIMINGS } from '../../lib/control/limits.ts';
import { localLinks } from './links.ts';
import { type Benchmark, median, quantile, rounded, timeOfAsync } from './measure.ts';
import { type BenchProcess, commit, createProcess, run, takeLead } from './processes.ts';
import { RawRegister } from './raw-writes.ts';
import {
  type BenchRegions,
  EAST_1,
  EAST_2,
  pause,
  quiet,
  REGIONS,
  regionIn,
  startRegions,
  trafficOf,
} from './regions.ts';

const PAIRS = 300;
const WARM_UP = 50;
const COMMAND_BYTES = 100;
/** How many pairs come between two looks at the registers' sizes. */
const COMPACTION_PAIRS = 20;
const COUNTED_COMMITS = 50;
/** Few enough that no register grows so far that the leader must make room in it. */
const QUEUED_COMMANDS = 250;
const IDLE_SECONDS = 5;

export async function benchCommits(): Promise<Benchmark> {
  const regions = await startRegions();
  const options = { regions, links: localLinks(), timings: LOCAL_TIMINGS };
  const processes = REGIONS.map((region) => createProcess(options, region));
  const [leader] = processes;
  if (leader === undefined) {
    throw new Error('needs a process');
  }
  await takeLead(leader);
  const figures = {
    ...(await againstRawWrites(regions, processes, leader)),
    ...(await requestsOfCommits(regions, leader)),
    ...(await requestsOfQueue(regions, leader)),
    ...(await requestsOfIdling(regions, processes, leader)),
  };
  await regions.close();
  return figures;
}

async function againstRawWrites(
  regions: BenchRegions,
  processes: readonly BenchProcess[],
  process: BenchProcess,
): Promise<Benchmark> {
  const raw = [EAST_1, EAST_2].map((region) => new RawRegister(regionIn(regions, region)));
  const commits: number[] = [];
  const writes: number[] = [];
  const timeCommit = async () => {
    await quiet(regions);
    commits.push(await timeOfAsync(() => commit(process, COMMAND_BYTES)));
  };
  const timeWrites = async () => {
    await quiet(regions);
    writes.push(
      await timeOfAsync(async () => {
        for (const register of raw) {
          await register.write();
        }
      }),
    );
  };
  await commit(process, COMMAND_BYTES);
  for (let pair = 0; pair < PAIRS + WARM_UP; pair += 1) {
    // Whoever comes second finds a warmer machine: they take turns.
    for (const time of pair % 2 === 0 ? [timeCommit, timeWrites] : [timeWrites, timeCommit]) {
      await time();
    }
    if (pair % COMPACTION_PAIRS === 0) {
      await compact(processes, process);
    }
  }
  const [ours, theirs] = [commits.slice(WARM_UP), writes.slice(WARM_UP)];
  return {
    commitMedianMs: rounded(median(ours)),
    commitP99Ms: rounded(quantile(ours, 0.99)),
    rawTwoWritesMedianMs: rounded(median(theirs)),
    rawTwoWritesP99Ms: rounded(quantile(theirs, 0.99)),
    commitOverRaw: rounded(median(ours) / median(theirs)),
    commitOverRawOfPairs: rounded(median(ours.map((time, pair) => time / (theirs[pair] ?? time)))),
  };
}

/** Between two pairs, as the regions do once a second: no commit waits for it, and no write either. */
async function compact(processes: readonly BenchProcess[], leader: BenchProcess): Promise<void> {
  for (const { host, compactor } of processes) {
    await host.follow(leader.host.commit);
    await compactor.tick(host.replica.applied.index);
    await compactor.tick(host.replica.applied.index);
  }
}

/** Commits one after the other: one write a voter each, and no read. */
async function requestsOfCommits(regions: BenchRegions, process: BenchProcess): Promise<Benchmark> {
  const spent = await requestsOf(regions, async () => {
    for (let count = 0; count < COUNTED_COMMITS; count += 1) {
      await commit(process, COMMAND_BYTES);
      await quiet(regions);
    }
  });
  return {
    writesPerVoterAndCommitMax: Math.max(...spent.writes) / COUNTED_COMMITS,
    writesPerVoterAndCommitMin: Math.min(...spent.writes) / COUNTED_COMMITS,
    readsPerCommit: spent.reads / COUNTED_COMMITS,
  };
}

/** Commands that come all at once: the leader's writes are the batches. */
async function requestsOfQueue(regions: BenchRegions, process: BenchProcess): Promise<Benchmark> {
  const spent = await requestsOf(regions, () =>
    Promise.all(Array.from({ length: QUEUED_COMMANDS }, () => commit(process, COMMAND_BYTES))),
  );
  const [batches = 0] = spent.writes;
  return {
    queuedCommands: QUEUED_COMMANDS,
    queuedBatches: batches,
    queuedWritesPerVoterAndBatchMax: rounded(Math.max(...spent.writes) / batches),
    queuedReads: spent.reads,
  };
}

/** Three processes that beat and follow, and nobody who wants anything. */
async function requestsOfIdling(
  regions: BenchRegions,
  processes: readonly BenchProcess[],
  process: BenchProcess,
): Promise<Benchmark> {
  const ends = processes.map(run);
  await pause(2 * CONTROL_TIMINGS.tickMs);
  const before = process.host.replica.applied.index;
  const spent = await requestsOf(regions, () => pause(IDLE_SECONDS * 1000));
  const entries = process.host.replica.applied.index - before;
  await Promise.all(ends.map((end) => end()));
  return {
    idleSeconds: IDLE_SECONDS,
    idleRegisterWrites: spent.writes.reduce((sum, writes) => sum + writes, 0),
    idleEntries: entries,
  };
}

async function requestsOf(
  regions: BenchRegions,
  work: () => Promise<unknown>,
): Promise<{ readonly writes: readonly number[]; readonly reads: number }> {
  await quiet(regions);
  const before = trafficOf(regions);
  await work();
  await quiet(regions);
  const after = trafficOf(regions);
  return {
    writes: after.map(({ writes }, place) => writes - (before[place]?.writes ?? 0)),
    reads: after.reduce((sum, { reads }, place) => sum + reads - (before[place]?.reads ?? 0), 0),
  };
}
