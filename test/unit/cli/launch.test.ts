/** The binary as its own process: through the launcher, on the Node of the host and on ours. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { type LiveApi, runBinary, startLiveApi } from '../../support/command-line.ts';

const LAUNCHER = 'lib/cli/launch.mjs';
/** A Node of the host that cannot run TypeScript; null where there is none. */
const OLD_NODE = findOldNode();

let api: LiveApi;

beforeAll(async () => {
  api = await startLiveApi();
});

afterAll(() => api.close());

describe('the binary', () => {
  test('answers over HTTP from the real API', async () => {
    const { exitCode, output } = await runBinary(['services', '--json', ...api.options]);
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(output).services).toHaveLength(2);
  });

  test('gives its exit code to the shell', async () => {
    expect((await runBinary(['nonsense'])).exitCode).toBe(EXIT.usage);
  });

  test('ends quietly when its reader has seen enough', () => {
    const command = `"${process.execPath}" lib/cli/main.ts completion bash | true; echo "\${PIPESTATUS[0]}"`;
    const output = execFileSync('bash', ['-c', command], { encoding: 'utf8' });
    expect(output).toBe('0\n');
  });
});

describe('the launcher', () => {
  test('may be run as a program', () => {
    accessSync(LAUNCHER, constants.X_OK);
  });

  test('runs the sources in place on a Node that can', async () => {
    expect(await runBinary(['--version'], { file: LAUNCHER })).toMatchObject({
      exitCode: EXIT.ok,
      output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  test.runIf(OLD_NODE !== null)('brings its own Node where the host has an old one', async () => {
    const node = OLD_NODE ?? '';
    const { exitCode, messages } = await runBinary(['statsu'], { file: LAUNCHER, node });
    expect(exitCode).toBe(EXIT.usage);
    expect(messages).toContain('Did you mean status?');
  });

  test.runIf(OLD_NODE !== null)('hands on a signal and the exit code', async () => {
    const words = [LAUNCHER, 'log', '--follow', ...api.options];
    const child = spawn(OLD_NODE ?? '', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'exit');
    expect(exitCode).toBe(EXIT.interrupted);
  });
});

function findOldNode(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = folders.map((folder) => join(folder, 'node'));
  return candidates.find(isOldNode) ?? null;
}

function isOldNode(path: string): boolean {
  try {
    const text = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const major = Number(/^v(\d+)\./.exec(text)?.[1]);
    return major >= 18 && major < 24;
  } catch {
    return false;
  }
}
