/**
 * Tripoint's own detector in the comparison: the production window and model, fed through
 * `recordArrival` as a region would, and its control arms.
 *
 * The parameter is φ. A silence is linear in the numbers of the model for any given φ, so the mean
 * silence is the silence of the mean model: exact, and free.
 */
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { ArrivalWindow } from '../../lib/detection/arrival-window.ts';
import { longSorted } from '../../lib/detection/interval-statistics.ts';
import {
  FAIL_INTERVALS_MAX,
  TAIL_PRIOR_MEAN_SHARE,
  TAIL_PRIOR_WEIGHT,
  TAIL_SHARE,
} from '../../lib/detection/limits.ts';
import type { DetectionPolicy } from '../../lib/detection/policy.ts';
import { recordArrival } from '../../lib/detection/record-arrival.ts';
import {
  type SilenceLimits,
  type SuspicionModel,
  silenceForPhi,
  silenceLimits,
  suspicionModel,
} from '../../lib/detection/suspicion.ts';
import { at, type Decisions, WARM_UP_BEATS } from './decisions.ts';
import { affine, type Detector, mean } from './detector.ts';

/** Below this the service's policy would be refused; faster traces are slowed down for the replay. */
const INTERVAL_MS_MIN = 100;

const FIELDS = ['paceMs', 'spreadMs', 'tailStartMs', 'pathMeanMs', 'lossMeanMs'] as const;

/** What was fitted after each beat that is followed by a decision. */
export interface Fitted {
  readonly models: { readonly [Field in (typeof FIELDS)[number]]: Float64Array };
  /** Of the production deadlines, bounds included. */
  readonly suspectMs: Float64Array;
  readonly failMs: Float64Array;
  /** Of the control arm: 95th percentile and mean excess of the last 200. */
  readonly plainStartMs: Float64Array;
  readonly plainMeanMs: Float64Array;
}

export function fitOurs(decisions: Decisions): Fitted {
  const { count, trace } = decisions;
  const fresh = () => new Float64Array(count);
  const fitted = {
    models: {
      paceMs: fresh(),
      spreadMs: fresh(),
      tailStartMs: fresh(),
      pathMeanMs: fresh(),
      lossMeanMs: fresh(),
    },
    suspectMs: fresh(),
    failMs: fresh(),
    plainStartMs: fresh(),
    plainMeanMs: fresh(),
  };
  const scale = trace.intervalMs >= INTERVAL_MS_MIN ? 1 : 1000 / trace.intervalMs;
  const policy = policyFor(trace.intervalMs * scale);
  replay(decisions, { policy, scale }, (decision, window) => {
    const model = suspicionModel(window, policy);
    for (const field of FIELDS) {
      fitted.models[field][decision] = model[field] / scale;
    }
    const limits: SilenceLimits = silenceLimits(window, policy, model);
    fitted.suspectMs[decision] = limits.suspectMs / scale;
    fitted.failMs[decision] = limits.failMs / scale;
    const plain = plainTail(window, policy.intervalMs);
    fitted.plainStartMs[decision] = plain.startMs / scale;
    fitted.plainMeanMs[decision] = plain.meanMs / scale;
  });
  return fitted;
}

export function policyFor(intervalMs: number): DetectionPolicy {
  return { intervalMs, suspectPhi: 8, failPhi: 16, silenceMsMax: FAIL_INTERVALS_MAX * intervalMs };
}

interface Pace {
  readonly policy: DetectionPolicy;
  readonly scale: number;
}

function replay(
  { series }: Decisions,
  { policy, scale }: Pace,
  decide: (decision: number, window: ArrivalWindow) => void,
): void {
  for (const { arrivedAtMs, sequences, first, end } of series) {
    let window: ArrivalWindow | null = null;
    const beats = WARM_UP_BEATS + end - first;
    for (let beat = 0; beat < beats; beat++) {
      const outcome = recordArrival(
        window,
        {
          bootId: 'trace',
          sequence: at(sequences, beat),
          arrivedAt: epochMillis(at(arrivedAtMs, beat) * scale),
        },
        policy,
      );
      window = outcome.kind === 'refused' ? window : outcome.window;
      if (beat >= WARM_UP_BEATS && window !== null) {
        decide(first + beat - WARM_UP_BEATS, window);
      }
    }
  }
}

/** The textbook form: exponential beyond the 95th percentile of 200, mean = mean excess. No loss. */
function plainTail(window: ArrivalWindow, intervalMs: number) {
  const sorted = longSorted(window);
  const quantumMs = 2 ** window.quantumExponent;
  const exceeding = Math.max(1, Math.floor(sorted.length * TAIL_SHARE));
  const start = at(sorted, sorted.length - 1 - exceeding);
  let excess = 0;
  for (let position = sorted.length - exceeding; position < sorted.length; position++) {
    excess += at(sorted, position) - start;
  }
  const prior = TAIL_PRIOR_WEIGHT * TAIL_PRIOR_MEAN_SHARE * intervalMs;
  return {
    startMs: start * quantumMs,
    meanMs: (excess * quantumMs + prior) / (exceeding + TAIL_PRIOR_WEIGHT),
  };
}

const PHI_RANGE = { parameterMin: 1e-6, parameterMax: 5000 } as const;
const NOMINAL = { 'phi 8': 8, 'phi 16': 16 } as const;

/** The production formula, without its hard bounds. */
export function ours({ models }: Fitted): Detector {
  return modelled(models, (model) => model);
}

/** Control arm: the loss term switched off, the tail goes on as it began. */
export function withoutLoss({ models }: Fitted): Detector {
  return modelled(models, (model) => ({ ...model, lossMeanMs: model.pathMeanMs }));
}

function modelled(
  models: Fitted['models'],
  change: (model: SuspicionModel) => SuspicionModel,
): Detector {
  const modelAt = (value: (field: Float64Array) => number): SuspicionModel =>
    change({
      paceMs: value(models.paceMs),
      spreadMs: value(models.spreadMs),
      tailStartMs: value(models.tailStartMs),
      pathMeanMs: value(models.pathMeanMs),
      lossMeanMs: value(models.lossMeanMs),
    });
  const meanModel = modelAt(mean);
  return {
    ...PHI_RANGE,
    nominal: NOMINAL,
    silenceMs: (decision, phi) =>
      silenceForPhi(
        modelAt((field) => at(field, decision)),
        phi,
      ),
    meanSilenceMs: (phi) => silenceForPhi(meanModel, phi),
  };
}

/** Control arm: the plain exponential tail, nothing in Δ, no loss term. Parameter = ln(0.05 / P). */
export function plainExponentialTail({ plainStartMs, plainMeanMs }: Fitted): Detector {
  const parameterOf = (phi: number) => phi * Math.LN10 + Math.log(TAIL_SHARE);
  return affine(plainStartMs, plainMeanMs, {
    parameterMin: -1e6,
    parameterMax: 1e6,
    nominal: { 'phi 8': parameterOf(8), 'phi 16': parameterOf(16) },
  });
}
