/**
 * `npm run fuzz:detection -- --cases N --seed N [--json]`: random lives of a site against detection,
 * then one window that takes as many beats and must have the sums and orders of a recomputation.
 */
import { parseArgs } from 'node:util';
import { fuzzDetection } from './detection.ts';
import { longRun } from './long-run.ts';

function main(): number {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed) || seed < 0) {
    console.error('usage: npm run fuzz:detection -- --cases N --seed N [--json]');
    return 2;
  }
  const startedAt = performance.now();
  const fuzz = fuzzDetection(cases, seed);
  const run = longRun(cases, seed);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const report = { seed, ...fuzz, longRun: run, seconds };
  console.log(values.json ? JSON.stringify(report) : sentenceOf(report));
  return fuzz.violation === null && run.differences === 0 ? 0 : 1;
}

type Report = ReturnType<typeof fuzzDetection> & {
  readonly longRun: ReturnType<typeof longRun>;
  readonly seconds: number;
};

function sentenceOf({ cases, lives, violation, longRun: run, seconds }: Report): string {
  const found = violation === null ? 'no violation' : `seed ${violation.seed}: ${violation.what}`;
  return (
    `${cases} cases in ${lives} lives: ${found}; ` +
    `${run.beats} beats of one window, ${run.differences} differences from a recomputation; ${seconds} s`
  );
}

process.exitCode = main();
