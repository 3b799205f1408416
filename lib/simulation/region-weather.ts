/**
 * What one region's store does to those who call it: nothing wrong, or slow, throttling, read-only,
 * or gone. As DynamoDB does it: a request over the capacity is refused before it touches an item, and
 * a failed condition has used capacity all the same.
 */
import type { RegisterPort } from '../consensus/register-port.ts';

/** Codes of a refused write; a read that is refused is just not answered. */
export type StoreRefusal = 'throttled' | 'unreachable';

export interface RegionWeather {
  readonly isDown: boolean;
  /** Up to so much passes before it acts. */
  readonly slowMs: number;
  /** Null = served. */
  readonly refusal: (method: keyof RegisterPort, now: number) => StoreRefusal | null;
}

const WRITES: ReadonlySet<keyof RegisterPort> = new Set<keyof RegisterPort>([
  'compareAndSet',
  'writeBeat',
  'writeSnapshot',
  'dropSnapshotsBelow',
]);

export const CALM: RegionWeather = { isDown: false, slowMs: 0, refusal: () => null };
export const DOWN: RegionWeather = { ...CALM, isDown: true };

/** Reads go on, writes do not: a policy that was changed, a table that is being restored. */
export const READ_ONLY: RegionWeather = {
  ...CALM,
  refusal: (method) => (WRITES.has(method) ? 'unreachable' : null),
};

export function slow(slowMs: number): RegionWeather {
  return { ...CALM, slowMs };
}

/** Only so many writes a second, and nothing saved up when it begins. */
export function throttling(writesPerSecond: number, since: number): RegionWeather {
  let allowance = 0;
  let countedAt = since;
  return {
    ...CALM,
    refusal: (method, now) => {
      if (!WRITES.has(method)) {
        return null;
      }
      allowance = Math.min(
        writesPerSecond,
        allowance + ((now - countedAt) / 1000) * writesPerSecond,
      );
      countedAt = now;
      if (allowance < 1) {
        return 'throttled';
      }
      allowance -= 1;
      return null;
    },
  };
}
