/**
 * How one observer stands beside the others, site by site: is it the site that is silent, or is it
 * me?
 *
 * A silence is *confirmed* by another observer that accuses too. It is heard *alone* if another one
 * hears the site, none accuses it, and this has been so for longer than any silence may last: then
 * the others are not late, this observer is out of step.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { DOUBT_LIMITS } from './limits.ts';
import type { Verdict } from './verdict.ts';

/** Counts of sites. */
export interface Comparison {
  /** Sites that this observer and another one have heard, and that did not leave. */
  readonly known: number;
  /** Silent here, and no other observer misses them (yet). */
  readonly unconfirmed: number;
  /** Silent here for long, while another observer hears them. */
  readonly alone: number;
}

export interface SiteViews {
  /** This observer's verdict: the one of this round, or the one that stands in the log. */
  readonly own: Verdict | undefined;
  /** The newest verdicts of the other observers in the log. */
  readonly others: readonly Verdict[];
  readonly now: EpochMillis;
  /** The longest silence that the policy allows. */
  readonly silenceMsMax: number;
}

/** What one site adds to the counts: each is 0 or 1. Pure; total. */
export function compareViews({ own, others, now, silenceMsMax }: SiteViews): Comparison {
  const isComparable = others.some(({ state }) => state !== 'pending');
  if (own === undefined || own.state === 'pending' || !isComparable) {
    return { known: 0, unconfirmed: 0, alone: 0 };
  }
  const isConfirmed = others.some(isAccusing);
  const isSilent = isAccusing(own) || own.code === 'observer-unwell';
  const isLong = now - (own.lastArrivalAt ?? now) > DOUBT_LIMITS.aloneSilences * silenceMsMax;
  const isHeard = others.some(isLiving);
  return {
    known: 1,
    unconfirmed: isSilent && !isConfirmed ? 1 : 0,
    alone: isSilent && isLong && isHeard && !isConfirmed ? 1 : 0,
  };
}

export function isAccusing({ state }: Pick<Verdict, 'state'>): boolean {
  return state === 'suspect' || state === 'failed';
}

export function isLiving({ state }: Pick<Verdict, 'state'>): boolean {
  return state === 'healthy' || state === 'degraded';
}
