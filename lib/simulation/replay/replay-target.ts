/**
 * Replays one target under one policy: when would its observers have suspected it, and when would
 * they have agreed that it failed?
 *
 * Time comes from the recording alone and moves from event to event: the next beat of any observer,
 * or the next deadline before it. At each event that can change anything the observers judge anew
 * and their verdicts are fused as in the log, with proof of life refuting. One observer is a vote of
 * one. What the log and DNS take on top is not in here: this is detection alone.
 */
import { type EpochMillis, epochMillis, type RegionId, regionId } from '../../base/identifiers.ts';
import { proofMsMaxOf } from '../../control/service-events.ts';
import type { Beat } from '../../detection/arrival-window.ts';
import { fuseOpinion, type OpinionState } from '../../detection/opinion.ts';
import type { RecordedTarget } from './recording.ts';
import { type ReplayPolicy, Watch } from './watch.ts';

/** From the first doubt to the end of it. */
export interface Accusation {
  readonly suspectedAt: EpochMillis;
  /** null = it never came to that. */
  readonly failedAt: EpochMillis | null;
  /** When the failure was taken back; null = it stands, or there was none. */
  readonly refutedAt: EpochMillis | null;
  /** When the site was fully trusted again; null = not within the recording. */
  readonly clearedAt: EpochMillis | null;
  /** The failure ended with another boot of the sender: it had really stopped. */
  readonly restarted: boolean;
}

export interface TargetReplay {
  readonly accusations: readonly Accusation[];
  /** Last arrival at any observer. */
  readonly lastBeatAt: EpochMillis;
  /** Had it crashed just after a beat: how long until all had agreed. Evenly spread samples. */
  readonly noticeMs: readonly number[];
}

export interface ReplaySpan {
  readonly beginsAt: number;
  /** Silence is watched until here; Infinity = until every deadline has passed. */
  readonly endsAt: number;
}

const NOTICE_SAMPLES = 200;

export function replayTarget(
  target: RecordedTarget,
  policy: ReplayPolicy,
  span: ReplaySpan,
): TargetReplay {
  const jury = new Jury(target, policy, span.beginsAt);
  const stride = Math.max(1, Math.ceil(countBeats(target) / NOTICE_SAMPLES));
  const noticeMs: number[] = [];
  let heard = 0;
  for (const { beat, observer } of inOrder(target)) {
    jury.passUntil(beat.arrivedAt);
    jury.hear(observer, beat);
    heard += 1;
    if (heard % stride === 0 && !jury.isAccusing) {
      const silence = jury.silenceToFail();
      noticeMs.push(...(silence === null ? [] : [silence]));
    }
  }
  jury.passUntil(span.endsAt);
  return { accusations: jury.accusations, lastBeatAt: jury.lastBeatAt, noticeMs };
}

/** The observers of one target. Guards the course of its accusations. */
class Jury {
  readonly #watches: readonly Watch[];
  readonly #observers: readonly RegionId[];
  readonly #proofMsMax: number;
  readonly #closed: Accusation[] = [];
  #open: Accusation | null = null;
  #bootOfAccused: string | null = null;
  #now: EpochMillis;
  lastBeatAt: EpochMillis;

  constructor({ series }: RecordedTarget, { rule }: ReplayPolicy, beginsAt: number) {
    this.#now = epochMillis(beginsAt);
    this.lastBeatAt = this.#now;
    this.#watches = series.map(() => new Watch(rule, this.#now));
    this.#observers = series.map((_, position) => regionId(`observer-${position + 1}`));
    this.#proofMsMax = rule.kind === 'timeout' ? rule.silenceMs : proofMsMaxOf(rule.policy);
  }

  get isAccusing(): boolean {
    return this.#open !== null;
  }

  get accusations(): readonly Accusation[] {
    return this.#open === null ? this.#closed : [...this.#closed, this.#open];
  }

  /** Lets the clock run; what is silent for too long by then is accused. */
  passUntil(instant: number): void {
    for (;;) {
      const due = this.#watches.flatMap((watch) => watch.nextDeadline(this.#now, instant) ?? []);
      if (due.length === 0) {
        return;
      }
      this.#deliberate(epochMillis(Math.min(...due)), null);
    }
  }

