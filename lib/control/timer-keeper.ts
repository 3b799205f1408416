/**
 * Moves and ends the timers of sites that were looked at, in the order that the invariant of the
 * health store asks for (`health-store.ts`). What may become of a timer, `timer-settlement.ts` says.
 *
 * Each call may be cut off after any request: the timer then stands, is due again, and the next round
 * does the same.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import type { HealthStore, SiteRecord, Timer } from './health-store.ts';
import { CONTROL_TIMINGS } from './limits.ts';
import type { Judged } from './site-judgement.ts';
import { isAwaiting, type Settlement, settlementOf } from './timer-settlement.ts';

/**
 * @param isBacklogged whether more timers are due than one round sees
 * @returns true when the site's last timer was taken down, and only a beat brings the next
 */
export function keepTimers(
  health: HealthStore,
  judged: Judged,
  isBacklogged: boolean,
): Promise<boolean> {
  const { record, verdict, now } = judged;
  const timers = judged.timers.filter((timer) => !isAwaiting(timer, record, now));
  const settlement: Settlement =
    verdict === null ? { kind: 'end' } : settlementOf({ ...judged, verdict });
  switch (settlement.kind) {
    case 'move':
      return moveTimers(health, timers, settlement.at).then(() => false);
    case 'end':
      return endTimers(health, judged, timers);
    case 'stay':
      return leaveTimers(health, judged, isBacklogged ? timers : null).then(() => false);
  }
}

/** The first one moves, and only when it is known to stand do the others go. */
async function moveTimers(
  health: HealthStore,
  timers: readonly Timer[],
  nextAt: EpochMillis | null,
): Promise<boolean> {
  const isThere = ({ at, awaits }: Timer) => at === nextAt && awaits === 0;
  let isStanding = nextAt === null || timers.some(isThere);
  for (const timer of timers.filter((one) => !isThere(one))) {
    if (!(await health.settle(timer, isStanding ? null : nextAt))) {
      return false;
    }
    isStanding = true;
  }
  return true;
}

/** A site that is configured no more needs no mark: if it comes back, the log calls for it. */
async function endTimers(
  health: HealthStore,
  { record, verdict }: Judged,
  timers: readonly Timer[],
): Promise<boolean> {
  const isMarked = record === null || verdict === null || (await mark(health, record));
  return isMarked && (await moveTimers(health, timers, null));
}

/** From here on the next beat brings a timer, or has brought one. False = look again. */
async function mark(health: HealthStore, record: SiteRecord): Promise<boolean> {
  if (record.wakesOnBeat) {
    return true;
  }
  const marked = { ...record, revision: record.revision + 1, wakesOnBeat: true };
  return (await health.write(record.revision, marked, null)).kind === 'applied';
}

/** @param crowded timers that must make room for those behind them; null = they need not. */
async function leaveTimers(
  health: HealthStore,
  { name, record, timers, isOpen, now }: Judged,
  crowded: readonly Timer[] | null,
): Promise<void> {
  if (timers.length === 0 && isOpen && record !== null) {
    // Nothing else would bring this site back once the log has the verdict.
    await health.wake(now, name.service, name.site);
  } else if (crowded !== null) {
    await moveTimers(health, crowded, epochMillis(now + CONTROL_TIMINGS.tickMs));
  }
}
