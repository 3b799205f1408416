/** `tripoint replay`: one row for each target and policy, then the wrong failovers one by one. */

import { formatElapsed } from '../../base/elapsed.ts';
import type {
  PolicyResult,
  TargetResult,
  WrongFailure,
} from '../../simulation/replay/back-test.ts';
import { monthlyRate } from '../../simulation/replay/back-test.ts';
import type { Recording } from '../../simulation/replay/recording.ts';
import type { Style } from './style.ts';
import { type Cell, cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';

export interface Replayed {
  readonly file: string;
  /** Δ that policies without one of their own were given. */
  readonly intervalMs: number;
  readonly recording: Recording;
  readonly crashAt: number | null;
  readonly results: readonly TargetResult[];
}

const HEADER = [
  'target',
  'policy',
  'suspected',
  'failed',
  'wrongly',
  'longest',
  'wrong a month',
  'a crash is noticed in',
  'died',
];
/** 12 hours of heartbeats. */
const RATE_WATCHED_MS_MIN = 43_200_000;
const WRONG_SHOWN_MAX = 10;
const ACCUSATIONS_MAX = 1000;

export function renderReplay(replayed: Replayed, style: Style): readonly string[] {
  const { results } = replayed;
  const rows = results.flatMap((target) =>
    target.results.map((result, position) => rowOf(position === 0 ? target.target : '', result)),
  );
  const totals = results.length > 1 ? totalRows(results) : [];
  return [
    headline(replayed, style),
    '',
    ...renderTable({ header: HEADER, rows: [...rows, ...totals] }, style),
    ...wrongOnes(replayed, style),
  ];
}

function headline({ intervalMs, recording, crashAt, results }: Replayed, style: Style): string {
  const beats = results.reduce((sum, target) => sum + target.beats, 0);
  const observers = Math.max(...results.map((target) => target.observers.length));
  const watched = formatElapsed(recording.endsAt - recording.beginsAt);
  const crash = crashAt === null ? '' : `; as if all had died ${momentIn(recording, crashAt)}`;
  const noun = (count: number, name: string) => `${count} ${name}${count === 1 ? '' : 's'}`;
  return style(
    `${noun(beats, 'beat')} of ${noun(results.length, 'target')} at ${noun(observers, 'observer')} ` +
      `over ${watched}, one each ${formatElapsed(intervalMs)}${crash}`,
    'plain',
  );
}

function rowOf(target: string, result: PolicyResult): readonly Cell[] {
  const { crash, notice, wrong } = result;
  return [
    cell(target, 'strong'),
    cell(result.policy),
    cell(String(result.suspicions), result.suspicions > 0 ? 'warning' : 'plain'),
    cell(String(result.failures)),
    cell(String(wrong.length), wrong.length > 0 ? 'bad' : 'good'),
    cell(wrong.length === 0 ? '–' : formatElapsed(Math.max(...wrong.map((one) => one.lastedMs)))),
    cell(rateText(result)),
    cell(
      notice === null
        ? '–'
        : `${formatElapsed(notice.medianMs)}, at worst ${formatElapsed(notice.worstMs)}`,
    ),
    cell(
      crash === null
        ? result.restarts === 0
          ? '–'
          : `${result.restarts} restarts`
        : `failed after ${formatElapsed(crash.detectedMs)}`,
    ),
  ];
}

function totalRows(results: readonly TargetResult[]): readonly (readonly Cell[])[] {
  const policies = results[0]?.results.map(({ policy }) => policy) ?? [];
  return policies.map((policy, position) => {
    const all = results.flatMap((target) => target.results[position] ?? []);
    const wrong = all.flatMap((result) => result.wrong);
    const watchedMs = results.reduce((sum, target) => sum + target.watchedMs, 0);
    const medians = all.flatMap((result) => result.notice?.medianMs ?? []).sort((a, b) => a - b);
    const medianMs = medians[Math.floor(medians.length / 2)];
    const worst = all.flatMap((result) => result.notice?.worstMs ?? []);
    const crashes = all.flatMap((result) => result.crash ?? []);
    return rowOf(position === 0 ? `all ${results.length}` : '', {
      policy,
      accusations: [],
      suspicions: all.reduce((sum, result) => sum + result.suspicions, 0),
      failures: all.reduce((sum, result) => sum + result.failures, 0),
      wrong,
      restarts: all.reduce((sum, result) => sum + result.restarts, 0),
      crash: crashes.reduce<PolicyResult['crash']>(
        (latest, one) => (latest === null || one.detectedMs > latest.detectedMs ? one : latest),
        null,
      ),
      watchedMs,
      perMonth: monthlyRate(wrong.length, watchedMs),
      notice: medianMs === undefined ? null : { medianMs, worstMs: Math.max(...worst) },
    });
  });
}

/** `12 (≤ 21)`: the mean, and what it may well be. From an hour nothing follows for a month. */
function rateText({ perMonth: { mean, atMost }, watchedMs }: PolicyResult): string {
  return watchedMs < RATE_WATCHED_MS_MIN
    ? 'too short to say'
    : `${rounded(mean)} (≤ ${rounded(atMost)})`;
}

function rounded(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

function wrongOnes({ recording, results }: Replayed, style: Style): readonly string[] {
  const all = results.flatMap((target) =>
    target.results.flatMap((result) =>
      result.wrong.map((wrong) => ({ target: target.target, policy: result.policy, wrong })),
    ),
  );
  const lines = all
    .slice(0, WRONG_SHOWN_MAX)
    .map(({ target, policy, wrong }) =>
      style(`✖ ${target}, ${policy}: ${wrongText(recording, wrong)}`, 'bad'),
    );
  const more = all.length - lines.length;
  return [
    ...(lines.length === 0 ? [] : ['']),
    ...lines,
    ...(more > 0 ? [style(`and ${more} more: --json lists them`, 'dim')] : []),
  ];
}

function wrongText(recording: Recording, { failedAt, lastedMs }: WrongFailure): string {
  return `failed ${momentIn(recording, failedAt)}, heard again ${formatElapsed(lastedMs)} later`;
}

/** Instants before 1990 are times from the beginning of a trace, those after 9999 no dates. */
const CALENDAR_FROM_MS = 631_152_000_000;
const CALENDAR_UNTIL_MS = 253_402_300_800_000;

export function momentIn({ beginsAt }: Recording, instant: number): string {
  return beginsAt >= CALENDAR_FROM_MS && instant < CALENDAR_UNTIL_MS
    ? `at ${formatInstant(new Date(instant).toISOString())}`
    : `after ${formatElapsed(instant - beginsAt)}`;
}

/** For `--json`: times as in the file, in milliseconds. */
export function replayDocument({
  file,
  intervalMs,
  recording,
  crashAt,
  results,
}: Replayed): object {
  return {
    file,
    intervalMs,
    beginsAt: recording.beginsAt,
    endsAt: recording.endsAt,
    crashAt,
    targets: results.map((target) => ({
      target: target.target,
      observers: target.observers,
      beats: target.beats,
      watchedMs: target.watchedMs,
      lastBeatAt: target.lastBeatAt,
      policies: target.results.map((result) => ({
        policy: result.policy,
        suspicions: result.suspicions,
        failures: result.failures,
        wrong: result.wrong.slice(0, ACCUSATIONS_MAX),
        wrongCount: result.wrong.length,
        restarts: result.restarts,
        wrongPerMonth: result.perMonth,
        crash: result.crash,
        noticeMs: result.notice,
        accusations: result.accusations.slice(0, ACCUSATIONS_MAX),
      })),
    })),
  };
}
