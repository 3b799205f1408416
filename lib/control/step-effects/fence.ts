/**
 * The `fence` step: waits until no site but the one that is to take over can believe that it is
 * active. Nothing is done to anybody; the entry that opened the step has withdrawn the role already.
 *
 * Ends in one of two ways. Time: every lease given before has lapsed, counted on this process's own
 * clock from when it first saw the step open, so a worker that takes over from a dead one waits no
 * less. Or word: every other site has acknowledged, with this epoch or a newer one, that it holds no
 * role; then a planned switch costs a beat or two and no lease.
 *
 * A word counts only of a site that is one process: where two agents beat for a site, one of them may
 * have given up the role while the other has not heard yet. It is read in this region alone, which is
 * enough: an acknowledgement is true wherever it was heard.
 */
import type { EpochMillis } from '../../base/identifiers.ts';
import type { StepResult } from '../../recovery/run.ts';
import type { Epoch } from '../../recovery/state.ts';
import { isAtLeast, lapseMs, leaseMsMax } from '../lease.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { type StepWork, waiting } from './step-work.ts';

export async function awaitLapse(work: StepWork): Promise<StepResult> {
  const { ports, service, context } = work;
  const { clock } = ports;
  const leaseMs = leaseMsMax(service, clock.wallNow());
  const waitMs = lapseMs(leaseMs);
  const until = context.openSince + waitMs;
  const watchUntil = clock.monotonicNow() + CONTROL_LIMITS.fenceWatchMs;
  for (;;) {
    const now = clock.monotonicNow();
    if (now >= until) {
      return done({
        lapsed: true,
        acknowledged: false,
        waitedMs: now - context.openSince,
        leaseMs,
      });
    }
    if (await isAcknowledged(work, leaseMs)) {
      const waitedMs = clock.monotonicNow() - context.openSince;
      return done({ lapsed: false, acknowledged: true, waitedMs, leaseMs });
    }
    if (now >= watchUntil) {
      return waiting('lease-not-lapsed');
    }
    await clock.sleep(Math.max(1, Math.min(CONTROL_LIMITS.fencePollMs, until - now)));
  }
}

interface Lapse {
  readonly lapsed: boolean;
  readonly acknowledged: boolean;
  readonly waitedMs: number;
  readonly leaseMs: number;
}

function done({ waitedMs, ...lapse }: Lapse): StepResult {
  return { kind: 'done', evidence: { ...lapse, waitedMs: Math.round(waitedMs) } };
}

/** Every site that may hold the role of before, also one that an unfinished fence left out. */
async function isAcknowledged(work: StepWork, leaseMs: number): Promise<boolean> {
  const { run, step, service } = work;
  const next = step.isUndo ? run.from : run.to;
  const { epoch, openedAt } = step;
  if (epoch === null || openedAt === null) {
    return false;
  }
  const holders = service.policy.sites.map(({ site }) => site).filter((site) => site !== next);
  const since = (openedAt - leaseMs) as EpochMillis;
  const words = await Promise.all(holders.map((site) => hasGivenUp(work, site, { epoch, since })));
  return words.every(Boolean);
}

async function hasGivenUp(
  { ports, service }: StepWork,
  site: string,
  { epoch, since }: { readonly epoch: Epoch; readonly since: EpochMillis },
): Promise<boolean> {
  const read = await ports.health.read(service.policy.service, site);
  if (read.kind !== 'found' || read.record.acknowledgedEpoch === null) {
    return false;
  }
  const { acknowledgedEpoch, window } = read.record;
  const isOneProcess = window.startedAt <= since;
  return isOneProcess && isAtLeast(acknowledgedEpoch, epoch);
}
