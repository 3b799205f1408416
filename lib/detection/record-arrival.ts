/**
 * One heartbeat arrives: what does the observer now remember?
 *
 * Only a beat that is *newer* than all known ones moves anything. A repeated or overtaken one
 * changes nothing: a queue that delivers twice must not keep a dead site alive. What was lost is
 * read from the sequence, not guessed from time; what was delivered together carries no timing;
 * a pause is kept, but cut to the suspect deadline then in force, so that the window adapts to
 * frequent pauses and is not destroyed by one. Across a restart no interval is ever computed.
 *
 * Boots are ordered by who was heard first, since random ids have no order; the previous boot is
 * remembered, so a late beat of it is told from a new start.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import {
  type ArrivalWindow,
  type Beat,
  isBootId,
  pushInterval,
  requantise,
  startWindow,
  thinToPrior,
} from './arrival-window.ts';
import {
  BATCH_SHARE,
  LOSS_MEMORY_BEATS,
  LOSSES_PER_GAP_MAX,
  RECOVERY_ARRIVALS,
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
  beat: Beat,
  policy: DetectionPolicy,
): ArrivalOutcome {
  checkPolicy(policy);
  const refusal = refusalOf(beat);
  if (refusal !== null) {
    return { kind: 'refused', code: refusal };
  }
  if (window === null) {
    return { kind: 'started', window: startWindow(beat, policy.intervalMs) };
  }
  if (isKnown(window, beat)) {
    return { kind: 'duplicate', window };
  }
  const current = requantise(window, policy.intervalMs);
  const gap = gapBefore(current, beat, policy);
  return beat.bootId === current.bootId
    ? continued(current, beat, gap)
    : { kind: 'restarted', window: restarted(current, beat, gap) };
}

function refusalOf(beat: Beat): BeatRefusal | null {
  if (!Number.isSafeInteger(beat.sequence) || beat.sequence < 0) {
    return 'sequence-malformed';
  }
  if (!isBootId(beat.bootId)) {
    return 'boot-id-malformed';
  }
  return Number.isFinite(beat.arrivedAt) ? null : 'instant-malformed';
}

function isKnown(window: ArrivalWindow, beat: Beat): boolean {
  const boots = [window, window.previousBoot];
  return boots.some((boot) => boot?.bootId === beat.bootId && beat.sequence <= boot.lastSequence);
}

/** The time since the last arrival, and what it meant by the deadlines that stood then. */
interface Gap {
  readonly intervalMs: number;
  readonly elapsedMs: number;
  readonly arrivedAt: EpochMillis;
  /** Null when the silence was shorter than any deadline can be: nothing to compute. */
  readonly limits: SilenceLimits | null;
}

function gapBefore(window: ArrivalWindow, beat: Beat, policy: DetectionPolicy): Gap {
  const { intervalMs } = policy;
  const differenceMs = beat.arrivedAt - window.lastArrivalAt;
  const elapsedMs = Math.max(0, differenceMs);
  // Two hosts of one region differ by little: keep the later instant. A clock that stepped back
  // by more is followed, or a crash would stay unseen until the clock has caught up.
  const jittered = differenceMs < 0 && -differenceMs <= intervalMs;
  return {
    intervalMs,
    elapsedMs,
    arrivedAt: jittered ? window.lastArrivalAt : beat.arrivedAt,
    limits: elapsedMs < SUSPECT_INTERVALS_MIN * intervalMs ? null : silenceLimits(window, policy),
  };
}

function continued(window: ArrivalWindow, beat: Beat, gap: Gap): ArrivalOutcome {
  const lost = believedLosses(beat.sequence - window.lastSequence - 1, gap);
  const heard: ArrivalWindow = {
    ...window,
    lastSequence: beat.sequence,
    lastArrivalAt: gap.arrivedAt,
    ...countedBeats(window, lost),
    arrivalsSinceCrossing: arrivalsSinceCrossing(window, gap),
  };
  if (carriesNoTiming(gap)) {
    return { kind: 'batched', window: heard };
  }
  const perBeatMs = gap.elapsedMs / (lost + 1);
  const kept = gap.limits === null ? perBeatMs : Math.min(perBeatMs, gap.limits.suspectMs);
  return { kind: 'recorded', window: pushInterval(heard, kept) };
}

function restarted(window: ArrivalWindow, beat: Beat, gap: Gap): ArrivalWindow {
  const crossed = gap.limits !== null && gap.elapsedMs >= gap.limits.failMs;
  return {
    ...thinToPrior(window),
    bootId: beat.bootId,
    lastSequence: beat.sequence,
    lastArrivalAt: gap.arrivedAt,
    startedAt: beat.arrivedAt,
    previousBoot: { bootId: window.bootId, lastSequence: window.lastSequence },
    ...countedBeats(window, 0),
    arrivalsSinceCrossing: crossed ? 0 : window.arrivalsSinceCrossing,
  };
}

function carriesNoTiming(gap: Gap): boolean {
  return gap.elapsedMs < BATCH_SHARE * gap.intervalMs;
}

/** Missing sequence numbers count as losses only where there was time to send them. */
function believedLosses(missing: number, gap: Gap): number {
  return Math.min(missing, Math.max(0, Math.round(gap.elapsedMs / gap.intervalMs) - 1));
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
    const recovering = count < RECOVERY_ARRIVALS;
    return recovering || gap.elapsedMs >= gap.limits.failMs ? 0 : count;
  }
  return carriesNoTiming(gap) ? count : Math.min(RECOVERY_ARRIVALS, count + 1);
}
