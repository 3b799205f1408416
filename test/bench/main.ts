/**
 * Benchmarks: `npm run bench -- NAME [--json]`. Each figure stands beside a baseline of the same run,
 * because machines are shared and noisy: compare ratios and medians, not single times.
 */
import { benchConsensus } from './consensus.ts';
import { benchDetection } from './detection.ts';
import { benchIngest } from './ingest.ts';
import type { Benchmark } from './measure.ts';

const BENCHMARKS: { readonly [name: string]: () => Promise<Benchmark> } = {
  consensus: benchConsensus,
  detection: benchDetection,
  ingest: benchIngest,
};

async function main(words: readonly string[]): Promise<number> {
  const names = words.filter((word) => !word.startsWith('--'));
  const unknown = names.find((name) => BENCHMARKS[name] === undefined);
  if (names.length === 0 || unknown !== undefined) {
    console.error(
      `usage: npm run bench -- NAME [--json]; NAME is one of ${Object.keys(BENCHMARKS).join(', ')}`,
    );
    return 2;
  }
  const results: { [name: string]: Benchmark } = {};
  for (const name of names) {
    const benchmark = await BENCHMARKS[name]?.();
    if (benchmark !== undefined) {
      results[name] = benchmark;
    }
  }
  if (words.includes('--json')) {
    console.log(JSON.stringify(results));
    return 0;
  }
  for (const [name, benchmark] of Object.entries(results)) {
    console.log(name);
    for (const [figure, value] of Object.entries(benchmark)) {
      console.log(`  ${figure.padEnd(44)} ${String(value)}`);
    }
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
