/**
 * What becomes of a site's timer after it was looked at. Pure.
 *
 * While anything is open the timer stays where it is, in the past, and the site is looked at in each
 * round: that costs a read and no write. It is open while the log does not say yet what was judged,
 * while a returning site proves itself, and while no instant can be told at which the verdict would
 * change. So it is of a site that beats fast: moving a timer takes two writes, each as dear as five
 * reads, which pays only from ten rounds on. Else the timer moves to that instant, or ends where
 * nothing is expected any more.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { SiteRecord, Timer } from './health-store.ts';
import { CONTROL_TIMINGS } from './limits.ts';

export type Settlement =
  | { readonly kind: 'stay' }
  | { readonly kind: 'move'; readonly at: EpochMillis }
  /** Only a beat can change the verdict, and it must bring a timer: the record says so first. */
  | { readonly kind: 'end' };

export interface LookedAt {
  /** null = the site was never heard, or its record cannot be read. */
  readonly record: SiteRecord | null;
  readonly verdict: Verdict;
  /** The log does not say yet what was judged. */
  readonly isOpen: boolean;
  /** When the verdict changes by time alone; null = never, or nobody can tell. */
  readonly changesAt: EpochMillis | null;
  readonly now: EpochMillis;
}

export function settlementOf({ record, verdict, isOpen, changesAt, now }: LookedAt): Settlement {
  if (isOpen) {
    return { kind: 'stay' };
  }
  if (record === null) {
    // One that cannot be read may be put right by hand, and then brings no timer.
    return { kind: verdict.state === 'unknown' ? 'stay' : 'end' };
  }
  switch (verdict.state) {
    case 'pending':
    case 'failed':
      return { kind: 'end' };
    case 'healthy':
    case 'degraded':
      return isByEvidence(verdict) ? { kind: 'stay' } : moveTo(changesAt, record, now);
    case 'suspect':
      return record.job === null ? { kind: 'stay' } : moveTo(changesAt, record, now);
    case 'unknown':
      return { kind: 'stay' };
  }
}

/** Reports of callers fade by themselves, and nobody wakes the observer for that. */
function isByEvidence({ code }: Verdict): boolean {
  return code === 'callers-report-trouble';
}

/**
 * Never later than the deadline that the record itself names: by that one, beats know whether their
 * own is earlier (those of a job always bring a timer). A deadline that has passed without
 * consequence leaves the timer where it is.
 */
function moveTo(changesAt: EpochMillis | null, record: SiteRecord, now: EpochMillis): Settlement {
  const bound = record.job === null ? record.suspectAt : Infinity;
  const at = Math.floor(Math.min(changesAt ?? bound, bound));
  const isWorthIt = Number.isFinite(at) && at - now >= CONTROL_TIMINGS.timerMoveMsMin;
  return isWorthIt ? { kind: 'move', at: epochMillis(at) } : { kind: 'stay' };
}

/** Whether the write that a timer was set for is neither in nor known to be lost. */
export function isAwaiting(timer: Timer, record: SiteRecord | null, now: EpochMillis): boolean {
  return timer.awaits > (record?.revision ?? 0) && now - timer.at < CONTROL_TIMINGS.timerAwaitMsMax;
}
