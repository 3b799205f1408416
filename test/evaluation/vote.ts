/**
 * One observer against two of three, on the targets of a trace that three observers hear
 * (`TARGET_oOBSERVER` names a series).
 *
 * What the three say is fused by the production rule: 2 of 3 must accuse, and an observer that hears a
 * newer beat refutes, for as long as a beat proves life there. Everything that can change the opinion
 * is an event (a beat, a deadline, proof that expires), so the time spent wrong is exact. `tripoint
 * replay` has the production bounds as well, so it could not be as fast as the points here.
 * Detection time of the vote: until the second of the three deadlines.
 */
import { epochMillis, type RegionId, regionId } from '../../lib/base/identifiers.ts';
import { proofMsMaxOf } from '../../lib/control/service-events.ts';
import { fuseOpinion, type ObserverVerdict } from '../../lib/detection/opinion.ts';
import type { Verdict } from '../../lib/detection/verdict.ts';
import { at, type Decisions, type SeriesArrivals, WARM_UP_BEATS } from './decisions.ts';
import { type Detector, parameterFor } from './detector.ts';
import { policyFor } from './ours.ts';
import { poissonBounds } from './poisson.ts';

export interface VoteSide {
  readonly detectionMs: number;
  readonly mistakes: number;
  readonly low: number;
  readonly high: number;
  /** Per beat of a target (and observer, for one observer alone). */
  readonly perBeat: number;
  readonly wrongMs: number;
}

export interface VotePoint {
  readonly phi: number;
  /** The mean of the three observers, each alone. */
  readonly oneObserver: VoteSide;
  /** At the same φ. */
  readonly twoOfThree: VoteSide;
  /** At the φ that gives the vote the detection time of one observer alone; null = none does. */
  readonly twoOfThreeAtEqualDetection: VoteSide | null;
}

export interface VoteComparison {
  readonly targets: number;
  readonly beats: number;
  readonly points: readonly VotePoint[];
}

const OBSERVERS: readonly RegionId[] = ['one', 'two', 'three'].map(regionId);
/** Bisections of φ for the vote's detection time, which has no closed form. */
const BISECTIONS = 22;

interface Target {
  readonly observers: readonly SeriesArrivals[];
}

interface Scene {
  readonly decisions: Decisions;
  readonly detector: Detector;
  readonly targets: readonly Target[];
  readonly proofMsMax: number;
}

export function compareVote(
  decisions: Decisions,
  detector: Detector,
  points: readonly { readonly phi: number }[],
): VoteComparison | null {
  const targets = targetsOf(decisions.series);
  if (targets.length === 0) {
    return null;
  }
  const proofMsMax = proofMsMaxOf(policyFor(decisions.trace.intervalMs));
  const scene = { decisions, detector, targets, proofMsMax };
  const beats = targets.reduce((sum, { observers }) => sum + longest(observers), 0);
  return { targets: targets.length, beats, points: points.map(({ phi }) => pointAt(scene, phi)) };
}

function targetsOf(series: readonly SeriesArrivals[]): Target[] {
  const byTarget = Map.groupBy(series, ({ name }) => name.match(/^(.+)_o\w+$/)?.[1] ?? '');
  byTarget.delete('');
  return [...byTarget.values()]
    .filter((observers) => observers.length >= OBSERVERS.length)
    .map((observers) => ({ observers: observers.slice(0, OBSERVERS.length) }));
}

function longest(observers: readonly SeriesArrivals[]): number {
  return Math.max(...observers.map(({ first, end }) => end - first));
}

function pointAt(scene: Scene, phi: number): VotePoint {
  const one = oneObserver(scene, phi);
  return {
    phi,
    oneObserver: one,
    twoOfThree: vote(scene, phi),
    twoOfThreeAtEqualDetection: voteAt(scene, one.detectionMs),
  };
}

function voteAt(scene: Scene, detectionMs: number): VoteSide | null {
  let low = 0.31;
  let high = parameterFor(scene.detector, 20 * scene.decisions.trace.intervalMs) ?? 300;
  if (detectionOfVote(scene, low) > detectionMs || detectionOfVote(scene, high) < detectionMs) {
    return null;
  }
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (detectionOfVote(scene, middle) < detectionMs) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return vote(scene, high);
}

function oneObserver({ decisions, detector, targets }: Scene, phi: number): VoteSide {
  let mistakes = 0;
  let wrongMs = 0;
  let count = 0;
  let silenceMs = 0;
  for (const { first, end } of targets.flatMap(({ observers }) => observers)) {
    for (let decision = first; decision < end; decision++) {
      const allowedMs = detector.silenceMs(decision, phi);
      const overMs = at(decisions.silencesMs, decision) - allowedMs;
      mistakes += overMs > 0 ? 1 : 0;
      wrongMs += Math.max(0, overMs);
      silenceMs += allowedMs;
      count++;
    }
  }
  const detectionMs = silenceMs / count + decisions.trace.transitMs;
  return {
    detectionMs,
    ...counted(mistakes / OBSERVERS.length, (count / OBSERVERS.length) | 0),
    wrongMs: wrongMs / OBSERVERS.length,
  };
}

function counted(mistakes: number, beats: number) {
  return { mistakes, ...poissonBounds(mistakes), perBeat: mistakes / beats };
}

function vote(scene: Scene, phi: number): VoteSide {
  let mistakes = 0;
  let wrongMs = 0;
  for (const target of scene.targets) {
    const wrong = wrongOf(scene, target, phi);
    mistakes += wrong.mistakes;
    wrongMs += wrong.wrongMs;
  }
  const beats = scene.targets.reduce((sum, { observers }) => sum + longest(observers), 0);
  return { detectionMs: detectionOfVote(scene, phi), ...counted(mistakes, beats), wrongMs };
}

