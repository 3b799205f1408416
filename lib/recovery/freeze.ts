/**
 * A freeze: for a while nothing moves, of one service or of all. The kill switch.
 *
 * No automatic run, no drill and no failback of its own starts while it stands, only a drill that
 * stands goes home; a person who forces a
 * switch goes past it, and that is written down. It ends by itself at its instant, because a
 * kill switch that is forgotten is an outage that waits. As with maintenance windows, an end further
 * ahead than any may lie was stamped by a clock that runs ahead, and is taken to be that far.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { instantWords } from '../base/instant.ts';
import { RUN_LIMITS } from './limits.ts';

export interface Freeze {
  readonly since: EpochMillis;
  readonly until: EpochMillis;
  readonly by: string;
  readonly reason: string;
}

/** The freeze as it stands at `now`, no longer than any may be; null = none does. */
export function standingFreeze(freeze: Freeze | null, now: EpochMillis): Freeze | null {
  if (freeze === null || freeze.until <= now) {
    return null;
  }
  const latest = epochMillis(now + RUN_LIMITS.freezeMsMax);
  return freeze.until <= latest ? freeze : { ...freeze, until: latest };
}

/** Of two freezes the one that ends later: what both must have left before anything moves. */
export function laterFreeze(a: Freeze | null, b: Freeze | null): Freeze | null {
  if (a === null || b === null) {
    return a ?? b;
  }
  return a.until < b.until ? b : a;
}

/** `until 2026-11-23 12:00:00Z, by ann: a change of provider`. */
export function describeFreeze({ until, by, reason }: Freeze): string {
  return `until ${instantWords(until)}, by ${by}: ${reason}`;
}
