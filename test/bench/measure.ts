/** Timing for benchmarks: warm up, measure many rounds, take the median. */

/** Figure name with its unit → value. */
export type Benchmark = { readonly [figure: string]: number | string };

const ROUNDS = 15;
const ROUND_MS_MIN = 20;

/** Median nanoseconds of one call of `work`, over rounds of at least 20 ms. */
export function nanosecondsPer(work: () => void): number {
  let calls = 1;
  while (timeOf(work, calls) < ROUND_MS_MIN) {
    calls *= 2;
  }
  const rounds = Array.from({ length: ROUNDS }, () => timeOf(work, calls) / calls);
  return Math.round(median(rounds) * 1e6);
}

/** Milliseconds of this thread on a processor: what else the machine does meanwhile does not count. */
export function timeOf(work: () => void, calls: number): number {
  const before = process.threadCpuUsage();
  for (let call = 0; call < calls; call += 1) {
    work();
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

export async function timeOfAsync(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
