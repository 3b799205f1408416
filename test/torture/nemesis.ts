/**
 * What goes wrong during a torture run. Two nemeses work at the same time: one kills and stops
 * processes, one spoils connections. Each goes through all its kinds in an order that the seed
 * decides, again and again; how long each lasts and whom it hits, the seed decides too. What the
 * processes are doing at that moment, nobody decides.
 *
 * A fault counts once it was met: a process was seen to die or to stand, a request came upon the spoilt
 * connection. Invariant: when `torment` resolves, everything runs and every connection is sound.
 */
import type { Random } from '../../lib/base/clock.ts';
import { integerBetween, seededRandom } from '../../lib/simulation/random.ts';
import { now, sleep } from '../e2e/support/wait.ts';
import type { FaultyProxy } from '../support/faulty-proxy.ts';
import { type Fleet, namesOf, type Role } from './fleet.ts';
import { REGIONS } from './settings.ts';

const DOWN_MS_MIN = 100;
const DOWN_MS_MAX = 1500;
const FAULT_MS_MIN = 300;
const FAULT_MS_MAX = 2500;
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 800;
/** A slow connection sends on what came in the meantime at most this often. */
const SLOW_MS_MAX = 150;

const PROCESS_FAULTS = [
  'kill-client',
  'kill-controller',
  'kill-store',
  'kill-region',
  'stop-client',
  'stop-controller',
  'stop-store',
] as const;
type ProcessFault = (typeof PROCESS_FAULTS)[number];

/** Each with what it does to the bytes. `slow` and `stalled` hold requests and send them on late. */
const LINK_FAULTS = {
  slow: { kind: 'hold-request' },
  stalled: { kind: 'hold-request' },
  'reply-lost': { kind: 'swallow-reply' },
  'request-broken': { kind: 'drop-request', after: 0 },
  'reply-broken': { kind: 'drop-reply' },
  'reply-cut': { kind: 'half-reply' },
  'server-error': {
    kind: 'reply',
    status: 500,
    body: { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: 'injected' },
  },
} as const;
type LinkFault = keyof typeof LINK_FAULTS;

/** Those after which the client's connection is gone. */
const BREAKING: readonly LinkFault[] = ['request-broken', 'reply-broken', 'reply-cut'];

export interface FaultReport {
  /** How often each kind was installed and met. */
  readonly faults: { readonly [kind: string]: number };
  readonly kills: number;
  readonly stops: number;
  /** Requests whose connection broke, before or after the store had seen them. */
  readonly brokenConnections: number;
  /** Requests that came upon any spoilt connection. */
  readonly spoiltRequests: number;
}

export interface NemesisOptions {
  readonly fleet: Fleet;
  readonly random: Random;
  /** Monotonic milliseconds; nothing new begins after this. */
  readonly until: number;
  readonly say: (line: string) => void;
}

export async function torment(options: NemesisOptions): Promise<FaultReport> {
  const kinds = [...PROCESS_FAULTS, ...Object.keys(LINK_FAULTS)];
  const book: Book = {
    faults: Object.fromEntries(kinds.map((kind) => [kind, 0])),
    kills: 0,
    stops: 0,
    brokenConnections: 0,
    spoiltRequests: 0,
  };
  // Each has chance of its own: what they share would depend on the machine.
  const [processes, links] = [forked(options.random), forked(options.random)];
  await Promise.all([
    inTurn({ ...options, random: processes }, PROCESS_FAULTS, (fault) =>
      hitProcesses({ ...options, random: processes, book }, fault),
    ),
    inTurn({ ...options, random: links }, Object.keys(LINK_FAULTS) as LinkFault[], (fault) =>
      hitLinks({ ...options, random: links, book }, fault),
    ),
  ]);
  return book;
}

type Book = { -readonly [Name in keyof FaultReport]: FaultReport[Name] } & {
  readonly faults: { [kind: string]: number };
};

interface Blow extends NemesisOptions {
  readonly book: Book;
}

function forked(random: Random): Random {
  const first = Math.floor(random() * 4_294_967_296);
  return seededRandom(first);
}

