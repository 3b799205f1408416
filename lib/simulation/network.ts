/**
 * The simulated way between a process and a register: slow, lossy, late, cut.
 *
 *     caller ── request (delay, may be lost) ──▶ store acts ── reply (delay, may be lost) ──▶ caller
 *        └── gives up after the timeout: unknown; the request may still arrive and act later
 *
 * A request may also arrive twice, as behind a router that repeats it: then the caller hears whichever
 * reply comes first, perhaps that its own write stands in its way.
 */
import type { Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { Vitality, World } from './world.ts';

export interface NetworkFaults {
  /** Chances, each 0 to 1, of one request. */
  readonly lossChance: number;
  readonly lateChance: number;
  readonly duplicateChance: number;
  readonly refusalChance: number;
}

export interface FaultCounts {
  lostRequests: number;
  lostReplies: number;
  lateRequests: number;
  duplicates: number;
  refusals: number;
  cut: number;
}

/** How many requests of each kind reached a store. */
export type Traffic = Partial<Record<keyof RegisterPort, number>>;

export interface Caller {
  readonly region: RegionId;
  readonly vitality: Vitality;
}

const CALM: NetworkFaults = {
  lossChance: 0,
  lateChance: 0,
  duplicateChance: 0,
  refusalChance: 0,
};

const TIMEOUT_MS = 100;
const LATE_MS_MAX = 3000;

export class Network {
  readonly world: World;
  readonly random: Random;
  readonly counts: FaultCounts = {
    lostRequests: 0,
    lostReplies: 0,
    lateRequests: 0,
    duplicates: 0,
    refusals: 0,
    cut: 0,
  };
  readonly traffic: Traffic = {};
  /** Stores that answer nobody. */
  readonly down = new Set<RegionId>();
  /** `from>to` ways that are cut, one direction of requests each. */
  readonly cutWays = new Set<string>();
  /** Called with the caller of each request that a store takes, at the moment it does. */
  onAct: (caller: Caller) => void = () => undefined;
  #faults = CALM;

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
  }

  get faults(): NetworkFaults {
    return this.#faults;
  }

  storm(faults: NetworkFaults): void {
    this.#faults = faults;
  }

  calm(): void {
    this.#faults = CALM;
  }

  heal(): void {
    this.calm();
    this.down.clear();
    this.cutWays.clear();
  }

  isCut(from: RegionId, to: RegionId): boolean {
    return this.down.has(to) || this.cutWays.has(`${from}>${to}`);
  }

  /** One way: 1 to 2 ms within a region, 5 to 15 ms between regions. */
  delayMs(from: RegionId, to: RegionId): number {
    return from === to ? 1 + this.random() : 5 + this.random() * 10;
  }
}

interface Way {
  readonly network: Network;
  readonly caller: Caller;
  readonly to: RegionId;
}

interface Call<Answer> {
  readonly method: keyof RegisterPort;
  readonly act: () => Promise<Answer>;
  readonly onTimeout: Answer;
  /** When the request does not even leave. */
  readonly onRefusal: Answer;
}

/** What a process in `caller.region` has of the register behind `port`. */
export function simulatedRegisterPort(
  network: Network,
  caller: Caller,
  port: RegisterPort,
): RegisterPort {
  const way: Way = { network, caller, to: port.region };
  const unreachable = { kind: 'unreachable', cause: 'simulated' } as const;
  const unknown = { kind: 'unknown', cause: 'simulated' } as const;
  const refused = { kind: 'refused', code: 'unreachable', cause: 'simulated' } as const;
  const call = <Answer>(
    method: keyof RegisterPort,
    act: () => Promise<Answer>,
    without: Answer,
  ): Promise<Answer> => send(way, { method, act, onTimeout: without, onRefusal: without });
  return {
    region: port.region,
    read: () => call('read', () => port.read(), unreachable),
    compareAndSet: (expected, server) =>
      send(way, {
        method: 'compareAndSet',
        act: () => port.compareAndSet(expected, server),
        onTimeout: unknown,
        onRefusal: refused,
      }),
    readBeat: () => call('readBeat', () => port.readBeat(), unreachable),
    writeBeat: (beat) => call('writeBeat', () => port.writeBeat(beat), false),
    readSnapshot: (base) => call('readSnapshot', () => port.readSnapshot(base), null),
    writeSnapshot: (base, text) =>
      call('writeSnapshot', () => port.writeSnapshot(base, text), false),
    dropSnapshotsBelow: (index) =>
      call('dropSnapshotsBelow', () => port.dropSnapshotsBelow(index), undefined),
  };
}

/** One request and its reply through the network. A dead caller never hears anything again. */
function send<Answer>(way: Way, call: Call<Answer>): Promise<Answer> {
  const { network, caller } = way;
  const { world, random, faults, counts } = network;
  return new Promise((resolve, reject) => {
    const settle = (answer: Answer) => caller.vitality.deliver(() => resolve(answer));
    if (random() < faults.refusalChance) {
      counts.refusals += 1;
      world.after(1, () => settle(call.onRefusal));
      return;
    }
    const giveUp = world.after(TIMEOUT_MS, () => settle(call.onTimeout));
    const arrive = () =>
      arriveAt(way, call, {
        onReply: (answer) => {
          giveUp();
          settle(answer);
        },
        reject,
      });
    if (random() < faults.lossChance) {
      counts.lostRequests += 1;
    } else {
      const isLate = random() < faults.lateChance;
      counts.lateRequests += isLate ? 1 : 0;
      world.after(travelMs(way, isLate), arrive);
    }
    if (random() < faults.duplicateChance) {
      counts.duplicates += 1;
      world.after(travelMs(way, random() < 0.5), arrive);
    }
  });
}

function travelMs({ network, caller, to }: Way, isLate: boolean): number {
  return network.delayMs(caller.region, to) + (isLate ? network.random() * LATE_MS_MAX : 0);
}

interface Listener<Answer> {
  readonly onReply: (answer: Answer) => void;
  readonly reject: (thrown: unknown) => void;
}

function arriveAt<Answer>(
  { network, caller, to }: Way,
  { method, act }: Call<Answer>,
  { onReply, reject }: Listener<Answer>,
): void {
  if (network.isCut(caller.region, to)) {
    network.counts.cut += 1;
    return;
  }
  network.traffic[method] = (network.traffic[method] ?? 0) + 1;
  network.onAct(caller);
  act().then((answer) => {
    if (network.random() < network.faults.lossChance) {
      network.counts.lostReplies += 1;
    } else {
      network.world.after(network.delayMs(to, caller.region), () => onReply(answer));
    }
  }, reject);
}
