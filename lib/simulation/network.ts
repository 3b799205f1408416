/**
 * The simulated way between a process and a register: slow, lossy, late, cut.
 *
 *     caller ── request (delay, may be lost) ──▶ store acts ── reply (delay, may be lost) ──▶ caller
 *        └── gives up after the timeout: unknown; the request may still arrive and act later
 *
 * A request may also arrive twice, as behind a router that repeats it: then the caller hears whichever
 * reply comes first, perhaps that its own write stands in its way. What the store itself refuses is
 * decided where the request arrives (`region-weather.ts`).
 */
import type { Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { RegisterPort, RegisterWrite } from '../consensus/register-port.ts';
import { CALM, type RegionWeather, type StoreRefusal } from './region-weather.ts';
import type { Vitality } from './vitality.ts';
import type { World } from './world.ts';

/** Chances, each 0 to 1, of one request. */
export interface Storm {
  readonly lossChance: number;
  readonly lateChance: number;
  readonly duplicateChance: number;
  readonly refusalChance: number;
}

export interface NetworkCounts {
  lostRequests: number;
  lostReplies: number;
  lateRequests: number;
  /** Late requests of which nobody waited for the answer any more when the store took them. */
  landedAfterTimeout: number;
  /** Requests that arrived after one that their caller sent later to the same store. */
  reordered: number;
  duplicates: number;
  refusals: number;
  cut: number;
  slowed: number;
  throttled: number;
  writesForbidden: number;
}

/** How many requests of each kind reached a store. */
export type Traffic = Partial<Record<keyof RegisterPort, number>>;

export interface Caller {
  readonly region: RegionId;
  readonly vitality: Vitality;
}

const STILL: Storm = { lossChance: 0, lateChance: 0, duplicateChance: 0, refusalChance: 0 };

const TIMEOUT_MS = 100;

export interface NetworkOptions {
  readonly world: World;
  readonly random: Random;
  /** How late a late request is at most. */
  readonly lateMsMax: number;
}

export class Network {
  readonly world: World;
  readonly random: Random;
  readonly counts: NetworkCounts = {
    lostRequests: 0,
    lostReplies: 0,
    lateRequests: 0,
    landedAfterTimeout: 0,
    reordered: 0,
    duplicates: 0,
    refusals: 0,
    cut: 0,
    slowed: 0,
    throttled: 0,
    writesForbidden: 0,
  };
  readonly traffic: Traffic = {};
  /** `from>to` ways that are cut, one direction of requests each. */
  readonly cutWays = new Set<string>();
  readonly weather = new Map<RegionId, RegionWeather>();
  storm: Storm = STILL;
  /** Called with the caller of each request that a store takes, at the moment it does. */
  onAct: (caller: Caller, method: keyof RegisterPort) => void = () => undefined;
  readonly #lateMsMax: number;
  #lastLateAt = 0;

  constructor({ world, random, lateMsMax }: NetworkOptions) {
    this.world = world;
    this.random = random;
    this.#lateMsMax = lateMsMax;
  }

  /** When the last of the late requests that are on their way arrives. */
  get lastLateAt(): number {
    return this.#lastLateAt;
  }

  weatherAt(region: RegionId): RegionWeather {
    return this.weather.get(region) ?? CALM;
  }

  calm(): void {
    this.storm = STILL;
  }

  heal(): void {
    this.calm();
    this.weather.clear();
    this.cutWays.clear();
  }

  /** One way: 1 to 2 ms within a region, 5 to 15 ms between regions. */
  delayMs(from: RegionId, to: RegionId): number {
    return from === to ? 1 + this.random() : 5 + this.random() * 10;
  }

  /** What a store that is slow adds before it acts. */
  slowMs(at: RegionId): number {
    const { slowMs } = this.weatherAt(at);
    if (slowMs === 0) {
      return 0;
    }
    this.counts.slowed += 1;
    return slowMs * this.random();
  }

  lateMs(): number {
    const lateMs = this.random() ** 2 * this.#lateMsMax;
    this.counts.lateRequests += 1;
    this.#lastLateAt = Math.max(this.#lastLateAt, this.world.now + lateMs);
    return lateMs;
  }
}

interface Way {
  readonly network: Network;
  readonly caller: Caller;
  readonly to: RegionId;
  /** Requests of this caller that this store has taken: the latest, by order of sending. */
  sent: number;
  taken: number;
}

interface Call<Answer> {
  readonly method: keyof RegisterPort;
  readonly act: () => Promise<Answer>;
  readonly onTimeout: Answer;
  /** When the request does not even leave. */
  readonly onRefusal: Answer;
  /** When the store refuses it. */
  readonly onStoreRefusal: (refusal: StoreRefusal) => Answer;
}

/** What a process in `caller.region` has of the register behind `port`. */
export function simulatedRegisterPort(
  network: Network,
  caller: Caller,
  port: RegisterPort,
): RegisterPort {
  const way: Way = { network, caller, to: port.region, sent: 0, taken: 0 };
  const unreachable = { kind: 'unreachable', cause: 'simulated' } as const;
  const call = <Answer>(
    method: keyof RegisterPort,
    act: () => Promise<Answer>,
    without: Answer,
  ): Promise<Answer> =>
    send(way, {
      method,
      act,
      onTimeout: without,
      onRefusal: without,
      onStoreRefusal: () => without,
    });
  return {
    region: port.region,
    read: () => call('read', () => port.read(), unreachable),
    compareAndSet: (expected, server) =>
      send<RegisterWrite>(way, {
        method: 'compareAndSet',
        act: () => port.compareAndSet(expected, server),
        onTimeout: { kind: 'unknown', cause: 'simulated' },
        onRefusal: { kind: 'refused', code: 'unreachable', cause: 'simulated' },
        onStoreRefusal: (code) => ({ kind: 'refused', code, cause: 'simulated' }),
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
  const { world, random, storm, counts } = network;
  return new Promise((resolve, reject) => {
    const settle = (answer: Answer) => caller.vitality.deliver(() => resolve(answer));
    if (random() < storm.refusalChance) {
      counts.refusals += 1;
      world.after(1, () => settle(call.onRefusal), 'refused');
      return;
    }
    const giveUp = world.after(TIMEOUT_MS, () => settle(call.onTimeout), 'timeout');
    way.sent += 1;
    const request: Request<Answer> = {
      call,
      number: way.sent,
      sentAt: world.now,
      onReply: (answer) => {
        giveUp();
        settle(answer);
      },
      reject,
    };
    if (random() < storm.lossChance) {
      counts.lostRequests += 1;
    } else {
      travel(way, request, random() < storm.lateChance);
    }
    if (random() < storm.duplicateChance) {
      counts.duplicates += 1;
      travel(way, request, random() < 0.5);
    }
  });
}

interface Request<Answer> {
  readonly call: Call<Answer>;
  /** In the order in which its caller sent to this store. */
  readonly number: number;
  readonly sentAt: number;
  readonly onReply: (answer: Answer) => void;
  readonly reject: (thrown: unknown) => void;
}

function travel<Answer>(way: Way, request: Request<Answer>, isLate: boolean): void {
  const { network, caller, to } = way;
  const delayMs = network.delayMs(caller.region, to) + network.slowMs(to);
  const lateMs = isLate ? network.lateMs() : 0;
  network.world.after(delayMs + lateMs, () => arrive(way, request), request.call.method);
}

function arrive<Answer>(way: Way, request: Request<Answer>): void {
  const { network, caller, to } = way;
  const { counts, traffic } = network;
  const { method, act, onStoreRefusal } = request.call;
  const weather = network.weatherAt(to);
  if (weather.isDown || network.cutWays.has(`${caller.region}>${to}`)) {
    counts.cut += 1;
    return;
  }
  noteOrder(way, request);
  traffic[method] = (traffic[method] ?? 0) + 1;
  const refusal = weather.refusal(method, network.world.now);
  if (refusal !== null) {
    counts.throttled += refusal === 'throttled' ? 1 : 0;
    counts.writesForbidden += refusal === 'throttled' ? 0 : 1;
    reply(way, request, onStoreRefusal(refusal));
    return;
  }
  network.onAct(caller, method);
  act().then((answer) => reply(way, request, answer), request.reject);
}

/** What the store takes now: after something that was sent later, or after its caller gave up. */
function noteOrder(way: Way, request: Pick<Request<never>, 'number' | 'sentAt'>): void {
  const { counts, world } = way.network;
  const { number, sentAt } = request;
  counts.reordered += number < way.taken ? 1 : 0;
  counts.landedAfterTimeout += world.now - sentAt > TIMEOUT_MS ? 1 : 0;
  way.taken = Math.max(way.taken, number);
}

function reply<Answer>({ network, caller, to }: Way, request: Request<Answer>, answer: Answer) {
  const { counts, storm, world } = network;
  if (network.random() < storm.lossChance) {
    counts.lostReplies += 1;
  } else {
    const delayMs = network.delayMs(to, caller.region);
    world.after(delayMs, () => request.onReply(answer), 'reply');
  }
}
