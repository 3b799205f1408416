/**
 * A whole local Tripoint under test: started by its own command line, killed by pid, asked over HTTP.
 *
 * What the harness learns, it learns as a stranger would: from `local.json`, the public API and DNS.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogJson, StatusJson } from '../../../lib/api/schemas.ts';
import { type LocalFile, readLocalFile } from '../../../lib/local/local-file.ts';
import {
  createSupervisorClient,
  type LocalProcess,
  type SupervisorClient,
} from '../../../lib/local/supervisor-client.ts';
import { ask } from './dns.ts';
import { now, until } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../../lib/cli/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 2000;

export const REGIONS = ['us-east-1', 'us-east-2', 'us-west-2'] as const;
export const SERVICE = 'checkout';
export const DNS_NAME = 'checkout.example.test';
export const EAST = { site: 'us-east-1', process: 'checkout@us-east-1', address: '127.0.0.11' };
export const WEST = { site: 'us-west-2', process: 'checkout@us-west-2', address: '127.0.0.12' };

export interface CommandRun {
  readonly code: number | null;
  readonly output: string;
  readonly elapsedMs: number;
}

export class LocalCluster {
  readonly dir: string;
  readonly #portBase: number;
  readonly #configFile: string;
  readonly #variables: { readonly [name: string]: string };
  #supervisor: ChildProcess | null = null;
  #client: SupervisorClient | null = null;
  #file: LocalFile | null = null;

  /** @param options.variables of the environment, beside that of the test. */
  constructor(options: {
    readonly root: string;
    readonly portBase: number;
    readonly variables?: { readonly [name: string]: string };
  }) {
    this.dir = join(options.root, 'state');
    this.#portBase = options.portBase;
    this.#variables = options.variables ?? {};
    this.#configFile = join(options.root, 'config.yaml');
    // A test that is cut off must not leave a cluster behind; the children go with their supervisor.
    process.once('exit', () => this.killSupervisor());
  }

  get file(): LocalFile {
    if (this.#file === null) {
      throw new Error('the cluster was not started');
    }
    return this.#file;
  }

  get supervisor(): SupervisorClient {
    if (this.#client === null) {
      throw new Error('the cluster was not started');
    }
    return this.#client;
  }

  /** Spawned when it returns; resolves with the time it took until the screen was printed. */
  async start(configuration: string): Promise<number> {
    mkdirSync(this.dir, { recursive: true });
    writeFileSync(this.#configFile, configuration);
    const startedAt = now();
    const words = ['--dir', this.dir, '--port-base', String(this.#portBase)];
    const child = spawn(process.execPath, [MAIN, 'start', ...words, '--config', this.#configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#variables },
    });
    this.#supervisor = child;
    try {
      await untilPrinted(child, 'Tripoint is up');
    } catch (cause) {
      child.kill('SIGKILL');
      throw cause;
    }
    const elapsedMs = now() - startedAt;
    this.#file = await readLocalFile(this.dir);
    this.#client = await createSupervisorClient({ dir: this.dir });
    return elapsedMs;
  }

  /** Ctrl-C; resolves with the time until the last process was gone. */
  async stop(): Promise<number> {
    const child = this.#supervisor;
    const startedAt = now();
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await exited;
    }
    return now() - startedAt;
  }

  /** `kill -9` of the supervisor alone, also while it starts; its children follow by themselves. */
  killSupervisor(): void {
    this.#supervisor?.kill('SIGKILL');
  }

  /** `kill -9` of every process, the supervisor first, all within a millisecond or two. */
  async killEverything(): Promise<void> {
    const child = this.#supervisor;
    const running = (await this.processes()).flatMap(({ pid }) => pid ?? []);
    const exited = new Promise((resolve) => child?.once('exit', resolve));
    for (const pid of [this.file.pid, ...running]) {
      killByPid(pid);
    }
    await exited;
  }

  processes(): Promise<readonly LocalProcess[]> {
    return this.supervisor.processes();
  }

  /** Finds the pid first, so that the returned instant is that of the signal. */
  async kill(name: string): Promise<number> {
    const found = (await this.processes()).find((candidate) => candidate.name === name);
    if (found?.pid === null || found === undefined) {
      throw new Error(`${name} is not running`);
    }
    const at = now();
    killByPid(found.pid);
    await until(`${name} is gone`, async () => ((await this.#isDown(name)) ? true : null), {
      timeoutMs: 5000,
      pollMs: 10,
    });
    return at;
  }

  async #isDown(name: string): Promise<boolean> {
    return (await this.processes()).some((one) => one.name === name && one.state === 'down');
  }

  /** Starts it if it is down; resolves when it does its work. */
  async bringUp(name: string): Promise<void> {
    if (await this.#isDown(name)) {
      await this.supervisor.start(name);
    }
  }

  url(region: string): string {
    const place = this.file.regions[region];
    if (place === undefined) {
      throw new Error(`no region ${region}`);
    }
    return place.url;
  }

  /** null when the region does not answer. */
  async status(region: string): Promise<StatusJson | null> {
    const answer = await this.get(region, '/v1/status');
    return answer?.status === 200 ? (answer.body as StatusJson) : null;
  }

  /** One page of the log as a region serves it. @throws Error when it does not. */
  async logPage(region: string, after: number): Promise<LogJson> {
    const answer = await this.get(region, `/v1/log?after=${after}&limit=500`);
    if (answer?.status !== 200) {
      throw new Error(`${region} does not serve its log after ${after}: ${JSON.stringify(answer)}`);
    }
    return answer.body as LogJson;
  }

  /** All entries from the first one on. */
  async wholeLog(region: string): Promise<LogJson['entries']> {
    const entries: LogJson['entries'] = [];
    for (;;) {
      const page = await this.logPage(region, entries.at(-1)?.index ?? 0);
      entries.push(...page.entries);
      if (page.entries.length === 0) {
        return entries;
      }
    }
  }

  get(region: string, path: string): Promise<Answer | null> {
    return request(`${this.url(region)}${path}`, { method: 'GET' });
  }

  /** As the operator. Null = no answer: nobody knows whether it arrived. */
  post(region: string, path: string, sent: Sent): Promise<Answer | null> {
    return request(`${this.url(region)}${path}`, {
      method: 'POST',
      timeoutMs: sent.timeoutMs ?? 8000,
      headers: {
        authorization: `Bearer ${this.file.operatorToken}`,
        'content-type': 'application/json',
        ...(sent.key === undefined ? {} : { 'idempotency-key': sent.key }),
      },
      body: JSON.stringify(sent.body),
    });
  }

  resolve(): Promise<readonly string[] | null> {
    return ask(this.file.dns, DNS_NAME);
  }

  /** Runs the real command line. */
  tripoint(...words: readonly string[]): Promise<CommandRun> {
    const startedAt = now();
    const child = spawn(process.execPath, [MAIN, ...words, '--dir', this.dir], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    return new Promise((resolve) => {
      child.once('exit', (code) => resolve({ code, output, elapsedMs: now() - startedAt }));
    });
  }
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Sent {
  readonly body: unknown;
  readonly key?: string;
  readonly timeoutMs?: number;
}

interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

/** null = no answer in time, or a connection that broke. */
async function request(url: string, options: HttpRequest): Promise<Answer | null> {
  const { method, headers = {}, body, timeoutMs = REQUEST_TIMEOUT_MS } = options;
  try {
    const response = await fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return null;
  }
}

function killByPid(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    // It may end by itself the moment its supervisor is gone.
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) {
      throw cause;
    }
  }
}

function untilPrinted(child: ChildProcess, text: string): Promise<void> {
  let printed = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not printed within ${START_TIMEOUT_MS} ms: ${text}\n${printed}`)),
      START_TIMEOUT_MS,
    );
    const collect = (chunk: Buffer) => {
      printed = (printed + chunk.toString('utf8')).slice(-20_000);
      if (printed.includes(text)) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`ended (${signal ?? code}) instead of printing: ${text}\n${printed}`));
    });
  });
}
