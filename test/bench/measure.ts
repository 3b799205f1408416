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

function timeOf(work: () => void, calls: number): number {
  const startedAt = performance.now();
  for (let call = 0; call < calls; call += 1) {
    work();
  }
  return performance.now() - startedAt;
}

/** Milliseconds of each of `count` calls, after a tenth as many to warm up. */
export async function millisecondsOf(
  count: number,
  work: (call: number) => Promise<unknown>,
): Promise<readonly number[]> {
  const times: number[] = [];
  const warmUp = Math.ceil(count / 10);
  for (let call = 0; call < count + warmUp; call += 1) {
    const startedAt = performance.now();
    await work(call);
    if (call >= warmUp) {
      times.push(performance.now() - startedAt);
    }
  }
  return times;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
