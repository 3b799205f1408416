/**
 * Waits for a run to end, telling each step as it happens.
 *
 * The run belongs to the log, not to this process: when the wait ends early, by Ctrl-C or by its
 * limit, the run goes on, and `tripoint runs ID` shows it.
 */
import type { ApiClient, ReadAnswer } from '../api/client.ts';
import type { RunJson } from '../api/schemas.ts';
import { type Host, pause } from './host.ts';
import { describeSilences } from './render/problems.ts';

const POLL_MS = 200;

export type Followed =
  | { readonly kind: 'ended'; readonly run: RunJson }
  | { readonly kind: 'timed-out'; readonly run: RunJson | null; readonly detail: string }
  | { readonly kind: 'interrupted'; readonly run: RunJson | null };

export interface FollowOptions {
  readonly client: Pick<ApiClient, 'run'>;
  readonly host: Host;
  readonly id: string;
  readonly timeoutMs: number;
  /** Called with each new state of the run; the first time with `before` null. */
  readonly onChange: (before: RunJson | null, after: RunJson) => void;
}

export async function followRun(options: FollowOptions): Promise<Followed> {
  const { client, host, id, timeoutMs, onChange } = options;
  const signal = host.interruption();
  const deadline = host.clock.monotonicNow() + timeoutMs;
  let latest: RunJson | null = null;
  let detail = 'the run was not found yet';
  while (host.clock.monotonicNow() < deadline) {
    const answer = await client.run(id);
    const seen = newer(latest, answer);
    if (seen !== null) {
      onChange(latest, seen);
      latest = seen;
    }
    if (latest !== null && latest.outcome.kind !== 'open') {
      return { kind: 'ended', run: latest };
    }
    detail = describe(answer) ?? detail;
    if (!(await pause(host, POLL_MS, signal))) {
      return { kind: 'interrupted', run: latest };
    }
  }
  return { kind: 'timed-out', run: latest, detail };
}

/** A region that lags shows an older state of the run, or does not know it yet: passed over. */
function newer(latest: RunJson | null, answer: ReadAnswer<RunJson>): RunJson | null {
  if (answer.kind !== 'ok') {
    return null;
  }
  return latest === null || progressOf(answer.value) > progressOf(latest) ? answer.value : null;
}

/** Rises with every entry about the run: claims, results, end. */
function progressOf({ steps, outcome }: RunJson): number {
  // A claim raises the attempt; a step that is to be tried again waits under the same attempt.
  const weight = { claimed: 0, waiting: 1, done: 1000, failed: 1000, skipped: 1000 } as const;
  const claimed = steps.reduce((sum, { attempt, state }) => sum + 2 * attempt + weight[state], 0);
  return claimed + (outcome.kind === 'open' ? 0 : 100_000);
}

function describe(answer: ReadAnswer<RunJson>): string | null {
  switch (answer.kind) {
    case 'ok':
      return 'the run is still open';
    case 'problem':
      return answer.problem.detail;
    case 'unreachable':
      return describeSilences(answer.silences);
  }
}
