/**
 * Watches the cluster over its public API and says what changes, one line for each event.
 *
 * Asks the region that answered last and goes on to the next when it is silent. Regions lag behind
 * each other by a moment; an answer older than the last one told is passed over.
 */
import type { StatusJson } from '../api/schemas.ts';
import type { Clock } from '../base/clock.ts';
import { describeChanges } from './event-lines.ts';
import { readStatus } from './first-steps.ts';

const POLL_MS = 400;

export interface FollowOptions {
  /** API of each region. */
  readonly urls: readonly string[];
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves soon after the signal aborts. */
export async function followEvents({ urls, clock, say, signal }: FollowOptions): Promise<void> {
  let told: Told = { status: null, isSilent: false };
  while (!signal.aborted) {
    const status = await readStatus(urls);
    if (!signal.aborted) {
      told = tell(told, status, say);
      await clock.sleep(POLL_MS);
    }
  }
}

interface Told {
  readonly status: StatusJson | null;
  readonly isSilent: boolean;
}

function tell(told: Told, status: StatusJson | null, say: (line: string) => void): Told {
  if (status === null) {
    if (!told.isSilent) {
      say('no region answers');
    }
    return { ...told, isSilent: true };
  }
  if (told.status !== null) {
    if (status.consensus.appliedIndex < told.status.consensus.appliedIndex) {
      return { ...told, isSilent: false };
    }
    for (const line of describeChanges(told.status, status)) {
      say(line);
    }
  }
  return { status, isSilent: false };
}
