/**
 * The back-test: every target of a recording under every policy, reduced to what an owner asks.
 * How often would traffic have moved for nothing, and how soon after a real end?
 *
 * A failure is *wrong* when the same process was heard again; it is *real* when the target was never
 * heard again (and others were, so that the recording did not simply end), or came back as another
 * boot. A recording cannot tell a long outage from a long silence: both count as wrong, with their
 * length beside them, for the owner to judge.
 */
import { type EpochMillis, epochMillis } from '../../base/identifiers.ts';
import { crashedAt, type RecordedTarget, type Recording } from './recording.ts';
import { type Accusation, replayTarget } from './replay-target.ts';
import type { ReplayPolicy } from './watch.ts';

export interface WrongFailure {
  readonly failedAt: EpochMillis;
  readonly lastedMs: number;
}

export interface PolicyResult {
  readonly policy: string;
  readonly accusations: readonly Accusation[];
  readonly suspicions: number;
  readonly failures: number;
  readonly wrong: readonly WrongFailure[];
  /** Failures that ended with another boot. */
  readonly restarts: number;
  /** The failure that stands at the end; null = there is none. */
  readonly crash: { readonly failedAt: EpochMillis; readonly detectedMs: number } | null;
  readonly watchedMs: number;
  readonly perMonth: MonthlyRate;
  /** From a crash just after a beat until it is agreed; null = too few beats to say. */
  readonly notice: { readonly medianMs: number; readonly worstMs: number } | null;
}

export interface MonthlyRate {
  readonly mean: number;
  /** With 97.5% confidence not more than this: no event in a short recording proves little. */
  readonly atMost: number;
}

export interface TargetResult {
  readonly target: string;
  readonly observers: readonly string[];
  readonly beats: number;
  readonly watchedMs: number;
  readonly lastBeatAt: EpochMillis;
  readonly results: readonly PolicyResult[];
}

const MONTH_MS = 30 * 86_400_000;

/** @param crashAt all senders die then, and silence is watched to its end; null = as recorded. */
export function backTest(
  recording: Recording,
  policies: readonly ReplayPolicy[],
  crashAt: number | null,
): readonly TargetResult[] {
  const replayed = crashAt === null ? recording : crashedAt(recording, crashAt);
  const endsAt = crashAt === null ? recording.endsAt : Number.POSITIVE_INFINITY;
  return (replayed?.targets ?? []).map((target) => {
    const beginsAt = Math.min(...target.series.map(({ beats }) => beats[0]?.arrivedAt ?? 0));
    const runs = policies.map((policy) => ({
      policy,
      replay: replayTarget(target, policy, { beginsAt, endsAt }),
    }));
    const lastBeatAt = lastBeatOf(target);
    const watchedMs = (crashAt ?? recording.endsAt) - beginsAt;
    return {
      target: target.target,
      observers: target.series.map(({ observer }) => observer),
      beats: target.series.reduce((sum, { beats }) => sum + beats.length, 0),
      watchedMs,
      lastBeatAt,
      results: runs.map(({ policy, replay }) => ({
        policy: policy.label,
        notice: noticeOf(replay.noticeMs),
        ...judgedBy(replay.accusations, { crashAt, lastBeatAt, watchedMs }),
      })),
    };
  });
}

interface Course {
  readonly crashAt: number | null;
  readonly lastBeatAt: number;
  readonly watchedMs: number;
}

function judgedBy(accusations: readonly Accusation[], { crashAt, lastBeatAt, watchedMs }: Course) {
  const failures = accusations.filter(({ failedAt }) => failedAt !== null);
  const wrong = failures.flatMap(({ failedAt, refutedAt, restarted }) =>
    failedAt === null || refutedAt === null || restarted
      ? []
      : [{ failedAt, lastedMs: refutedAt - failedAt }],
  );
  const standing = failures.find(({ refutedAt }) => refutedAt === null)?.failedAt ?? null;
  // Who was failed before the others were made to die had died by its last beat.
  const diedAt = (failedAt: number) =>
    crashAt === null || failedAt < crashAt ? lastBeatAt : crashAt;
  return {
    accusations,
    suspicions: accusations.length,
    failures: failures.length,
    wrong,
    restarts: failures.filter(({ restarted }) => restarted).length,
    crash:
      standing === null ? null : { failedAt: standing, detectedMs: standing - diedAt(standing) },
    watchedMs,
    perMonth: monthlyRate(wrong.length, watchedMs),
  };
}

function lastBeatOf({ series }: RecordedTarget): EpochMillis {
  return epochMillis(Math.max(...series.flatMap(({ beats }) => beats.at(-1)?.arrivedAt ?? [])));
}

function noticeOf(samples: readonly number[]): PolicyResult['notice'] {
  const sorted = samples.toSorted((left, right) => left - right);
  const medianMs = sorted[Math.floor(sorted.length / 2)];
  const worstMs = sorted.at(-1);
  return medianMs === undefined || worstMs === undefined ? null : { medianMs, worstMs };
}

export function monthlyRate(events: number, watchedMs: number): MonthlyRate {
  const months = Math.max(watchedMs, 1) / MONTH_MS;
  return { mean: events / months, atMost: poissonUpper(events) / months };
}

/** The rate at which `events` or fewer would be seen only once in forty times (Garwood 1936). */
function poissonUpper(events: number): number {
  let low = events;
  let high = 2 * events + 10;
  for (let halvings = 0; halvings < 60; halvings++) {
    const middle = (low + high) / 2;
    if (cumulativePoisson(events, middle) > 0.025) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** Chance of at most `events` where `mean` are expected; summed in logarithms, so never 0 × ∞. */
function cumulativePoisson(events: number, mean: number): number {
  let logTerm = -mean;
  let sum = Math.exp(logTerm);
  for (let count = 1; count <= events; count++) {
    logTerm += Math.log(mean / count);
    sum += Math.exp(logTerm);
  }
  return sum;
}
