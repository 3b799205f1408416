/**
 * Flap damping: a site that comes and goes has to prove itself longer each time.
 *
 * Each return from a silence costs a penalty: 1 if the site was only suspect, 2 if it had failed, 1
 * if it took back a trouble it had reported. The penalty halves every ten minutes (as routes are
 * damped in RFC 2439), and 1 + penalty beats at normal pace are asked for before the site is healthy
 * again; never fewer than three after a failure. A first suspicion that a beat dispels asks for none.
 *
 * The state is two numbers in the arrival window: it is written with the beat that changes it,
 * survives a restart of whoever judges, and is a function of arrivals only. The penalty is looked at
 * as of the last arrival, so that time alone never makes a site healthy.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { FLAP_LIMITS, RECOVERY_ARRIVALS } from './limits.ts';
import type { ReportedStatus } from './verdict.ts';

/** The part of an arrival window that damping is about. */
export interface FlapMemory {
  /** Penalty at `flappedAt`, in steps of 1/4; 0 to `FLAP_LIMITS.penaltyMax`. */
  readonly flapPenalty: number;
  /** When the site last came back; meaningless while the penalty is 0. */
  readonly flappedAt: EpochMillis;
  /** Arrivals at normal pace since then, up to `FLAP_LIMITS.arrivalsMax`. */
  readonly arrivalsSinceCrossing: number;
}

/** A site that takes back the trouble it reported pays for it, as for a silence. */
export function afterStatus<Memory extends FlapMemory & { readonly lastArrivalAt: EpochMillis }>(
  memory: Memory,
  { before, status }: { readonly before: ReportedStatus; readonly status: ReportedStatus },
): Memory {
  const isTakenBack = status === 'ok' && (before === 'degraded' || before === 'failing');
  return isTakenBack ? withFlap(memory, FLAP_LIMITS.statusPenalty, memory.lastArrivalAt) : memory;
}

/** What is left of the penalty at `now`. A clock that stepped back finds all of it. */
export function penaltyAt({ flapPenalty, flappedAt }: FlapMemory, now: EpochMillis): number {
  const elapsedMs = Math.max(0, now - flappedAt);
  return flapPenalty === 0 ? 0 : flapPenalty * 2 ** (-elapsedMs / FLAP_LIMITS.halfLifeMs);
}

/**
 * The memory after one more return. Where the penalty was small and the return is from a suspicion
 * only, the site need not prove itself.
 */
export function withFlap<Memory extends FlapMemory>(
  memory: Memory,
  penalty: number,
  now: EpochMillis,
): Memory {
  const raised = Math.min(FLAP_LIMITS.penaltyMax, penaltyAt(memory, now) + penalty);
  const flapPenalty = Math.round(raised * 4) / 4;
  const mustProve = flapPenalty >= FLAP_LIMITS.provingPenalty;
  return {
    ...memory,
    flapPenalty,
    flappedAt: now,
    arrivalsSinceCrossing: mustProve ? 0 : memory.arrivalsSinceCrossing,
  };
}

/** Arrivals at normal pace that the site must show, as of its last one. */
export function arrivalsNeeded(
  memory: FlapMemory & { readonly lastArrivalAt: EpochMillis },
): number {
  const proving = 1 + Math.floor(penaltyAt(memory, memory.lastArrivalAt));
  return Math.max(RECOVERY_ARRIVALS, proving);
}

/** Whether the site came back and has not yet shown the arrivals it must show. */
export function isProving(memory: FlapMemory & { readonly lastArrivalAt: EpochMillis }): boolean {
  return memory.arrivalsSinceCrossing < arrivalsNeeded(memory);
}

/** The same of a site for which this is not the first time: it has to show more than after one outage. */
export function isFlapping(memory: FlapMemory & { readonly lastArrivalAt: EpochMillis }): boolean {
  return isProving(memory) && arrivalsNeeded(memory) > RECOVERY_ARRIVALS;
}
