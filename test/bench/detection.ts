/** What one heartbeat and one φ cost, against parsing the heartbeat's own JSON as the baseline. */
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../lib/detection/arrival-window.ts';
import { recordArrival } from '../../lib/detection/record-arrival.ts';
import { deadlines, phiAfter, suspicionModel } from '../../lib/detection/suspicion.ts';
import { type Benchmark, nanosecondsPer } from './measure.ts';

const POLICY = { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 };

export async function benchDetection(): Promise<Benchmark> {
  let sequence = 0;
  let window = fullWindow();
  const model = suspicionModel(window, POLICY);
  const text = JSON.stringify({ sequence: 1, bootId: 'bench', status: 'ok' });
  const parseNs = nanosecondsPer(() => JSON.parse(text));
  const heartbeatNs = nanosecondsPer(() => {
    sequence += 1;
    const arrivedAt = epochMillis(window.lastArrivalAt + 1000);
    const outcome = recordArrival(
      window,
      { bootId: 'bench', sequence: 1_000 + sequence, arrivedAt },
      POLICY,
    );
    window = outcome.kind === 'recorded' ? outcome.window : window;
  });
  const phiNs = nanosecondsPer(() => phiAfter(model, 4321));
  const deadlinesNs = nanosecondsPer(() => deadlines(window, POLICY));
  return {
    parseNs,
    heartbeatNs,
    phiNs,
    deadlinesNs,
    heartbeatOverParse: ratio(heartbeatNs, parseNs),
  };
}

function fullWindow(): ArrivalWindow {
  let window: ArrivalWindow | null = null;
  for (let sequence = 1; sequence <= 300; sequence += 1) {
    const arrivedAt = epochMillis(1_700_000_000_000 + sequence * 1000 + ((sequence * 37) % 50));
    const outcome = recordArrival(window, { bootId: 'bench', sequence, arrivedAt }, POLICY);
    window = 'window' in outcome ? outcome.window : window;
  }
  if (window === null) {
    throw new Error('no beat was recorded');
  }
  return window;
}

function ratio(figure: number, baseline: number): number {
  return Math.round((figure / baseline) * 100) / 100;
}
