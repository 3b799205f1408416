/**
 * One heartbeat arrives: what does the observer now remember?
 *
 * Only a beat that is *newer* than all known ones moves anything. A repeated or overtaken one
 * changes nothing: a queue that delivers twice must not keep a dead site alive. What was lost is
 * read from the sequence, not guessed from time; what was delivered together carries no timing;
 * a pause is kept, but cut to the suspect deadline then in force, so that the window adapts to
 * frequent pauses and is not destroyed by one. Across a restart no interval is ever computed.
 *
 * Boots are ordered by who was heard first, since random ids have no order; those before the one in
 * force are remembered, so a late beat of them is told from a new start (`boots.ts`).
 *
 * A *ping* has no sequence, so it cannot be told from a replay, is never lost and never repeated. It
 * takes part in the timing like any beat, but moves neither boot nor sequence of a sender that counts.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import {
  type ArrivalWindow,
  type Beat,
  isBootId,
  type Ping,
  quantaOf,
  requantise,
  startWindow,
  thinToPrior,
} from './arrival-window.ts';
import { type Boot, bootsBefore, isHeard } from './boots.ts';
import { isProving, withFlap } from './flapping.ts';
import {
  BATCH_SHARE,
  FLAP_LIMITS,
  LOSS_MEMORY_BEATS,
  LOSSES_PER_GAP_MAX,
  SUSPECT_INTERVALS_MIN,
} from './limits.ts';
import { checkPolicy, type DetectionPolicy } from './policy.ts';
import { type SilenceLimits, silenceLimits } from './suspicion.ts';

export type BeatRefusal = 'sequence-malformed' | 'boot-id-malformed' | 'instant-malformed';

export type ArrivalOutcome =
  /** The first beat ever of this site. */
  | { readonly kind: 'started'; readonly window: ArrivalWindow }
  /** A beat with an interval that was kept. */
  | { readonly kind: 'recorded'; readonly window: ArrivalWindow }
  /** Newer, but delivered together with the last one: proof of life without timing. */
  | { readonly kind: 'batched'; readonly window: ArrivalWindow }
  /** The first beat heard of another boot. */
  | { readonly kind: 'restarted'; readonly window: ArrivalWindow }
  /** Repeated, replayed or overtaken. The window is the one that was given: nothing to write. */
  | { readonly kind: 'duplicate'; readonly window: ArrivalWindow }
  /** Not a beat. Nothing changes. */
  | { readonly kind: 'refused'; readonly code: BeatRefusal };

/**
 * @param window what was known; `null` before the first beat.
 * @returns the window to store, or why there is none. Never throws for anything in `beat`.
 */
export function recordArrival(
  window: ArrivalWindow | null,
  arrival: Beat | Ping,
  policy: DetectionPolicy,
): ArrivalOutcome {
  checkPolicy(policy);
  const refusal = refusalOf(arrival, window);
  if (refusal !== null) {
    return { kind: 'refused', code: refusal };
  }
  const isPing = arrival.sequence === null;
  const beat = isPing ? numbered(window, arrival) : arrival;
  if (window === null) {
    return { kind: 'started', window: startWindow(beat, policy.intervalMs) };
  }
  if (!isPing && isHeard(window, { bootId: beat.bootId, lastSequence: beat.sequence })) {
    return { kind: 'duplicate', window };
  }
  const current = requantise(window, policy.intervalMs);
  const gap = gapBefore(current, arrival, policy);
  return beat.bootId === current.bootId
    ? continued(current, beat, gap)
    : { kind: 'restarted', window: restarted(current, beat, gap) };
}

/**
 * A ping as a beat. Beside a sender that counts it stands for that sender's newest beat; else it gets
 * the next number of all pings: the receiver's millisecond, so that the pings of several regions are
 * ordered as they arrived, and one more than the last where that clock stood still or stepped back.
 */
export function numbered(known: Boot | null, { bootId, arrivedAt }: Ping): Beat {
  if (known !== null && known.bootId !== bootId) {
    return { bootId: known.bootId, sequence: known.lastSequence, arrivedAt };
  }
  const sequence = Math.max(1, Math.floor(arrivedAt), (known?.lastSequence ?? 0) + 1);
  return { bootId, sequence, arrivedAt };
}

function refusalOf(beat: Beat | Ping, window: ArrivalWindow | null): BeatRefusal | null {
  const { sequence } = beat;
  if (sequence !== null && (!Number.isSafeInteger(sequence) || sequence < 0)) {
    return 'sequence-malformed';
  }
  // The boot in force was looked at when it began.
  if (beat.bootId !== window?.bootId && !isBootId(beat.bootId)) {
    return 'boot-id-malformed';
  }
  return Number.isFinite(beat.arrivedAt) ? null : 'instant-malformed';
}

