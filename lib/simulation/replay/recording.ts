/**
 * Recorded heartbeats: who was heard by whom, and when. What a back-test replays.
 *
 * A *series* is what one observer heard of one target, in order of arrival; all series of a target
 * are heartbeats of the same sender, so a sequence number means the same beat at every observer.
 * Arrivals are instants of the observers' clocks, as in production: no sender's clock is in here.
 */
import type { Beat } from '../../detection/arrival-window.ts';

export interface RecordedSeries {
  readonly target: string;
  readonly observer: string;
  /** Ascending by arrival. A beat overtaken by a later one stands where it arrived. */
  readonly beats: readonly Beat[];
}

export interface RecordedTarget {
  readonly target: string;
  /** One for each observer, at least one. */
  readonly series: readonly RecordedSeries[];
}

export interface Recording {
  /** In the order of the file, at least one. */
  readonly targets: readonly RecordedTarget[];
  /** First and last arrival of the whole recording. */
  readonly beginsAt: number;
  readonly endsAt: number;
}

export const REPLAY_LIMITS = {
  beatsMax: 5_000_000,
  fileBytesMax: 512 * 1024 * 1024,
  seriesMax: 500,
  observersMax: 7,
  policiesMax: 8,
} as const;

/** Groups series by target; series without a beat are left out. null = nothing was heard at all. */
export function recordingOf(series: readonly RecordedSeries[]): Recording | null {
  const heard = series.filter(({ beats }) => beats.length > 0);
  const byTarget = Map.groupBy(heard, ({ target }) => target);
  const targets = [...byTarget].map(([target, own]) => ({ target, series: own }));
  const first = heard.map(({ beats }) => beats[0]?.arrivedAt ?? Number.POSITIVE_INFINITY);
  const last = heard.map(({ beats }) => beats.at(-1)?.arrivedAt ?? Number.NEGATIVE_INFINITY);
  return targets.length === 0
    ? null
    : { targets, beginsAt: Math.min(...first), endsAt: Math.max(...last) };
}

/** The same recording had every sender died at `crashAt`: nothing later was heard of anybody. */
export function crashedAt(recording: Recording, crashAt: number): Recording | null {
  const series = recording.targets.flatMap((target) =>
    target.series.map((one) => ({
      ...one,
      beats: one.beats.filter(({ arrivedAt }) => arrivedAt <= crashAt),
    })),
  );
  return recordingOf(series);
}

/** The median interval between arrivals of the first series: what Δ must have been. */
export function usualIntervalMs({ targets }: Recording): number | null {
  const beats = targets[0]?.series[0]?.beats ?? [];
  const intervals = beats
    .slice(1)
    .map(({ arrivedAt }, position) => arrivedAt - (beats[position]?.arrivedAt ?? arrivedAt))
    .sort((left, right) => left - right);
  return intervals[Math.floor(intervals.length / 2)] ?? null;
}