  hear(position: number, beat: Beat): void {
    this.#watches[position]?.hear(beat);
    this.#now = epochMillis(Math.max(this.#now, beat.arrivedAt));
    this.lastBeatAt = this.#now;
    if (this.#open !== null) {
      this.#deliberate(this.#now, beat.bootId);
    }
  }

  /** Were nothing more heard from now on: how long until the failure is agreed? */
  silenceToFail(): number | null {
    const instants = this.#watches.flatMap((watch) => {
      const deadlines = watch.deadlines();
      const lapse = (watch.window?.lastArrivalAt ?? this.#now) + this.#proofMsMax + 1;
      return deadlines === null ? [] : [deadlines.suspectAt, deadlines.failAt, lapse];
    });
    const agreed = instants
      .sort((left, right) => left - right)
      .find((instant) => this.#opinion(epochMillis(instant)) === 'failed');
    return agreed === undefined ? null : agreed - this.#now;
  }

  #opinion(now: EpochMillis): OpinionState {
    const verdicts = this.#watches.map((watch, position) => ({
      observer: this.#observers[position] ?? regionId('observer-1'),
      verdict: watch.verdict(now),
    }));
    return fuseOpinion(verdicts, this.#observers, { now, proofMsMax: this.#proofMsMax }).state;
  }

  /** @param bootId of the beat that was just heard; null = only time has passed. */
  #deliberate(now: EpochMillis, bootId: string | null): void {
    this.#now = now;
    const state = this.#opinion(now);
    const open = this.#open;
    if (state === 'failed') {
      this.#convict(open, now);
    } else if (open !== null) {
      this.#acquit(open, state, bootId);
    } else if (state === 'suspect') {
      this.#open = { ...NOT_YET, suspectedAt: now };
    }
  }

  #convict(open: Accusation | null, now: EpochMillis): void {
    if (open?.refutedAt === null && open.failedAt !== null) {
      return;
    }
    const isNew = open === null || open.failedAt !== null;
    if (open !== null && isNew) {
      this.#closed.push({ ...open, clearedAt: now });
    }
    this.#open = { ...NOT_YET, suspectedAt: isNew ? now : open.suspectedAt, failedAt: now };
    this.#bootOfAccused =
      this.#watches.find(({ window }) => window !== null)?.window?.bootId ?? null;
  }

  #acquit(open: Accusation, state: OpinionState, bootId: string | null): void {
    const isRefuted = open.failedAt !== null && open.refutedAt === null && bootId !== null;
    const next = isRefuted
      ? { ...open, refutedAt: this.#now, restarted: bootId !== this.#bootOfAccused }
      : open;
    const isOver = state !== 'suspect' && state !== 'unknown';
    this.#open = isOver ? null : next;
    if (isOver) {
      this.#closed.push({ ...next, clearedAt: this.#now });
    }
  }
}

const NOT_YET = { failedAt: null, refutedAt: null, clearedAt: null, restarted: false } as const;

function countBeats({ series }: RecordedTarget): number {
  return series.reduce((sum, { beats }) => sum + beats.length, 0);
}

/** All beats of a target in order of arrival; of two at once, that of the earlier observer first. */
function* inOrder({ series }: RecordedTarget): Generator<{ beat: Beat; observer: number }> {
  const next = series.map(() => 0);
  for (;;) {
    let chosen = -1;
    let earliest = Number.POSITIVE_INFINITY;
    for (let position = 0; position < series.length; position++) {
      const arrivedAt = series[position]?.beats[next[position] ?? 0]?.arrivedAt;
      if (arrivedAt !== undefined && arrivedAt < earliest) {
        earliest = arrivedAt;
        chosen = position;
      }
    }
    const beat = series[chosen]?.beats[next[chosen] ?? 0];
    if (beat === undefined) {
      return;
    }
    next[chosen] = (next[chosen] ?? 0) + 1;
    yield { beat, observer: chosen };
  }
}
