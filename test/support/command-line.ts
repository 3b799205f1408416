/**
 * The command line under test: whole commands in this process, or the real binary as its own.
 *
 * Both talk over HTTP to the real API of a real control region, whose stores are in memory and whose
 * clock is driven fast, so that a run of many seconds ends within one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { epochMillis, monotonicMillis, type RegionId } from '../../lib/base/identifiers.ts';
import type { Host } from '../../lib/cli/host.ts';
import { runCli } from '../../lib/cli/run-cli.ts';
import type { Verdict } from '../../lib/detection/verdict.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import { REGIONS } from './control-plane.ts';
import {
  type ApiFixture,
  createApiFixture,
  type FixtureOptions,
  OPERATOR_TOKEN,
} from './control-plane-fixture.ts';

export interface LiveApi {
  readonly fixture: ApiFixture;
  readonly url: string;
  /** Empty folder of this test, as `--dir`. */
  readonly dir: string;
  /** Options that lead a command here. */
  readonly options: readonly string[];
  /** Says of a site what the other two regions find. */
  readonly find: (site: string, state: 'healthy' | 'failed') => Promise<void>;
  readonly close: () => Promise<void>;
}

const DRIVE_REAL_MS = 2;
const DRIVE_MS = 50;

/** Serves the fixture on a free loopback port while its clock runs about 20 times too fast. */
export async function startLiveApi(options: FixtureOptions = {}): Promise<LiveApi> {
  const fixture = await createApiFixture(options);
  const server = createAdaptorServer({ fetch: (request) => fixture.app.fetch(request) });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dir = mkdtempSync(join(tmpdir(), 'tripoint-cli-'));
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, `${OPERATOR_TOKEN}\n`, { mode: 0o600 });
  let isOver = false;
  const driven = drive(fixture, () => isOver);
  return {
    fixture,
    url,
    dir,
    options: ['--endpoint', url, '--token-file', tokenFile, '--dir', dir],
    find: async (site, state) => {
      for (const observer of REGIONS) {
        await fixture.commit(verdictCommand(fixture, { observer, site, state }));
      }
    },
    close: async () => {
      isOver = true;
      await driven;
      await fixture.stop();
      server.close();
      if ('closeAllConnections' in server) {
        server.closeAllConnections();
      }
      rmSync(dir, { recursive: true });
    },
  };
}

async function drive({ clock }: ApiFixture, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await clock.advance(DRIVE_MS);
    await delay(DRIVE_REAL_MS);
  }
}

interface Finding {
  readonly observer: RegionId;
  readonly site: string;
  readonly state: 'healthy' | 'failed';
}

function verdictCommand({ clock }: ApiFixture, { observer, site, state }: Finding) {
  const at = clock.wallNow();
  const verdict: Verdict = {
    state,
    code: state === 'healthy' ? 'beating' : 'phi-over-fail',
    sentence: state === 'healthy' ? 'it beats' : 'it is silent',
    phi: state === 'healthy' ? 0.1 : 20,
    silentMs: state === 'healthy' ? 100 : 9000,
    judgedAt: at,
    bootId: 'boot',
    lastSequence: 1,
    lastArrivalAt: at,
  };
  const service = 'checkout';
  return { kind: 'verdict', at, observer, service, site, verdict, replicationLagMs: null } as const;
}

export interface Invoked {
  readonly exitCode: number;
  readonly output: string;
  readonly messages: string;
}

export interface InvokeOptions {
  readonly variables?: { readonly [name: string]: string };
  /** What is typed at the prompt; without it nobody can be asked. */
  readonly typed?: string;
  /** Ctrl-C after this many pauses of the command. */
  readonly interruptAfterPauses?: number;
  /** Ends the output when it contains this, by Ctrl-C. */
  readonly interruptAt?: string;
}

/** One command in this process; nothing of it is replaced but the process around it. */
export async function invoke(
  words: readonly string[],
  options: InvokeOptions = {},
): Promise<Invoked> {
  let output = '';
  let messages = '';
  let pauses = 0;
  const interruption = new AbortController();
  const random = seededRandom(20_261_123);
  const host: Host = {
    writeOutput: (text) => {
      output += text;
      if (options.interruptAt !== undefined && output.includes(options.interruptAt)) {
        interruption.abort();
      }
    },
    writeMessage: (text) => {
      messages += text;
    },
    outputIsTerminal: false,
    messagesAreTerminal: false,
    isInteractive: options.typed !== undefined,
    variables: options.variables ?? {},
    clock: {
      wallNow: () => epochMillis(Date.now()),
      monotonicNow: () => monotonicMillis(performance.now()),
      sleep: async () => {
        pauses += 1;
        if (pauses === options.interruptAfterPauses) {
          interruption.abort();
        }
        await delay(DRIVE_REAL_MS);
      },
    },
    random,
    randomId: () => `${Math.floor(random() * 2 ** 48).toString(36)}-${performance.now()}`,
    randomToken: () => 'a'.repeat(43),
    ask: async (question) => {
      messages += question;
      return options.typed ?? '';
    },
    interruption: () => interruption.signal,
  };
  const exitCode = await runCli(words, host);
  return { exitCode, output, messages };
}

/** The real thing: `node lib/cli/main.ts` as its own process, with no terminal. */
export async function runBinary(
  words: readonly string[],
  options: { readonly file?: string; readonly node?: string } = {},
): Promise<Invoked> {
  const { file = 'lib/cli/main.ts', node = process.execPath } = options;
  const child = spawn(node, [file, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let messages = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    messages += chunk.toString();
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode: exitCode ?? -1, output, messages };
}
