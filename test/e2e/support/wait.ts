/** Waiting for something to become true, with a deadline and a good error. */
import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

/** Monotonic milliseconds. */
export function now(): number {
  return performance.now();
}

interface Wait {
  readonly timeoutMs: number;
  readonly pollMs?: number;
}

/** The first value that is not null. @throws Error that says what did not happen. */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | null>,
  { timeoutMs, pollMs = 50 }: Wait,
): Promise<Value> {
  const deadline = now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== null) {
      return value;
    }
    if (now() >= deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}`);
    }
    await sleep(pollMs);
  }
}

/** @throws Error with the text when the condition does not hold. */
export function require(condition: boolean, text: string): asserts condition {
  if (!condition) {
    throw new Error(text);
  }
}
