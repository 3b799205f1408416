/**
 * How long a role is lent, and how long whoever takes it away must wait. Pure; the argument is in
 * `docs/guarantees.md`, "Never two active sites".
 *
 * A region lends the active role until `LEASE_INTERVALS` beats after its last confirmed read of the
 * quorum *began*. A read that began after the entry that withdraws the role was committed shows that
 * entry. So every lease that was ever given ends at most that long after the commit, by any clock that
 * keeps its rate; and whoever has seen the entry applied waits longer than that from then on.
 *
 * Invariant: durations only, each on the monotonic clock of the one who measures. No instant of one
 * clock is compared with an instant of another.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { LEASE_INTERVALS } from '../detection/limits.ts';
import type { Epoch, ServiceState } from '../recovery/state.ts';

/** Clocks of two machines may differ in rate by this together: 1 % each. */
const DRIFT_SHARE = 0.02;
/** For the resolution of clocks, and timers that fire early. */
const SLACK_MS = 250;
/** A policy with longer leases is heeded for so long after it was replaced, in leases of its own … */
const FORMER_LEASES = 2;
/** … and so much for the clocks of different regions, which tell how long ago that was. */
const FORMER_SLACK_MS = 3_600_000;

/** The longest lease that any region may have given for this service. */
export function leaseMsMax({ policy, sites }: ServiceState, now: EpochMillis): number {
  const former = Object.values(sites).flatMap(({ watchChange }) => {
    if (watchChange === undefined || watchChange.before === null) {
      return [];
    }
    const leaseMs = LEASE_INTERVALS * watchChange.before.intervalMs;
    const isHeeded = now - watchChange.at < FORMER_LEASES * leaseMs + FORMER_SLACK_MS;
    return isHeeded ? [leaseMs] : [];
  });
  return Math.max(LEASE_INTERVALS * policy.detection.intervalMs, ...former);
}

/** How long after the withdrawal was seen applied no lease of before can be in force. */
export function lapseMs(leaseMs: number): number {
  return Math.ceil(leaseMs * (1 + DRIFT_SHARE)) + SLACK_MS;
}

/** What is left to lend of a role that a read confirmed so long ago; null = none ever did. */
export function lendableMs(intervalMs: number, confirmedAgeMs: number | null): number {
  return confirmedAgeMs === null
    ? 0
    : Math.max(0, Math.floor(LEASE_INTERVALS * intervalMs - confirmedAgeMs));
}

/** Time between two confirmations, so that a lease spans two beats and more. */
export function confirmEveryMs(intervalMs: number): number {
  return Math.min(CONFIRM_MS_MAX, Math.max(CONFIRM_MS_MIN, intervalMs / 2));
}

const CONFIRM_MS_MIN = 100;
const CONFIRM_MS_MAX = 10_000;

export function isAtLeast(epoch: Epoch, other: Epoch): boolean {
  return epoch.term > other.term || (epoch.term === other.term && epoch.index >= other.index);
}
