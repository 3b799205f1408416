/**
 * (g) As many commands as one process can commit for some seconds, and the write units that they take
 * from each register: a DynamoDB partition serves 1,000 a second, and throttles what is above.
 */
import { LOCAL_TIMINGS } from '../../lib/consensus/settings.ts';
import { localLinks } from './links.ts';
import { type Benchmark, rounded } from './measure.ts';
import { type BenchProcess, commit, createProcess, run, takeLead } from './processes.ts';
import { type BenchRegions, EAST_1, pause, startRegions, trafficOf } from './regions.ts';

const CALLERS = 256;
/** The burst that a rested register can take is over then. */
const WARM_UP_SECONDS = 2;
const SECONDS = 8;

export async function benchFlow(): Promise<Benchmark> {
  return {
    ...(await sustained('100B', 100)),
    ...(await sustained('1KB', 1000)),
  };
}

async function sustained(name: string, bytes: number): Promise<Benchmark> {
  const regions = await startRegions();
  const options = { regions, links: localLinks(), timings: LOCAL_TIMINGS };
  const process = createProcess(options, EAST_1);
  await takeLead(process);
  const end = run(process);
  const load = startLoad(process, bytes);
  await pause(WARM_UP_SECONDS * 1000);
  const seconds = await measured(regions, () => load.committed());
  await load.end();
  await end();
  await regions.close();
  const total = seconds.reduce((sum, { commands }) => sum + commands, 0);
  const units = seconds.map((second) => second.units);
  return {
    [`sustained${name}CommandsPerSecond`]: Math.round(total / SECONDS),
    [`sustained${name}UnitsPerSecondMean`]: Math.round(units.reduce((a, b) => a + b, 0) / SECONDS),
    [`sustained${name}UnitsPerSecondMax`]: Math.round(Math.max(...units)),
    [`sustained${name}CommandMeanMs`]: rounded((CALLERS * SECONDS * 1000) / total),
    [`sustained${name}Refused`]: load.refused(),
  };
}

interface Load {
  readonly committed: () => number;
  readonly refused: () => number;
  readonly end: () => Promise<void>;
}

/** Callers that send a command as soon as they have an answer to the one before. */
function startLoad(process: BenchProcess, bytes: number): Load {
  let committed = 0;
  let refused = 0;
  let isOver = false;
  const call = async () => {
    while (!isOver) {
      const isCommitted = await commit(process, bytes).then(
        () => true,
        () => false,
      );
      committed += isCommitted ? 1 : 0;
      refused += isCommitted ? 0 : 1;
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, call));
  return {
    committed: () => committed,
    refused: () => refused,
    end: async () => {
      isOver = true;
      await callers;
    },
  };
}

/** Commands of each second, and the units of the register that took most. */
async function measured(
  regions: BenchRegions,
  committed: () => number,
): Promise<readonly { readonly commands: number; readonly units: number }[]> {
  const seconds = [];
  for (let second = 0; second < SECONDS; second += 1) {
    const [units, commands, at] = [trafficOf(regions), committed(), performance.now()];
    await pause(1000);
    const elapsed = (performance.now() - at) / 1000;
    const spent = trafficOf(regions).map((one, place) => one.units - (units[place]?.units ?? 0));
    seconds.push({ commands: committed() - commands, units: Math.max(...spent) / elapsed });
  }
  return seconds;
}
