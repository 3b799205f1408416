/**
 * The transcript of the README, kept true: runs its commands in a shell, in its order, and holds each
 * line of its answers against what came out.
 *
 * Numbers, durations, times of day and the name of the leader differ from run to run and are masked;
 * every word, state and shape has to be there. The README may leave lines out, not make them up.
 * Local mode stands on other ports and in another folder here: only those are put in their place.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Case } from '../support/case.ts';
import type { LocalCluster } from '../support/cluster.ts';
import { baseline } from '../support/situation.ts';
import { require } from '../support/wait.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const DEFAULT_DNS_PORT = '7153';

interface Exchange {
  readonly command: string;
  readonly answer: readonly string[];
}

export const readmeTranscript: Case = async ({ cluster, say }) => {
  await baseline(cluster);
  const exchanges = transcriptOf(await readFile(`${ROOT}README.md`, 'utf8'));
  require(exchanges.length >= 5, 'the README has lost its transcript');
  for (const { command, answer } of exchanges) {
    const output = await shell(inThisPlace(command, cluster));
    const missing = firstMissing(answer, output.split('\n'));
    require(missing === null, `$ ${command}\nREADME says:  ${missing}\nbut it said:\n${output}`);
    say(`as printed: $ ${command}`);
  }
  await cluster.bringUp('checkout@us-east-1');
  return { commands: exchanges.length };
};

/** The commands and answers of the first console block behind the marker. */
function transcriptOf(readme: string): readonly Exchange[] {
  const [, behindMarker = ''] = readme.split('<!-- transcript:');
  const block = /```console\n([\s\S]*?)```/.exec(behindMarker)?.[1] ?? '';
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...answer] = part.split('\n');
      return { command, answer: answer.filter((line) => line.trim() !== '') };
    });
}

function inThisPlace(command: string, { dir, file }: LocalCluster): string {
  return command
    .replace(/^npx tripoint (.*)$/, `npx tripoint $1 --dir ${dir}`)
    .replace(`-p ${DEFAULT_DNS_PORT}`, `-p ${file.dns.port}`);
}

/** Standard output and error together, as a terminal shows them. */
async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', `${command} 2>&1`], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return stdout;
}

/** The first line of the README that the output does not have, in order; null when all are there. */
function firstMissing(wanted: readonly string[], lines: readonly string[]): string | null {
  let from = 0;
  for (const line of wanted) {
    const found = lines.findIndex(
      (candidate, at) => at >= from && masked(candidate) === masked(line),
    );
    if (found === -1) {
      return line;
    }
    from = found + 1;
  }
  return null;
}

function masked(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<instant>')
    .replace(/\d+(\.\d+)? (ms|s|m)\b/g, '<duration>')
    .replace(/leader us-[a-z]+-\d/, 'leader <region>')
    .replace(/\d+\.\d\b(?!\.)/g, (figure) =>
      line.includes('@') || isAddress(line) ? figure : '<n>',
    )
    .replace(/(term[ =]|log |index=|checkout-|pid )\d+/g, '$1<n>')
    .replace(/\s+/g, ' ')
    .trim();
}

function isAddress(line: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(line.trim());
}
