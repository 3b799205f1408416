/**
 * The processes of a torture run and the connections between them:
 *
 *   client-<region> ─┐                         ┌─ store-<region>   on disk
 *   control-<region> ┴─ proxy for each pair ───┘
 *
 * Guards the processes: nobody else starts or signals one. One that ends although nobody killed it has
 * met a bug.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Random } from '../../lib/base/clock.ts';
import type { RegionId } from '../../lib/base/identifiers.ts';
import type { LogEvent } from '../../lib/base/log.ts';
import type { ChildPlan } from '../../lib/local/child.ts';
import { describeProcessEvent, ProcessTable } from '../../lib/local/process-table.ts';
import { integerBetween } from '../../lib/simulation/random.ts';
import { now, sleep, until } from '../e2e/support/wait.ts';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.ts';
import {
  CLIENTS_PER_PROCESS,
  type ClientSettings,
  type MemberSettings,
  REGIONS,
  type StoreSettings,
} from './settings.ts';

/** Below the ports that systems give to outgoing connections, so that a dead store's port stays free. */
const PORT_MIN = 10_000;
const PORT_MAX = 30_000;
const START_TRIES = 20;
const START_PAUSE_MS = 250;
const STOP_GRACE_MS = 15_000;

export type Role = 'store' | 'control' | 'client';

export interface FleetOptions {
  readonly root: string;
  readonly clusterId: string;
  readonly seed: number;
  readonly random: Random;
  readonly isReadConfirmed: boolean;
  readonly say: (line: string) => void;
}

/** The connection of one process with one store. */
interface Link {
  readonly from: string;
  readonly to: RegionId;
  readonly proxy: FaultyProxy;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #ports: ReadonlyMap<RegionId, number>;
  readonly #links: readonly Link[];
  readonly #tables: { readonly [role in Role]: ProcessTable };
  readonly #incarnations = new Map<string, number>();
  /** First client of each client process. */
  readonly #firstClients = new Map<string, number>();
  /** Those that may end just now: killed, or not up yet. */
  readonly #excused = new Set<string>();
  readonly #unexpected: string[] = [];
  #clientCount = 0;
  #isStopping = false;

  private constructor(
    options: FleetOptions,
    ports: ReadonlyMap<RegionId, number>,
    links: readonly Link[],
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#links = links;
    this.#tables = { store: this.#table(), control: this.#table(), client: this.#table() };
    // A run that is cut off must not leave a stopped process behind, which could not end by itself.
    process.once('exit', () => this.#signalAll('SIGKILL'));
  }

  /** Ports and proxies; no process yet. */
  static async prepare(options: FleetOptions): Promise<Fleet> {
    for (const folder of ['journals', 'logs', 'cache', ...REGIONS.map((to) => `store-${to}`)]) {
      await mkdir(join(options.root, folder), { recursive: true });
    }
    const ports = new Map<RegionId, number>();
    for (const region of REGIONS) {
      ports.set(region, await freePort(options.random, new Set(ports.values())));
    }
    const members = [...namesOf('control'), ...namesOf('client')];
    const links = await Promise.all(
      members.flatMap((from) =>
        [...ports].map(async ([to, port]) => {
          const proxy = await startFaultyProxy(`http://127.0.0.1:${port}`);
          return { from, to, proxy };
        }),
      ),
    );
    return new Fleet(options, ports, links);
  }

  /** The stores without anything in between. */
  get stores(): MemberSettings['stores'] {
    return [...this.#ports].map(([region, port]) => ({
      region,
      databaseUrl: `http://127.0.0.1:${port}`,
    }));
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  /** What ended although nobody ended it. */
  get unexpectedEnds(): readonly string[] {
    return this.#unexpected;
  }

  /** Numbers of the clients of the processes that run now. */
  get livingClients(): readonly number[] {
    return [...this.#firstClients.values()].flatMap((first) =>
      Array.from({ length: CLIENTS_PER_PROCESS }, (_, position) => first + position),
    );
  }

