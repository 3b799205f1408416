/** The processes of the benchmarks: production code from the log host down, one process a region. */
import { commandId, type RegionId } from '../../lib/base/identifiers.ts';
import { createCluster } from '../../lib/consensus/cluster.ts';
import { Compactor } from '../../lib/consensus/compactor.ts';
import { elect } from '../../lib/consensus/elector.ts';
import { LogHost } from '../../lib/consensus/log-host.ts';
import { Pulse } from '../../lib/consensus/pulse.ts';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import type { StateMachine } from '../../lib/consensus/replica.ts';
import type { ConsensusTimings } from '../../lib/consensus/settings.ts';
import { CONTROL_TIMINGS } from '../../lib/control/limits.ts';
import { SYSTEM_CLOCK, sha256 } from '../../lib/local/system-clock.ts';
import { distantPort, type Links } from './links.ts';
import { type BenchRegions, pause, REGIONS, registerOf } from './regions.ts';

/** Counts what it applies: the log is measured, not an application. */
export const COUNTER: StateMachine<number> = {
  initial: 0,
  apply: (count) => ({ state: count + 1, result: { count: count + 1 } }),
};

export interface BenchProcess {
  readonly region: RegionId;
  readonly cluster: ReturnType<typeof createCluster>;
  readonly host: LogHost<number>;
  readonly compactor: Compactor<number>;
}

export interface ProcessOptions {
  readonly regions: BenchRegions;
  readonly links: Links;
  readonly timings: ConsensusTimings;
  /** What stands between the process and the link; for figures about single calls. */
  readonly watch?: (from: RegionId, port: RegisterPort) => RegisterPort;
}

export function createProcess(options: ProcessOptions, region: RegionId): BenchProcess {
  const { regions, links, timings, watch = (_, port) => port } = options;
  const cluster = createCluster({
    identity: { clusterId: 'bench', region, founders: REGIONS },
    registers: regions.all.map((one) => watch(region, distantPort(links, region, registerOf(one)))),
    timings,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    log: () => undefined,
  });
  const host = new LogHost({ cluster, machine: COUNTER, sha256 });
  return { region, cluster, host, compactor: new Compactor(cluster, host) };
}

/** Makes the process's region lead. */
export async function takeLead({ cluster, host }: BenchProcess): Promise<void> {
  const election = await elect(cluster);
  if (election.kind !== 'won') {
    throw new Error(`the election was ${election.kind}`);
  }
  await host.lead(election.leader);
}

/** Beats, elects, follows and compacts, as a control region does, until the end. Returns how to end it. */
export function run({ cluster, host, compactor }: BenchProcess): () => Promise<void> {
  let isOver = false;
  const pulse = new Pulse(cluster, host);
  const repeat = async (periodMs: number, round: () => Promise<void>) => {
    while (!isOver) {
      await round();
      await pause(periodMs);
    }
  };
  const loops = Promise.all([
    repeat(cluster.timings.beatMs, () => pulse.tick()),
    repeat(CONTROL_TIMINGS.tickMs, () => compactor.tick(host.replica.applied.index)),
  ]);
  return async () => {
    isOver = true;
    await loops;
  };
}

let commands = 0;

/** Commits one command with a text of so many bytes; throws unless it did. */
export async function commit({ host }: BenchProcess, bytes: number): Promise<void> {
  commands += 1;
  const outcome = await host.propose(commandId(`bench-${commands}`), { text: 'x'.repeat(bytes) });
  if (outcome.kind !== 'committed') {
    throw new Error(`a command was ${JSON.stringify(outcome)}`);
  }
}
