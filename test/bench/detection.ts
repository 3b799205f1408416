/**
 * What detection costs: a heartbeat, a φ, both deadlines, the bytes of a site, and the deadlines of
 * a million sites. Beats are jittered (seeded) and their boot ids are fresh strings, as a request
 * brings them; a window that repeats one interval would flatter every branch.
 *
 * `heartbeatNs` is `recordArrival` of an ordinary beat. The orders that φ reads catch up when φ asks,
 * so `phiFromScratchNs` (φ of a window just after a beat, its model included) holds that part; the
 * sum of both stands in `heartbeatAndPhiNs`. Control arms of the same run: parsing the heartbeat's
 * own JSON, the same beat kept by copying its window, and a mean-and-deviation φ over a plain array.
 */
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../lib/detection/arrival-window.ts';
import { recordArrival } from '../../lib/detection/record-arrival.ts';
import {
  deadlines,
  phiAfter,
  type SuspicionModel,
  suspicionModel,
} from '../../lib/detection/suspicion.ts';
import { decodeWindow, encodeWindow } from '../../lib/detection/window-codec.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import { copiedBeat, twoPassPhi } from './detection-controls.ts';
import { benchSites } from './detection-sites.ts';
import { type Benchmark, nanosecondsPer, rounded } from './measure.ts';

const POLICY = { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 };
const BOOT_ID = '5b0dd8ab-6ab2-4a10-b4a2-0e6c6a7d7b11';
/** A power of two, so that a mask finds the next one. */
const PREPARED = 4096;

/** Keeps results alive, so that no call can be left out as useless. */
const sink = { total: 0 };

export async function benchDetection(): Promise<Benchmark> {
  const sender = createSender();
  for (let beats = 0; beats < 300; beats += 1) {
    sender.beat();
  }
  const heartbeatNs = nanosecondsPer(() => sender.beat());
  const heartbeatAndPhiNs = nanosecondsPer(() => {
    sender.beat();
    sink.total += phiAfter(suspicionModel(sender.window(), POLICY), 1500);
  });
  const heartbeatAndDeadlinesNs = nanosecondsPer(() => {
    sender.beat();
    sink.total += deadlines(sender.window(), POLICY).failAt;
  });
  const figures = {
    heartbeatNs,
    heartbeatAndPhiNs,
    phiFromScratchNs: heartbeatAndPhiNs - heartbeatNs,
    ...phiFigures(suspicionModel(sender.window(), POLICY)),
    heartbeatAndDeadlinesNs,
    deadlinesFromScratchNs: heartbeatAndDeadlinesNs - heartbeatNs,
    ...codecFigures(sender.window()),
  };
  const controls = controlFigures();
  return {
    ...figures,
    ...controls,
    heartbeatOverParse: rounded(heartbeatNs / controls.controlParseNs),
    ...benchSites(),
  };
}

/** φ with the model at hand, over silences up to 6 Δ and up to Δ (the body only). */
function phiFigures(model: SuspicionModel) {
  let silentMs = 0;
  return {
    phiNs: nanosecondsPer(() => {
      silentMs = (silentMs + 37) % (6 * POLICY.intervalMs);
      sink.total += phiAfter(model, silentMs);
    }),
    phiOfBodyNs: nanosecondsPer(() => {
      silentMs = (silentMs + 37) % POLICY.intervalMs;
      sink.total += phiAfter(model, silentMs);
    }),
  };
}

function codecFigures(window: ArrivalWindow) {
  const encoded = encodeWindow(window);
  return {
    encodeNs: nanosecondsPer(() => {
      sink.total += encodeWindow(window).history.length;
    }),
    decodeNs: nanosecondsPer(() => {
      sink.total += decodeWindow(encoded).kind.length;
    }),
  };
}

function controlFigures() {
  const text = JSON.stringify({ sequence: 4711, bootId: BOOT_ID, status: 'ok' });
  const intervalsMs = jitteredIntervals();
  let kept: Uint16Array = Uint16Array.from(intervalsMs.subarray(0, 200));
  const plain = [...kept];
  let count = 0;
  return {
    controlParseNs: nanosecondsPer(() => {
      sink.total += JSON.parse(text).sequence;
    }),
    controlCopiedHeartbeatNs: nanosecondsPer(() => {
      kept = copiedBeat(kept, intervalsMs[count++ % PREPARED] ?? 0);
    }),
    controlTwoPassPhiNs: nanosecondsPer(() => {
      sink.total += twoPassPhi(plain, 1000 + (count++ % 500));
    }),
  };
}

interface Sender {
  readonly beat: () => void;
  readonly window: () => ArrivalWindow;
}

function createSender(): Sender {
  const intervalsMs = jitteredIntervals();
  const bootIds = Array.from({ length: 64 }, () => Buffer.from(BOOT_ID).toString('latin1'));
  let window: ArrivalWindow | null = null;
  let sequence = 0;
  let at = 1_800_000_000_000;
  return {
    beat: () => {
      sequence += 1;
      at += intervalsMs[sequence % PREPARED] ?? 0;
      const bootId = bootIds[sequence % 64] ?? BOOT_ID;
      const outcome = recordArrival(
        window,
        { bootId, sequence, arrivedAt: epochMillis(at) },
        POLICY,
      );
      window = outcome.kind === 'refused' ? window : outcome.window;
    },
    window: () => {
      if (window === null) {
        throw new Error('no beat was recorded');
      }
      return window;
    },
  };
}

/** Whole milliseconds around Δ with a deviation of 10%, never late enough to be a pause. */
function jitteredIntervals(): Uint16Array {
  const random = seededRandom(42);
  return Uint16Array.from({ length: PREPARED }, () => {
    const normal = Array.from({ length: 12 }, random).reduce((a, b) => a + b) - 6;
    return Math.min(1800, Math.max(400, Math.round(POLICY.intervalMs * (1 + 0.1 * normal))));
  });
}
