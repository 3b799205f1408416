/**
 * The simulated way between a process and a register: slow, lossy, late, cut.
 *
 *     caller ── request (delay, may be lost) ──▶ store acts ── reply (delay, may be lost) ──▶ caller
 *        └── gives up after the timeout: unknown; the request may still arrive and act later
 */
import type { Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { Identity } from '../consensus/server.ts';
import { type MemoryRegister, memoryRegisterPort } from './memory-register.ts';
import type { Vitality, World } from './world.ts';

export interface NetworkFaults {
  /** Chances, each 0 to 1, of one request. */
  lossChance: number;
  lateChance: number;
  duplicateChance: number;
}

export interface FaultCounts {
  lostRequests: number;
  lostReplies: number;
  lateRequests: number;
  duplicates: number;
  cut: number;
}

export class Network {
  readonly world: World;
  readonly random: Random;
  readonly faults: NetworkFaults = { lossChance: 0, lateChance: 0, duplicateChance: 0 };
  readonly counts: FaultCounts = {
    lostRequests: 0,
    lostReplies: 0,
    lateRequests: 0,
    duplicates: 0,
    cut: 0,
  };
  /** Stores that answer nobody. */
  readonly down = new Set<RegionId>();
  /** `from>to` ways that are cut, one direction of requests each. */
  readonly cutWays = new Set<string>();

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
  }

  isCut(from: RegionId, to: RegionId): boolean {
    return this.down.has(to) || this.cutWays.has(`${from}>${to}`);
  }

  /** 1 to 3 ms within a region, 10 to 40 ms between regions. */
  delayMs(from: RegionId, to: RegionId): number {
    return from === to ? 1 + this.random() * 2 : 10 + this.random() * 30;
  }
}

export interface Caller {
  readonly region: RegionId;
  readonly vitality: Vitality;
}

const TIMEOUT_MS = 200;
const LATE_MS_MAX = 3000;

interface Way {
  readonly network: Network;
  readonly caller: Caller;
  readonly to: RegionId;
}

/** The port that a process in `caller.region` has to the register of `identity.region`. */
export function simulatedRegisterPort(
  network: Network,
  caller: Caller,
  { store, identity }: { readonly store: MemoryRegister; readonly identity: Identity },
): RegisterPort {
  const port = memoryRegisterPort(store, identity);
  const way: Way = { network, caller, to: identity.region };
  const unreachable = { kind: 'unreachable', cause: 'simulated' } as const;
  const unknown = { kind: 'unknown', cause: 'simulated' } as const;
  return {
    region: identity.region,
    read: () => send(way, () => port.read(), unreachable),
    compareAndSet: (expected, server) =>
      send(way, () => port.compareAndSet(expected, server), unknown),
    readBeat: () => send(way, () => port.readBeat(), unreachable),
    writeBeat: (beat) => send(way, () => port.writeBeat(beat), false),
    readSnapshot: (base) => send(way, () => port.readSnapshot(base), null),
    writeSnapshot: (base, text) => send(way, () => port.writeSnapshot(base, text), false),
    dropSnapshotsBelow: (index) => send(way, () => port.dropSnapshotsBelow(index), undefined),
  };
}

/** One request and its reply through the network. A dead caller never hears anything again. */
function send<Answer>(way: Way, act: () => Promise<Answer>, onTimeout: Answer): Promise<Answer> {
  const { network, caller, to } = way;
  const { world, random, faults, counts } = network;
  return new Promise((resolve, reject) => {
    const settle = (answer: Answer) => caller.vitality.deliver(() => resolve(answer));
    const replyLater = (answer: Answer) => {
      if (random() < faults.lossChance) {
        counts.lostReplies += 1;
        return;
      }
      world.after(network.delayMs(to, caller.region), () => settle(answer));
    };
    const arrive = () => {
      if (network.isCut(caller.region, to)) {
        counts.cut += 1;
        return;
      }
      act().then(replyLater, reject);
    };
    world.after(TIMEOUT_MS, () => settle(onTimeout));
    if (random() < faults.lossChance) {
      counts.lostRequests += 1;
      return;
    }
    const isLate = random() < faults.lateChance;
    counts.lateRequests += isLate ? 1 : 0;
    world.after(network.delayMs(caller.region, to) + (isLate ? random() * LATE_MS_MAX : 0), arrive);
    if (random() < faults.duplicateChance) {
      counts.duplicates += 1;
      world.after(network.delayMs(caller.region, to) + random() * LATE_MS_MAX, arrive);
    }
  });
}
