/**
 * Senders that degrade before they fail, as leaks, exhausted hosts and filling queues make them do.
 *
 * They are made to be foretold, so what the early warning scores on them is the best it can do, not
 * what an owner may expect: recorded failures mostly come without a sign.
 */
import type { Random } from '../../lib/base/clock.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import type { ArrivalSeries, ArrivalTrace } from '../../lib/simulation/traces/arrival-trace.ts';

const INTERVAL_MS = 1000;
const SERIES = 12;
const BEATS = 6000;

/** How long it takes, and `k` beats into it: how long after the last beat one is sent, and if it is lost. */
interface Decline {
  readonly beats: number;
  readonly step: (k: number, random: Random) => { readonly gapMs: number; readonly lost: boolean };
}

const DECLINES = {
  'slow-boil': { beats: 240, step: (k) => ({ gapMs: INTERVAL_MS * 1.01 ** k, lost: false }) },
  'growing-pauses': {
    beats: 1200,
    step: (k) => ({ gapMs: INTERVAL_MS + (k % 120 === 119 ? 6 * k : 0), lost: false }),
  },
  'growing-loss': {
    beats: 1200,
    step: (k, random) => ({ gapMs: INTERVAL_MS, lost: random() < k / 2000 }),
  },
} as const satisfies { readonly [name: string]: Decline };

export type DegradingTraceName = keyof typeof DECLINES;

export const DEGRADING_TRACES: readonly DegradingTraceName[] = Object.keys(
  DECLINES,
) as DegradingTraceName[];

/** Steady, then the decline at a random moment, each followed by a repair, to the end. */
export function degradingTrace(name: DegradingTraceName, seed: number): ArrivalTrace {
  const series = Array.from({ length: SERIES }, (_, position) => {
    const random = seededRandom(seed * 1009 + position);
    return seriesOf(`${name}-${position + 1}`, DECLINES[name], random);
  });
  return { name, intervalMs: INTERVAL_MS, transitMs: 0, series };
}

function seriesOf(name: string, decline: Decline, random: Random): ArrivalSeries {
  const arrivalsMs = new Float64Array(BEATS);
  const beginsAt = 1000 + Math.floor(random() * 1000);
  const endsAt = beginsAt + decline.beats;
  let sentAtMs = 0;
  for (let sequence = 0; sequence < BEATS; sequence++) {
    const isDeclining = sequence >= beginsAt && sequence < endsAt;
    const { gapMs, lost } = isDeclining
      ? decline.step(sequence - beginsAt, random)
      : { gapMs: INTERVAL_MS, lost: random() < 0.005 };
    sentAtMs += gapMs;
    arrivalsMs[sequence] = lost ? Number.NaN : sentAtMs + 40 * random();
  }
  return { name, arrivalsMs };
}
