/**
 * What is known of a job: when it last began, ended well, ended badly, and with which words.
 *
 * A job beats rarely and says what the beat means, so it has no arrival statistics: its record is
 * these few instants, stamped by the receiver. Invariant: `runningSince` is set only between a
 * start and the end that follows it.
 */
import type { EpochMillis } from '../base/identifiers.ts';

export interface JobRecord {
  readonly lastStartedAt: EpochMillis | null;
  readonly lastSucceededAt: EpochMillis | null;
  readonly lastFailedAt: EpochMillis | null;
  /** Start of the run that is open; null = none is. */
  readonly runningSince: EpochMillis | null;
  /** The first start since the last success; null = none. */
  readonly unfinishedSince: EpochMillis | null;
  /** Of the last end; null = it named none. */
  readonly exitCode: number | null;
  /** First line of what the job last said. */
  readonly message: string | null;
}

/** What one beat says about the job. */
export interface JobEvent {
  readonly kind: 'start' | 'success' | 'fail' | 'log';
  readonly exitCode: number | null;
  readonly message: string | null;
}

const NEVER: JobRecord = {
  lastStartedAt: null,
  lastSucceededAt: null,
  lastFailedAt: null,
  runningSince: null,
  unfinishedSince: null,
  exitCode: null,
  message: null,
};

/** A start while a run is open begins a new one: the old one ended without a word. */
export function jobAfter(job: JobRecord | null, event: JobEvent, at: EpochMillis): JobRecord {
  const known = job ?? NEVER;
  const message = event.message ?? known.message;
  switch (event.kind) {
    case 'start':
      return {
        ...known,
        lastStartedAt: at,
        runningSince: at,
        unfinishedSince: known.unfinishedSince ?? at,
        message,
      };
    case 'success':
      return { ...known, ...ended(event), lastSucceededAt: at, unfinishedSince: null };
    case 'fail':
      return { ...known, ...ended(event), lastFailedAt: at };
    case 'log':
      return { ...known, message };
  }
}

/** The words of an end replace those of the run before it, also when there are none. */
function ended({ exitCode, message }: JobEvent) {
  return { runningSince: null, exitCode, message } as const;
}
