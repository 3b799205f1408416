/**
 * What the callers of a site reported, counted by slots of time, and what follows from it.
 *
 * The gray failure: heartbeats arrive, probes pass, and requests fail all the same, because they
 * take a path that neither touches. Only callers see it (Panorama, OSDI 2018). One caller can be
 * wrong or broken itself, so a finding needs a volume, a share of failures, and failures in more
 * than one slot: a burst is an incident, a row of them is a condition. Nor does one other site of the
 * service suffice: a second one, the site itself or the operator must report failures too.
 *
 * Invariant: slots are in ascending order, without repeats, at most `slotsMax` and one more; counters
 * only rise within a slot and saturate. All times are those of the region that took the report; its
 * functions may differ by a slot, and slots further ahead come from a clock that was set back since.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { CallerFinding } from './evidence.ts';
import { REPORT_LIMITS } from './limits.ts';

/** The reports of one slot of time. Plain JSON. */
export interface ReportSlot {
  /** Number of the slot: its instant divided by `slotMs`. */
  readonly slot: number;
  readonly ok: number;
  readonly failing: number;
  /**
   * Who reported the failures, where all of it is the word of other sites: at most `accusersMin` of
   * them. Absent = nobody did, or the operator or the site itself was among them.
   */
  readonly accusers?: readonly string[];
}

export interface CallerReport {
  readonly outcome: 'ok' | 'failing';
  /** Requests that this report stands for, 1 to `countMax`. */
  readonly count: number;
  readonly receivedAt: EpochMillis;
  /** Another site of the service, by its token. Absent = the operator, or the site itself. */
  readonly accuser?: string;
}

/** The slots with one more report; those that do not matter any more are dropped. */
export function withReport(
  slots: readonly ReportSlot[],
  report: CallerReport,
): readonly ReportSlot[] {
  const { outcome, count, receivedAt } = report;
  const { countMax } = REPORT_LIMITS;
  invariant(Number.isSafeInteger(count) && count >= 1 && count <= countMax, 'report-count', count);
  const slot = slotOf(receivedAt);
  const known = slots.find((candidate) => candidate.slot === slot);
  const before = known ?? { slot, ok: 0, failing: 0 };
  const { accusers: _, ...counts } = before;
  const accusers = accusersAfter(before, report);
  const after: ReportSlot = {
    ...counts,
    [outcome]: saturated(before[outcome] + count),
    ...(accusers === null ? {} : { accusers }),
  };
  const others = slots.filter((candidate) => candidate.slot !== slot);
  return [...recentSlots(others, slot), after].sort((left, right) => left.slot - right.slot);
}

/** null = nobody, or somebody whose word needs no second one. */
function accusersAfter(
  { failing, accusers }: ReportSlot,
  { outcome, accuser }: CallerReport,
): readonly string[] | null {
  if (outcome === 'ok') {
    return accusers ?? null;
  }
  if (accuser === undefined || (failing > 0 && accusers === undefined)) {
    return null;
  }
  return [...new Set([...(accusers ?? []), accuser])].slice(0, REPORT_LIMITS.accusersMin);
}

/**
 * A site may not ill-speak another one alone, by however many calls: its token may have leaked, and
 * its own network may be what fails.
 */
function areAccusersEnough(slots: readonly ReportSlot[]): boolean {
  const failing = slots.filter((slot) => slot.failing > 0);
  const accusers = new Set(failing.flatMap((slot) => slot.accusers ?? []));
  return (
    failing.some((slot) => slot.accusers === undefined) ||
    accusers.size >= REPORT_LIMITS.accusersMin
  );
}

/** null = no caller said anything lately. */
export function callerFinding(
  slots: readonly ReportSlot[],
  now: EpochMillis,
): CallerFinding | null {
  const { slotsMax, slotMs, reportsMin, failingSlotsMin, troubledShare } = REPORT_LIMITS;
  const recent = recentSlots(slots, slotOf(now));
  const failing = recent.reduce((sum, slot) => sum + slot.failing, 0);
  const total = recent.reduce((sum, slot) => sum + slot.failing + slot.ok, 0);
  if (total === 0) {
    return null;
  }
  const failingSlots = recent.filter((slot) => slot.failing > 0).length;
  const isTroubled =
    total >= reportsMin &&
    failingSlots >= failingSlotsMin &&
    failing >= troubledShare * total &&
    areAccusersEnough(recent);
  const spanS = (slotsMax * slotMs) / 1000;
  return {
    state: isTroubled ? 'troubled' : 'content',
    failing,
    total,
    detail: `${failing} of ${total} calls failed within ${spanS} s, in ${failingSlots} slots`,
  };
}

function recentSlots(slots: readonly ReportSlot[], current: number): readonly ReportSlot[] {
  const oldest = current - REPORT_LIMITS.slotsMax + 1;
  return slots.filter(({ slot }) => slot >= oldest && slot <= current + 1);
}

function slotOf(instant: EpochMillis): number {
  return Math.floor(instant / REPORT_LIMITS.slotMs);
}

function saturated(count: number): number {
  return Math.min(count, REPORT_LIMITS.slotCountMax);
}
