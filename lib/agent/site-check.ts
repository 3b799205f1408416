/**
 * What a site finds about itself: a URL or a command that is looked at again and again.
 *
 * Looks never overlap and each has a time limit, so a finding is never older than one pause and one
 * limit, and a check that hangs is a finding too. Exit codes mean what they mean to Nagios and
 * Consul, status codes what they mean to Consul: there is nothing new to learn.
 *
 * | command | URL          | finding    |
 * | ------- | ------------ | ---------- |
 * | 0       | 200 to 299   | `ok`       |
 * | 1       | 429          | `degraded` |
 * | other   | other, none  | `failing`  |
 */
import { describeError } from '../base/errors.ts';
import type { CommandOutcome, CommandRunner } from './child-command.ts';
import type { HeartbeatStatus } from './heartbeat-options.ts';
import type { AgentClock } from './system-clock.ts';

export interface Finding {
  readonly status: HeartbeatStatus;
  /** One line for a log. */
  readonly detail: string;
}

/** Looks once. Never rejects. */
export type Look<Result> = (signal: AbortSignal) => Promise<Result>;

export interface Watch<Result> {
  /** The latest result; null before the first. */
  readonly latest: () => Result | null;
  /** Resolves when the first look has ended. */
  readonly first: Promise<void>;
  /** Ends a look that is under way. */
  readonly stop: () => Promise<void>;
}

export interface WatchOptions<Result> {
  readonly look: Look<Result>;
  /** From the beginning of one look to the beginning of the next, unless it takes longer. */
  readonly intervalMs: number;
  readonly clock: AgentClock;
  readonly onResult: (result: Result) => void;
}

/** Looks at once, then each `intervalMs`, never two at a time. */
export function startWatch<Result>(options: WatchOptions<Result>): Watch<Result> {
  const { look, intervalMs, clock, onResult } = options;
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  let latest: Result | null = null;
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const beganAt = clock.monotonicNow();
      const result = await look(stopping.signal);
      if (!stopping.signal.aborted) {
        latest = result;
        onResult(result);
      }
      first.resolve();
      const tookMs = clock.monotonicNow() - beganAt;
      await clock.sleep(Math.max(1, intervalMs - tookMs), stopping.signal);
    }
  })();
  return {
    latest: () => latest,
    first: first.promise,
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}

export function lookByCommand(
  run: CommandRunner,
  environment: Readonly<Record<string, string>>,
): Look<Finding> {
  return async (signal) => findingOf(await run({ environment, signal }));
}

export function findingOf(outcome: CommandOutcome): Finding {
  if (outcome.kind !== 'exited') {
    return { status: 'failing', detail: describeOutcome(outcome) };
  }
  const status = outcome.code === 0 ? 'ok' : outcome.code === 1 ? 'degraded' : 'failing';
  return { status, detail: describeOutcome(outcome) };
}

/** One line: how it ended, and the last words of what it printed. */
export function describeOutcome(outcome: CommandOutcome): string {
  switch (outcome.kind) {
    case 'exited':
      return withOutput(`exit code ${outcome.code}`, outcome.output);
    case 'killed':
      return withOutput(`ended by ${outcome.signal}`, outcome.output);
    case 'timed-out':
      return withOutput('not done in time', outcome.output);
    case 'cancelled':
      return withOutput('cut short', outcome.output);
    case 'not-started':
      return `not started: ${outcome.detail}`;
  }
}

/** Milliseconds, as the command prints them first; null when it does not. */
export function lookForLag(
  run: CommandRunner,
  environment: Readonly<Record<string, string>>,
): Look<number | null> {
  return async (signal) => lagOf(await run({ environment, signal }));
}

export function lagOf(outcome: CommandOutcome): number | null {
  const text = outcome.kind === 'exited' && outcome.code === 0 ? outcome.output : '';
  const number = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*$/.exec(text.trimStart().split('\n', 1)[0] ?? '');
  return number === null ? null : Number(number[1]);
}

export interface UrlCheck {
  readonly url: string;
  readonly timeoutMs: number;
  readonly clock: AgentClock;
  /** The built-in `fetch`, or one that behaves like it. */
  readonly fetch: typeof fetch;
}

/** Redirects are not followed: what another place answers says nothing about this one. */
export function lookByUrl({ url, timeoutMs, clock, fetch: ask }: UrlCheck): Look<Finding> {
  return async (signal) => {
    const over = new AbortController();
    const patience = AbortSignal.any([signal, over.signal]);
    const late = clock.sleep(timeoutMs, patience).then(() => {
      over.abort();
      return { status: 'failing', detail: 'no answer in time' } as const;
    });
    const finding = await Promise.race([askOnce(ask, url, patience), late]);
    over.abort();
    return finding;
  };
}

async function askOnce(ask: typeof fetch, url: string, signal: AbortSignal): Promise<Finding> {
  try {
    const response = await ask(url, { signal, redirect: 'manual' });
    // The body is not read: its size is not ours to choose.
    await response.body?.cancel();
    const { status } = response;
    const detail = `status ${status}`;
    return { status: response.ok ? 'ok' : status === 429 ? 'degraded' : 'failing', detail };
  } catch (thrown) {
    const { cause } = thrown instanceof Error ? thrown : { cause: undefined };
    return { status: 'failing', detail: describeError(cause ?? thrown) };
  }
}

const DETAIL_LENGTH_MAX = 200;

function withOutput(ending: string, output: string): string {
  const lines = output.split('\n').map(printable);
  const words = lines.findLast((line) => line !== '');
  return words === undefined ? ending : `${ending}: ${words.slice(0, DETAIL_LENGTH_MAX)}`;
}

/** A child may print anything; a log line stays one line without escape sequences. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}