/** May change the opinion: a beat reached an observer, its deadline passed, or it proves life no more. */
interface Event {
  readonly atMs: number;
  readonly arrivedAtMs: number;
  readonly observer: number;
  readonly sequence: number;
  readonly accuses: boolean;
}

function wrongOf(scene: Scene, { observers }: Target, phi: number) {
  const events = observers.flatMap((series, observer) =>
    eventsOf(scene, { series, observer }, phi),
  );
  // At the same instant the beat counts first.
  events.sort((a, b) => a.atMs - b.atMs || Number(a.accuses) - Number(b.accuses));
  const newest: (Event | null)[] = observers.map(() => null);
  let failedSinceMs: number | null = null;
  let mistakes = 0;
  let wrongMs = 0;
  for (const event of events) {
    newest[event.observer] = event;
    const failed = isFailed(scene, newest, event.atMs);
    if (failed && failedSinceMs === null) {
      mistakes++;
      failedSinceMs = event.atMs;
    } else if (!failed && failedSinceMs !== null) {
      wrongMs += event.atMs - failedSinceMs;
      failedSinceMs = null;
    }
  }
  return { mistakes, wrongMs };
}

function eventsOf(
  { decisions, detector, proofMsMax }: Scene,
  { series, observer }: { readonly series: SeriesArrivals; readonly observer: number },
  phi: number,
): Event[] {
  const events: Event[] = [];
  const { arrivedAtMs, sequences, first, end } = series;
  for (let beat = WARM_UP_BEATS; beat < arrivedAtMs.length; beat++) {
    const heardAtMs = at(arrivedAtMs, beat);
    const heard = { observer, sequence: at(sequences, beat), arrivedAtMs: heardAtMs };
    events.push({ ...heard, atMs: heardAtMs, accuses: false });
    const decision = first + beat - WARM_UP_BEATS;
    const hasNext = decision < end;
    const silenceMs = hasNext ? detector.silenceMs(decision, phi) : Infinity;
    const silentMs = hasNext ? at(decisions.silencesMs, decision) : Infinity;
    if (Math.min(silenceMs, silentMs) > proofMsMax) {
      events.push({ ...heard, atMs: heardAtMs + proofMsMax + 1, accuses: false });
    }
    if (silenceMs < silentMs) {
      events.push({ ...heard, atMs: heardAtMs + silenceMs, accuses: true });
    }
  }
  return events;
}

function isFailed(
  { proofMsMax }: Scene,
  newest: readonly (Event | null)[],
  nowMs: number,
): boolean {
  if (newest.filter((event) => event?.accuses === true).length < 2) {
    return false;
  }
  const verdicts = newest.flatMap((event, position): ObserverVerdict[] => {
    const observer = OBSERVERS[position];
    return event === null || observer === undefined
      ? []
      : [{ observer, verdict: verdictOf(event, nowMs) }];
  });
  const freshness = { now: epochMillis(nowMs), proofMsMax };
  return fuseOpinion(verdicts, OBSERVERS, freshness).state === 'failed';
}

function verdictOf({ accuses, sequence, arrivedAtMs }: Event, nowMs: number): Verdict {
  return {
    state: accuses ? 'failed' : 'healthy',
    code: accuses ? 'silence-over-fail-bound' : 'beating',
    sentence: '',
    phi: 0,
    silentMs: 0,
    judgedAt: epochMillis(nowMs),
    bootId: 'trace',
    lastSequence: sequence,
    lastArrivalAt: epochMillis(arrivedAtMs),
  };
}

/** Mean over the beats of all targets: from the sending until two of three deadlines have passed. */
function detectionOfVote({ decisions, detector, targets }: Scene, phi: number): number {
  const { intervalMs, transitMs } = decisions.trace;
  let sumMs = 0;
  let count = 0;
  for (const { observers } of targets) {
    const deadlines = observers.map((series) => deadlinesOf(series, detector, phi));
    const size = Math.max(...deadlines.map(({ size: own }) => own));
    for (let sequence = 0; sequence < size; sequence++) {
      const known = deadlines.flatMap(({ bySequence }) => bySequence.get(sequence) ?? []);
      if (known.length === OBSERVERS.length) {
        const [, second = Number.NaN] = known.map(({ atMs }) => atMs).sort((a, b) => a - b);
        const heardAtMs = Math.min(...known.map(({ arrivedAtMs }) => arrivedAtMs));
        // Recorded round trips tell when a beat was sent; arrivals tell no more than when it was heard.
        sumMs += second - (transitMs > 0 ? sequence * intervalMs : heardAtMs);
        count++;
      }
    }
  }
  return sumMs / count;
}

function deadlinesOf(series: SeriesArrivals, detector: Detector, phi: number) {
  const bySequence = new Map<number, { readonly arrivedAtMs: number; readonly atMs: number }>();
  const { arrivedAtMs, sequences, first, end } = series;
  for (let decision = first; decision < end; decision++) {
    const beat = WARM_UP_BEATS + decision - first;
    const heardAtMs = at(arrivedAtMs, beat);
    bySequence.set(at(sequences, beat), {
      arrivedAtMs: heardAtMs,
      atMs: heardAtMs + detector.silenceMs(decision, phi),
    });
  }
  return { bySequence, size: at(sequences, sequences.length - 1) + 1 };
}