  /** Where the process of this name that was started last keeps what it applies. */
  entriesFileOf(name: string): string {
    return this.memberSettings(regionOf(name), this.#writerOf(name), name).entriesFile;
  }

  async startAll(role: Role): Promise<void> {
    await Promise.all(namesOf(role).map((name) => this.start(name)));
  }

  /** Resolves when it does its work, which may take a few tries on a busy machine. */
  async start(name: string): Promise<void> {
    const table = this.#tables[roleOf(name)];
    for (let tries = 1; ; tries += 1) {
      table.plan([this.#plan(name)]);
      this.#excused.add(name);
      const outcome = await table.start(name);
      if (outcome.kind === 'started') {
        this.#excused.delete(name);
        return;
      }
      if (outcome.kind !== 'failed' || tries === START_TRIES) {
        throw new Error(`${name} did not start: ${JSON.stringify(outcome)}`);
      }
      await sleep(START_PAUSE_MS);
    }
  }

  /** `kill -9`. One that ended by itself before that is a violation already. */
  async kill(name: string): Promise<void> {
    this.#excused.add(name);
    await this.#tables[roleOf(name)].kill(name);
  }

  /** SIGSTOP; resolves when the system says that it stands. */
  async freeze(name: string): Promise<void> {
    const pid = this.#pidOf(name);
    process.kill(pid, 'SIGSTOP');
    await until(`${name} stands`, async () => (stateOf(pid) === 'T' ? true : null), {
      timeoutMs: 5000,
      pollMs: 5,
    });
  }

  thaw(name: string): void {
    process.kill(this.#pidOf(name), 'SIGCONT');
  }

  /** Lets all of them finish what they do. */
  async stopAll(role: Role): Promise<void> {
    this.#isStopping = true;
    await this.#tables[role].stopAll(STOP_GRACE_MS);
    this.#isStopping = false;
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map(({ proxy }) => proxy.close()));
  }

  #table(): ProcessTable {
    const log: LogEvent = () => undefined;
    return new ProcessTable({
      log,
      now,
      onEvent: (event) => {
        if (event.kind === 'ended' && !this.#excused.has(event.name) && !this.#isStopping) {
          this.#unexpected.push(describeProcessEvent(event));
          this.#options.say(describeProcessEvent(event));
        }
      },
    });
  }

  #plan(name: string): ChildPlan {
    const { root } = this.#options;
    const role = roleOf(name);
    this.#incarnations.set(name, this.#incarnationOf(name) + 1);
    return {
      name,
      kind: 'region',
      script: new URL(
        { store: './store-main.ts', control: './controller-main.ts', client: './client-main.ts' }[
          role
        ],
        import.meta.url,
      ),
      logFile: join(root, 'logs', `${name}.log`),
      cacheDir: join(root, 'cache'),
      settings: this.#settings(name),
    };
  }

  #incarnationOf(name: string): number {
    return this.#incarnations.get(name) ?? 0;
  }

  #writerOf(name: string): string {
    return `${name}.${this.#incarnationOf(name)}`;
  }

  #settings(name: string): StoreSettings | MemberSettings | ClientSettings {
    const { root, seed, isReadConfirmed } = this.#options;
    const region = regionOf(name);
    const role = roleOf(name);
    if (role === 'store') {
      const folder = join(root, name);
      const isNew = this.#incarnationOf(name) === 1;
      return { region, folder, port: this.#ports.get(region) ?? 0, isNew };
    }
    const member = this.memberSettings(region, this.#writerOf(name), name);
    if (role === 'control') {
      return member;
    }
    const firstClient = this.#clientCount + 1;
    this.#clientCount += CLIENTS_PER_PROCESS;
    this.#firstClients.set(name, firstClient);
    const operationsFile = join(root, 'journals', `operations-${this.#writerOf(name)}.jsonl`);
    return { ...member, operationsFile, firstClient, seed, isReadConfirmed };
  }

  /** @param from the process whose connections it uses; null = straight to the stores. */
  memberSettings(region: RegionId, writer: string, from: string | null): MemberSettings {
    const { root, clusterId } = this.#options;
    const links = this.#links
      .filter((link) => link.from === from)
      .map(({ to, proxy }) => ({ region: to, databaseUrl: proxy.url }));
    return {
      clusterId,
      region,
      stores: from === null ? this.stores : links,
      entriesFile: join(root, 'journals', `entries-${writer}.jsonl`),
    };
  }

  #pidOf(name: string): number {
    const found = this.#tables[roleOf(name)].list().find((view) => view.name === name);
    if (found?.pid === null || found === undefined) {
      throw new Error(`${name} does not run`);
    }
    return found.pid;
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const table of Object.values(this.#tables)) {
      for (const { pid } of table.list()) {
        if (pid !== null) {
          process.kill(pid, signal);
        }
      }
    }
  }
}

export function namesOf(role: Role): readonly string[] {
  return REGIONS.map((region) => `${role}-${region}`);
}

function roleOf(name: string): Role {
  return name.slice(0, name.indexOf('-')) as Role;
}

function regionOf(name: string): RegionId {
  return name.slice(name.indexOf('-') + 1) as RegionId;
}

/** The letter by which Linux names the state of a process: T = stopped. */
function stateOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3);
}

async function freePort(random: Random, taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = integerBetween(random, PORT_MIN, PORT_MAX);
    if (!taken.has(port) && (await isFree(port))) {
      return port;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