/** The time since the last arrival, and what it meant by the deadlines that stood then. */
interface Gap {
  /** Sequence numbers that were passed over; a ping passes none. */
  readonly missing: number;
  readonly intervalMs: number;
  readonly elapsedMs: number;
  readonly arrivedAt: EpochMillis;
  /** Null when the silence was shorter than any deadline can be: nothing to compute. */
  readonly limits: SilenceLimits | null;
}

function gapBefore(window: ArrivalWindow, beat: Beat | Ping, policy: DetectionPolicy): Gap {
  const { intervalMs } = policy;
  const { sequence } = beat;
  const differenceMs = beat.arrivedAt - window.lastArrivalAt;
  const elapsedMs = Math.max(0, differenceMs);
  // Two hosts of one region differ by little: keep the later instant. A clock that stepped back
  // by more is followed, or a crash would stay unseen until the clock has caught up.
  const jittered = differenceMs < 0 && -differenceMs <= intervalMs;
  return {
    missing: sequence === null ? 0 : sequence - window.lastSequence - 1,
    intervalMs,
    elapsedMs,
    arrivedAt: jittered ? window.lastArrivalAt : beat.arrivedAt,
    limits: elapsedMs < SUSPECT_INTERVALS_MIN * intervalMs ? null : silenceLimits(window, policy),
  };
}

function continued(window: ArrivalWindow, beat: Beat, gap: Gap): ArrivalOutcome {
  const lost = believedLosses(gap);
  const batched = carriesNoTiming(gap);
  const counted = countedBeats(window, lost);
  // Written out, not spread: this is the one object that every beat makes.
  const heard: ArrivalWindow = {
    bootId: window.bootId,
    lastSequence: beat.sequence,
    lastArrivalAt: gap.arrivedAt,
    startedAt: window.startedAt,
    formerBoots: window.formerBoots,
    quantumExponent: window.quantumExponent,
    intervals: batched ? window.intervals : window.intervals.push(keptQuanta(window, gap, lost)),
    received: counted.received,
    lost: counted.lost,
    flapPenalty: window.flapPenalty,
    flappedAt: window.flappedAt,
    arrivalsSinceCrossing: arrivalsSinceCrossing(window, gap),
  };
  return { kind: batched ? 'batched' : 'recorded', window: damped(heard, gap) };
}

/** The interval of one beat: the time since the last arrival, shared with those that were lost. */
function keptQuanta(window: ArrivalWindow, gap: Gap, lost: number): number {
  const perBeatMs = gap.elapsedMs / (lost + 1);
  const keptMs = gap.limits === null ? perBeatMs : Math.min(perBeatMs, gap.limits.suspectMs);
  return quantaOf(window, keptMs);
}

function restarted(window: ArrivalWindow, beat: Beat, gap: Gap): ArrivalWindow {
  const next: ArrivalWindow = {
    ...thinToPrior(window),
    bootId: beat.bootId,
    lastSequence: beat.sequence,
    lastArrivalAt: gap.arrivedAt,
    startedAt: beat.arrivedAt,
    formerBoots: bootsBefore(window, beat.bootId),
    ...countedBeats(window, 0),
  };
  return damped(next, gap);
}

function carriesNoTiming(gap: Gap): boolean {
  return gap.elapsedMs < BATCH_SHARE * gap.intervalMs;
}

/** Missing sequence numbers count as losses only where there was time to send them. */
function believedLosses({ missing, elapsedMs, intervalMs }: Gap): number {
  return Math.min(missing, Math.max(0, Math.round(elapsedMs / intervalMs) - 1));
}

function countedBeats(
  window: ArrivalWindow,
  newlyLost: number,
): { readonly received: number; readonly lost: number } {
  const received = window.received + 1;
  const lost = window.lost + Math.min(newlyLost, LOSSES_PER_GAP_MAX);
  if (received + lost < LOSS_MEMORY_BEATS) {
    return { received, lost };
  }
  return { received: Math.ceil(received / 2), lost: Math.ceil(lost / 2) };
}

/** Counts arrivals at normal pace after an outage; any silence over a deadline starts it again. */
function arrivalsSinceCrossing(window: ArrivalWindow, gap: Gap): number {
  const count = window.arrivalsSinceCrossing;
  if (gap.limits !== null && gap.elapsedMs >= gap.limits.suspectMs) {
    return isProving(window) ? 0 : count;
  }
  return carriesNoTiming(gap) ? count : Math.min(FLAP_LIMITS.arrivalsMax, count + 1);
}

/** What the silence that ended costs the site, see `flapping.ts`. */
function damped(heard: ArrivalWindow, { limits, elapsedMs, arrivedAt }: Gap): ArrivalWindow {
  if (limits === null || elapsedMs < limits.suspectMs) {
    return heard;
  }
  const { failurePenalty, suspicionPenalty } = FLAP_LIMITS;
  const penalty = elapsedMs >= limits.failMs ? failurePenalty : suspicionPenalty;
  return withFlap(heard, penalty, arrivedAt);
}
