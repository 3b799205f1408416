/**
 * Judges a history that is a file of JSON lines (`lib/simulation/history.ts` has the format):
 *
 *   npm run -s linearize -- FILE [--json] [--steps 8000000]
 *
 * Exit code 0 = linearizable, 1 = not, 2 = the file or the arguments are wrong, 3 = unknown: the search
 * ran out of steps.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeError } from '../../../lib/base/errors.ts';
import { parseHistory } from '../../../lib/simulation/history.ts';
import {
  checkLinearizability,
  type Linearizability,
} from '../../../lib/simulation/linearizability.ts';

const EXIT_CODES: { readonly [kind in Linearizability['kind']]: number } = {
  ok: 0,
  illegal: 1,
  unknown: 3,
};
const EXIT_MISUSE = 2;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      steps: { type: 'string' },
    },
  });
  const [file] = positionals;
  const stepsMax = values.steps === undefined ? undefined : Number(values.steps);
  const areStepsSound = stepsMax === undefined || (Number.isSafeInteger(stepsMax) && stepsMax > 0);
  if (file === undefined || positionals.length > 1 || !areStepsSound) {
    throw new RangeError('usage: npm run -s linearize -- FILE [--json] [--steps COUNT]');
  }
  const history = parseHistory(await readFile(file, 'utf8'));
  if (history.length === 0) {
    throw new RangeError(`${file} holds no operation`);
  }
  const startedAt = performance.now();
  const verdict = checkLinearizability(history, stepsMax === undefined ? {} : { stepsMax });
  const elapsedMs = Math.round(performance.now() - startedAt);
  const { kind, ...detail } = verdict;
  console.log(
    values.json
      ? JSON.stringify({ linearizable: kind, operations: history.length, elapsedMs, ...detail })
      : `${kind}: ${history.length} operations in ${elapsedMs} ms${sentenceOf(verdict)}`,
  );
  return EXIT_CODES[kind];
}

function sentenceOf(verdict: Linearizability): string {
  switch (verdict.kind) {
    case 'ok':
      return '';
    case 'illegal':
      return `\n${verdict.sentence}`;
    case 'unknown':
      return `\nout of steps for: ${verdict.unjudged.join(', ')}`;
  }
}

try {
  process.exitCode = await main();
} catch (thrown) {
  console.error(describeError(thrown));
  process.exitCode = EXIT_MISUSE;
}