async function inTurn<Fault>(
  { random, until }: NemesisOptions,
  kinds: readonly Fault[],
  strike: (fault: Fault) => Promise<void>,
): Promise<void> {
  let deck: Fault[] = [];
  while (now() < until) {
    deck = deck.length > 0 ? deck : shuffled(random, kinds);
    const fault = deck.pop();
    if (fault !== undefined) {
      await strike(fault);
    }
    await sleep(integerBetween(random, PAUSE_MS_MIN, PAUSE_MS_MAX));
  }
}

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ item }) => item);
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[integerBetween(random, 0, items.length - 1)];
  if (item === undefined) {
    throw new RangeError('nothing to pick from');
  }
  return item;
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────

async function hitProcesses(blow: Blow, fault: ProcessFault): Promise<void> {
  const { fleet, random, book, say } = blow;
  const victims = victimsOf(random, fault);
  say(`${fault}: ${victims.join(' and ')}`);
  if (fault.startsWith('kill')) {
    await Promise.all(victims.map((name) => fleet.kill(name)));
    book.kills += victims.length;
    await sleep(integerBetween(random, DOWN_MS_MIN, DOWN_MS_MAX));
    await Promise.all(victims.map((name) => fleet.start(name)));
  } else {
    await Promise.all(victims.map((name) => fleet.freeze(name)));
    book.stops += victims.length;
    await sleep(integerBetween(random, FAULT_MS_MIN, FAULT_MS_MAX));
    for (const name of victims) {
      fleet.thaw(name);
    }
  }
  book.faults[fault] = (book.faults[fault] ?? 0) + 1;
}

function victimsOf(random: Random, fault: ProcessFault): readonly string[] {
  const region = pick(random, REGIONS);
  const one = (role: Role) => [`${role}-${region}`];
  switch (fault) {
    case 'kill-region':
      return [`store-${region}`, `control-${region}`];
    case 'kill-client':
    case 'stop-client':
      return one('client');
    case 'kill-controller':
    case 'stop-controller':
      return one('control');
    case 'kill-store':
    case 'stop-store':
      return one('store');
  }
}

// ── Connections ──────────────────────────────────────────────────────────────────────────────────

async function hitLinks(blow: Blow, fault: LinkFault): Promise<void> {
  const { random, book, say } = blow;
  const { where, proxies } = someLinks(blow);
  say(`${fault}: ${where}`);
  for (const proxy of proxies) {
    proxy.takeOperations();
    proxy.inject(LINK_FAULTS[fault]);
  }
  const until = now() + integerBetween(random, FAULT_MS_MIN, FAULT_MS_MAX);
  while (now() < until) {
    await sleep(fault === 'slow' ? integerBetween(random, 1, SLOW_MS_MAX) : until - now());
    sendOn(proxies);
  }
  for (const proxy of proxies) {
    proxy.inject({ kind: 'none' });
  }
  sendOn(proxies);
  const met = proxies.reduce((sum, proxy) => sum + proxy.takeOperations().length, 0);
  if (met > 0) {
    book.faults[fault] = (book.faults[fault] ?? 0) + 1;
    book.spoiltRequests += met;
    book.brokenConnections += BREAKING.includes(fault) ? met : 0;
  }
}

/** What was held goes to the store now, whether or not anybody waits for the answer. */
function sendOn(proxies: readonly FaultyProxy[]): void {
  for (const proxy of proxies) {
    // Resolves when the store has answered, which a killed one never does: nobody waits.
    void proxy.release();
  }
}

/** One connection, all of one process, or all to one store. */
function someLinks({ fleet, random }: Blow): {
  readonly where: string;
  readonly proxies: readonly FaultyProxy[];
} {
  const from = pick(random, [...namesOf('control'), ...namesOf('client')]);
  const to = pick(random, REGIONS);
  const scope = pick(random, ['one connection', 'all of one process', 'all to one store']);
  const chosen = fleet.links.filter(
    (link) =>
      (scope === 'all to one store' || link.from === from) &&
      (scope === 'all of one process' || link.to === to),
  );
  const where = `${scope}, ${from} → ${to}`;
  return { where, proxies: chosen.map(({ proxy }) => proxy) };
}
