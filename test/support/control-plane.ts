/**
 * A whole cluster in one process: the real control region of us-east-1 over three registers, a
 * health table, a DNS zone and a snapshot store in memory, on a clock that the test moves.
 *
 * The other two regions are registers that answer, or not: what they have to say of a site, a test
 * commits for them.
 */
import { createHash } from 'node:crypto';
import type { SnapshotStore } from '../../lib/backup/snapshot-store.ts';
import { commandId, regionId } from '../../lib/base/identifiers.ts';
import { bootstrapCluster } from '../../lib/consensus/bootstrap.ts';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import { LOCAL_TIMINGS } from '../../lib/consensus/settings.ts';
import type { CommandResult, ControlCommand } from '../../lib/control/commands.ts';
import type { ControlPlane } from '../../lib/control/control-plane.ts';
import { createControlRegion } from '../../lib/control/control-region.ts';
import type { HealthStore } from '../../lib/control/health-store.ts';
import { applyBatch, createZone, recordSetsAt } from '../../lib/local/dns/zone.ts';
import type { SwitchPort, VerifyPort } from '../../lib/recovery/switch-port.ts';
import { MemoryActions } from '../../lib/simulation/memory-actions.ts';
import { MemoryHealthTable, memoryHealthStore } from '../../lib/simulation/memory-health-store.ts';
import { MemoryRegister, memoryRegisterPort } from '../../lib/simulation/memory-register.ts';
import { memoryReportStore } from '../../lib/simulation/memory-report-store.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import type { ManualClock } from './manual-clock.ts';
import { memoryProbes } from './memory-probes.ts';

export const REGIONS = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);

/** How the registers of the other two regions behave. */
export type Weather =
  | 'fine'
  /** They do not answer at all. */
  | 'cut-off'
  /** Their writes get lost: nobody knows. */
  | 'lossy';

export interface MemoryCluster {
  readonly plane: ControlPlane;
  /** What is stored of each site. */
  readonly health: MemoryHealthTable;
  readonly setWeather: (weather: Weather) => void;
  /** Whether this region's health table answers writes. */
  readonly setHealthTable: (answers: boolean) => void;
  /** Commits a command as another region or the operator would. */
  readonly commit: (command: ControlCommand) => Promise<CommandResult>;
  readonly stop: () => Promise<void>;
}

const CLUSTER_ID = 'test';
const [OWN = regionId('us-east-1')] = REGIONS;
const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

/** Resolves when us-east-1 leads. */
export async function startMemoryCluster(clock: ManualClock): Promise<MemoryCluster> {
  const health = new MemoryHealthTable();
  let weather: Weather = 'fine';
  let answers = true;
  const registers = REGIONS.map((member) => {
    const identity = { clusterId: CLUSTER_ID, region: member, founders: REGIONS };
    const port = memoryRegisterPort(new MemoryRegister(), identity);
    return member === OWN ? port : underWeather(port, () => weather);
  });
  await bootstrapCluster({ registers, clusterId: CLUSTER_ID, founders: REGIONS });
  const store = memorySnapshotStore();
  const region = createControlRegion({
    identity: { clusterId: CLUSTER_ID, region: OWN, founders: REGIONS },
    registers,
    health: faltering(memoryHealthStore(health), () => answers),
    stores: { own: store, all: new Map([[OWN, store]]) },
    ...memoryZone(),
    probePort: memoryProbes(clock).port,
    actions: new MemoryActions({ clock, growMs: 1000, moveMs: 1000 }).ports,
    reports: memoryReportStore(),
    timings: LOCAL_TIMINGS,
    clock,
    random: seededRandom(20_261_123),
    sha256,
    log: () => undefined,
  });
  const { plane } = region;
  region.start();
  while (plane.status().position.leader === null) {
    await clock.advance(LOCAL_TIMINGS.beatMs);
  }
  let commands = 0;
  return {
    plane,
    health,
    setWeather: (next) => {
      weather = next;
    },
    setHealthTable: (next) => {
      answers = next;
    },
    commit: async (command) => {
      commands += 1;
      const outcome = await plane.propose(commandId(`test-${commands}`), command);
      return outcome.kind === 'committed'
        ? outcome.result
        : Promise.reject(new Error(outcome.kind));
    },
    stop: async () => {
      const stopped = region.stop();
      await clock.advance(60_000);
      await stopped;
    },
  };
}

function underWeather(port: RegisterPort, weather: () => Weather): RegisterPort {
  const cause = 'the weather of the test';
  return {
    region: port.region,
    read: async () =>
      weather() === 'cut-off' ? { kind: 'unreachable', cause } : await port.read(),
    compareAndSet: async (expected, server) =>
      weather() === 'fine'
        ? await port.compareAndSet(expected, server)
        : weather() === 'lossy'
          ? { kind: 'unknown', cause }
          : { kind: 'refused', code: 'unreachable', cause },
    readBeat: async () =>
      weather() === 'cut-off' ? { kind: 'unreachable', cause } : await port.readBeat(),
    writeBeat: async (beat) => weather() === 'fine' && (await port.writeBeat(beat)),
    readSnapshot: async (base) => (weather() === 'cut-off' ? null : await port.readSnapshot(base)),
    writeSnapshot: async (base, text) =>
      weather() === 'fine' && (await port.writeSnapshot(base, text)),
    dropSnapshotsBelow: (index) => port.dropSnapshotsBelow(index),
  };
}

function faltering(store: HealthStore, answers: () => boolean): HealthStore {
  return {
    ...store,
    write: async (expected, record, wakeAt) =>
      answers()
        ? await store.write(expected, record, wakeAt)
        : { kind: 'unknown', cause: 'the table does not answer' },
  };
}

function memorySnapshotStore(): SnapshotStore {
  const objects = new Map<string, Uint8Array>();
  return {
    put: async (key, bytes) => {
      const standing = objects.get(key);
      if (standing !== undefined) {
        return Buffer.compare(standing, bytes) === 0
          ? { kind: 'already-stored' }
          : { kind: 'conflict' };
      }
      objects.set(key, bytes);
      return { kind: 'stored' };
    },
    get: async (key) => {
      const bytes = objects.get(key);
      return bytes === undefined ? { kind: 'absent' } : { kind: 'found', bytes };
    },
    list: async (prefix, limit) => ({
      kind: 'listed',
      objects: [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, bytes]) => ({ key, size: bytes.length }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit),
    }),
  };
}

/** A zone that answers at once, and sites that serve. */
function memoryZone(): { readonly switchPort: SwitchPort; readonly verifyPort: VerifyPort } {
  let zone = createZone('example.test', '127.0.0.1');
  return {
    switchPort: {
      read: async (names) => ({
        kind: 'read',
        recordSets: names.flatMap((name) => recordSetsAt(zone, name)),
        foreign: [],
      }),
      change: async (batch) => {
        const outcome = applyBatch(zone, batch);
        if (outcome.kind === 'conflict') {
          return { kind: 'conflict', detail: outcome.problems.join('; ') };
        }
        if (outcome.kind === 'applied') {
          zone = outcome.zone;
          return { kind: 'applied', changeId: String(zone.serial) };
        }
        return outcome;
      },
      changeStatus: async () => ({ kind: 'in-sync' }),
    },
    verifyPort: {
      resolve: async (name, type) => ({
        kind: 'resolved',
        values: recordSetsAt(zone, name).find((set) => set.type === type)?.values ?? [],
      }),
      probe: async () => ({ kind: 'serving', status: 200, elapsedMs: 1 }),
    },
  };
}
