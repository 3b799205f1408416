/**
 * The second hunter: the unit tests. Some bugs only waste time, hide behind another net, or need a
 * chance in millions; no life will tell them from the right code, and a test that aims at them does.
 *
 * A test run loads its sources in its own way, so the mutant is written into a copy of the tree.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AppError } from '../../../lib/base/errors.ts';
import { type Edit, mutate } from './mutant.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = ['lib', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const TEST_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** The tests of these files that fail with the edits made; empty = all pass. */
export async function failingTests(
  files: readonly string[],
  edits: readonly Edit[],
): Promise<readonly string[]> {
  const tree = await mkdtemp(join(tmpdir(), 'tripoint-mutant-'));
  try {
    await Promise.all(
      COPIED.map((name) => cp(join(ROOT, name), join(tree, name), { recursive: true })),
    );
    await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    for (const edit of edits) {
      const path = join(tree, edit.file);
      await writeFile(path, mutate(await readFile(path, 'utf8'), edit));
    }
    return failuresIn(await runTests(tree, files));
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** What the JSON reporter wrote. Failed tests end the command with an error, which is no failure here. */
async function runTests(tree: string, files: readonly string[]): Promise<string> {
  const vitest = join(tree, 'node_modules', 'vitest', 'vitest.mjs');
  const report = join(tree, 'report.json');
  const words = [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...files];
  const options = { cwd: tree, timeout: TEST_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  const ended = await promisify(execFile)(process.execPath, words, options).catch(
    (thrown) => thrown,
  );
  return readFile(report, 'utf8').catch((cause: unknown) => {
    throw new AppError(`no test ran: ${String(ended.stderr ?? ended)}`, {
      code: 'tests-without-report',
      hint: `Run vitest on ${files.join(' ')} and look.`,
      retryable: false,
      cause,
    });
  });
}

interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function failuresIn(text: string): readonly string[] {
  const { testResults } = JSON.parse(text) as Report;
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const isBroken = status === 'failed' && failed.length === 0;
    return isBroken ? [`${name}: ${message}`] : failed.map(({ fullName }) => fullName);
  });
}
