/**
 * (c) Commits over the distances of three regions of the United States, against the floor of any
 * protocol that keeps two copies: the local write, then the nearest. And (e) what a linearizable read
 * costs over these distances.
 */
import { AWS_TIMINGS } from '../../lib/consensus/settings.ts';
import { type Links, linksAcrossTheUnitedStates, overLink } from './links.ts';
import { type Benchmark, median, quantile, rounded, timeOfAsync } from './measure.ts';
import { type BenchProcess, commit, createProcess, run, takeLead } from './processes.ts';
import { RawRegister } from './raw-writes.ts';
import {
  type BenchRegions,
  EAST_1,
  EAST_2,
  quiet,
  REGIONS,
  regionIn,
  startRegions,
  trafficOf,
} from './regions.ts';

const COMMITS = 300;
const COMMITS_WITHOUT_NEAREST = 100;
const READS = 50;
const COMMAND_BYTES = 100;

export async function benchDistance(): Promise<Benchmark> {
  const regions = await startRegions();
  const links = linksAcrossTheUnitedStates();
  const options = { regions, links, timings: AWS_TIMINGS };
  const processes = REGIONS.map((region) => createProcess(options, region));
  const [leader] = processes;
  if (leader === undefined) {
    throw new Error('needs a process');
  }
  await takeLead(leader);
  const ends = processes.map(run);
  const figures = {
    ...(await commits(regions, links, leader)),
    ...(await reads(regions, links, leader)),
    ...(await withoutNearest(links, leader)),
  };
  links.silent.clear();
  await Promise.all(ends.map((end) => end()));
  await regions.close();
  return figures;
}

async function commits(
  regions: BenchRegions,
  links: Links,
  process: BenchProcess,
): Promise<Benchmark> {
  const own = new RawRegister(regionIn(regions, EAST_1));
  const nearest = new RawRegister(regionIn(regions, EAST_2));
  const ours: number[] = [];
  const floors: number[] = [];
  for (let pair = 0; pair < COMMITS; pair += 1) {
    ours.push(await timeOfAsync(() => commit(process, COMMAND_BYTES)));
    floors.push(
      await timeOfAsync(async () => {
        await own.write();
        await overLink(links.roundTripMs(EAST_1, EAST_2), () => nearest.write());
      }),
    );
  }
  return {
    distantCommitMedianMs: rounded(median(ours)),
    distantCommitP99Ms: rounded(quantile(ours, 0.99)),
    distantCommitMaxMs: rounded(Math.max(...ours)),
    distantFloorMedianMs: rounded(median(floors)),
    distantCommitOverFloor: rounded(median(ours) / median(floors)),
  };
}

/** The nearest region answers nobody any more; from the first commit that meets it so. */
async function withoutNearest(links: Links, process: BenchProcess): Promise<Benchmark> {
  links.silent.add(EAST_2);
  const times: number[] = [];
  for (let count = 0; count < COMMITS_WITHOUT_NEAREST; count += 1) {
    times.push(await timeOfAsync(() => commit(process, COMMAND_BYTES)));
  }
  return {
    withoutNearestMedianMs: rounded(median(times)),
    withoutNearestP99Ms: rounded(quantile(times, 0.99)),
    withoutNearestMaxMs: rounded(Math.max(...times)),
  };
}

/** A confirmed read: one round of strongly consistent reads, as fast as the nearest of them. */
async function reads(
  regions: BenchRegions,
  links: Links,
  process: BenchProcess,
): Promise<Benchmark> {
  const nearest = regionIn(regions, EAST_2);
  const port = process.cluster.clients.get(nearest.region);
  const times: number[] = [];
  const floors: number[] = [];
  let registerReads = 0;
  let registerWrites = 0;
  for (let count = 0; count < READS; count += 1) {
    await quiet(regions);
    const before = trafficOf(regions);
    times.push(await timeOfAsync(() => confirmed(process)));
    await quiet(regions);
    for (const [place, { reads: total, writes }] of trafficOf(regions).entries()) {
      registerReads += total - (before[place]?.reads ?? 0);
      registerWrites += writes - (before[place]?.writes ?? 0);
    }
    floors.push(await timeOfAsync(async () => port?.refresh()));
  }
  return {
    readRegisterReads: rounded(registerReads / READS),
    readRegisterWrites: rounded(registerWrites / READS),
    readMedianMs: rounded(median(times)),
    readOverNearestReadMedian: rounded(median(times) / median(floors)),
    readRoundTripsToNearest: rounded(median(times) / links.roundTripMs(EAST_1, EAST_2)),
  };
}

async function confirmed({ host }: BenchProcess): Promise<void> {
  if (!(await host.confirmLeadership())) {
    throw new Error('a read was not confirmed');
  }
}
