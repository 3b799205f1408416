/** Memory registers of three or five regions, and processes over them, each with ports of its own. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  type CommandId,
  commandId,
  type RegionId,
  regionId,
} from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import { bootstrapCluster } from '../../../lib/consensus/bootstrap.ts';
import { type Cluster, createCluster } from '../../../lib/consensus/cluster.ts';
import { Compactor } from '../../../lib/consensus/compactor.ts';
import { elect } from '../../../lib/consensus/elector.ts';
import { LogHost } from '../../../lib/consensus/log-host.ts';
import type { StateMachine } from '../../../lib/consensus/replica.ts';
import { isLeader, type Server } from '../../../lib/consensus/server.ts';
import { LOCAL_TIMINGS, LOG_LIMITS, type LogLimits } from '../../../lib/consensus/settings.ts';
import { MemoryRegister, memoryRegisterPort } from '../../../lib/simulation/memory-register.ts';
import { seededRandom } from '../../../lib/simulation/random.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { type FaultyPort, faultyPort } from './faulty-port.ts';

const ALL_REGIONS = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1'];
export const [A, B, C, D, E] = ALL_REGIONS.map(regionId) as [
  RegionId,
  RegionId,
  RegionId,
  RegionId,
  RegionId,
];

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The state is the list of the bodies that were applied. */
export const LIST_MACHINE: StateMachine<readonly JsonValue[]> = {
  initial: [],
  apply: (state, { body }) => ({ state: [...state, body], result: { place: state.length } }),
};

export interface Process {
  readonly cluster: Cluster;
  readonly host: LogHost<readonly JsonValue[]>;
  readonly compactor: Compactor<readonly JsonValue[]>;
  readonly ports: ReadonlyMap<RegionId, FaultyPort>;
  /** Events that it logged, as `level event`. */
  readonly logged: string[];
}

export interface Registers {
  readonly clock: ManualClock;
  readonly regions: readonly RegionId[];
  /** A new process in this region. */
  readonly process: (region: RegionId) => Process;
  /** What really stands in the region's register. */
  readonly serverAt: (region: RegionId) => Server;
  readonly storeAt: (region: RegionId) => MemoryRegister;
}

interface RegistersOptions {
  readonly memberCount?: 3 | 5;
  readonly limits?: Partial<LogLimits>;
  /** False: the registers do not exist yet. */
  readonly isBootstrapped?: boolean;
  /** Processes have a way to this region too, whose table is empty. */
  readonly spare?: RegionId;
}

export async function createRegisters({
  memberCount = 3,
  limits = {},
  isBootstrapped = true,
  spare,
}: RegistersOptions = {}): Promise<Registers> {
  const clock = createManualClock();
  let processCount = 0;
  const founding = [A, B, C, D, E].slice(0, memberCount);
  const members = founding.toSorted();
  const regions = spare === undefined ? founding : [...founding, spare];
  const stores = new Map(regions.map((region) => [region, new MemoryRegister()]));
  const storeAt = (region: RegionId) => stores.get(region) ?? new MemoryRegister();
  const portTo = (region: RegionId) =>
    memoryRegisterPort(storeAt(region), { clusterId: 'test', region, founders: members });
  if (isBootstrapped) {
    await bootstrapCluster({
      registers: founding.map(portTo),
      clusterId: 'test',
      founders: members,
    });
  }
  return {
    clock,
    regions,
    storeAt,
    serverAt: (region) => {
      const server = storeAt(region).copy?.server;
      return server ?? (Promise.reject(new Error(`no register in ${region}`)) as never);
    },
    process: (region) => {
      const ports = new Map(regions.map((to) => [to, faultyPort(portTo(to))]));
      const logged: string[] = [];
      processCount += 1;
      const cluster = createCluster({
        identity: { clusterId: 'test', region, founders: members },
        registers: [...ports.values()].map(({ port }) => port),
        timings: LOCAL_TIMINGS,
        limits: { ...LOG_LIMITS, ...limits },
        clock,
        random: seededRandom(20_261_123 + processCount),
        log: (level, event) => logged.push(`${level} ${event}`),
      });
      const host = new LogHost({ cluster, machine: LIST_MACHINE, sha256 });
      return { cluster, host, compactor: new Compactor(cluster, host), ports, logged };
    },
  };
}

export function portOf({ ports }: Process, region: RegionId): FaultyPort {
  const port = ports.get(region);
  if (port === undefined) {
    throw new Error(`no port to ${region}`);
  }
  return port;
}

/** Makes this process's region lead, if it can, and commits the no-op. */
export async function takeLead({ cluster, host }: Process): Promise<Server> {
  const election = await elect(cluster);
  if (election.kind !== 'won') {
    throw new Error(`election ${JSON.stringify(election)}`);
  }
  await host.lead(election.leader);
  return election.leader;
}

export function propose({ host }: Process, name: string): ReturnType<Process['host']['propose']> {
  return host.propose(idOf(name), name);
}

export function idOf(name: string): CommandId {
  return commandId(`id-${name}`);
}

/** Bodies in a register's log; the no-op is null. */
export function bodiesOf({ entries }: Server): readonly JsonValue[] {
  return entries.map(({ command }) => command?.body ?? null);
}

export function leadersOf({ regions, serverAt }: Registers): readonly RegionId[] {
  return regions.filter((region) => isLeader(serverAt(region)));
}

/** Lets everything that can happen without time passing happen. */
export async function settle(): Promise<void> {
  for (let rounds = 0; rounds < 20; rounds += 1) {
    await setImmediate();
  }
}
