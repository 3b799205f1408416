/**
 * A real BIND 9 on loopback, with one zone that takes updates of one key: what the adapter must get
 * right, held against the server that RFC 2136 is most often spoken with.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askSerial } from '../../lib/aws/rfc2136/serial.ts';
import type { TsigAlgorithm, TsigKey } from '../../lib/aws/rfc2136/tsig.ts';

export interface BindServer {
  readonly port: number;
  readonly key: TsigKey;
  /** As `kill -9` does. */
  readonly kill: () => void;
  /** Starts again on the same files, after `kill` or beside nothing. */
  readonly start: () => Promise<void>;
  readonly log: () => string;
  readonly close: () => Promise<void>;
}

export interface BindOptions {
  readonly origin: string;
  readonly algorithm: TsigAlgorithm;
  /** Lines within `update-policy { … }`; `KEY` stands for the key's name. */
  readonly policy: readonly string[];
}

const HOST = '127.0.0.1';
const KEY_NAME = 'tripoint-key';

export async function startBind(options: BindOptions): Promise<BindServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tripoint-bind-'));
  const port = await freePort();
  const key: TsigKey = {
    name: KEY_NAME,
    algorithm: options.algorithm,
    secret: randomBytes(options.algorithm === 'hmac-sha512' ? 64 : 32),
  };
  await writeFile(join(folder, 'zone.db'), zoneText(options.origin));
  await writeFile(join(folder, 'named.conf'), configurationText({ ...options, folder, port, key }));
  let child: ChildProcess | null = null;
  let log = '';
  const kill = () => {
    child?.kill('SIGKILL');
  };
  const stop = async () => {
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      kill();
      await exited;
    }
  };
  const start = async () => {
    await stop();
    child = spawn(namedPath(), ['-g', '-c', join(folder, 'named.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      log += bytes.toString('utf8');
    });
    await ready(port, options.origin, () => log);
  };
  await start();
  return {
    port,
    key,
    kill,
    start,
    log: () => log,
    close: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const START_TRIES = 200;
const START_PAUSE_MS = 50;

async function ready(port: number, zone: string, log: () => string): Promise<void> {
  const patience = { zone, connectionTimeoutMs: 500, requestTimeoutMs: 500 };
  for (let tries = 0; tries < START_TRIES; tries += 1) {
    if (typeof (await askSerial(patience, { host: HOST, port })) === 'number') {
      return;
    }
    await sleep(START_PAUSE_MS);
  }
  throw new Error(`BIND does not answer:\n${log()}`);
}

/** Debian puts it where only root looks. */
export function namedPath(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, 'named')).find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error('no `named` is installed: apt-get install bind9');
  }
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen({ host: HOST, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function zoneText(origin: string): string {
  return `$TTL 60
@ IN SOA ns.${origin}. hostmaster.${origin}. 1 3600 600 86400 5
@ IN NS ns.${origin}.
ns IN A 127.0.0.1
mail IN MX 10 mx.example.net.
`;
}

function configurationText(
  parts: BindOptions & {
    readonly folder: string;
    readonly port: number;
    readonly key: TsigKey;
  },
): string {
  const { folder, port, key, origin, policy } = parts;
  return `options {
  directory "${folder}";
  pid-file none;
  lock-file none;
  session-keyfile "${folder}/session.key";
  managed-keys-directory "${folder}";
  listen-on port ${port} { ${HOST}; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  notify no;
  allow-transfer { none; };
};
controls { };
key "${key.name}" { algorithm ${key.algorithm}; secret "${Buffer.from(key.secret).toString('base64')}"; };
key "stranger" { algorithm hmac-sha256; secret "${randomBytes(32).toString('base64')}"; };
zone "${origin}" {
  type primary;
  file "zone.db";
  check-names ignore;
  update-policy { ${policy.map((line) => `${line.replace('KEY', key.name)};`).join(' ')} };
};
`;
}
