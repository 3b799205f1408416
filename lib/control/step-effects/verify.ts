/** Asks the target as a client would; a site without a probe URL is judged by its heartbeats. */
import { ownValue } from '../../base/own-value.ts';
import { isSince } from '../../recovery/log-steps.ts';
import type { Run, StepResult } from '../../recovery/run.ts';
import type { SiteState } from '../../recovery/state.ts';
import { again, failed, type StepCode, type StepWork } from './step-work.ts';

export async function verifySite({ run, service, ports }: StepWork): Promise<StepResult> {
  const { policy, sites } = service;
  const probeUrl = policy.sites.find(({ site }) => site === run.to)?.probeUrl ?? null;
  const target = ownValue(sites, run.to);
  if (probeUrl === null) {
    const opinion = target?.opinion.state ?? 'pending';
    return opinion === 'healthy'
      ? { kind: 'done', evidence: { opinion } }
      : notVerified(run, target, 'target-not-healthy');
  }
  const probe = await ports.verifyPort.probe(probeUrl);
  return probe.kind === 'serving'
    ? { kind: 'done', evidence: { status: probe.status, elapsedMs: Math.round(probe.elapsedMs) } }
    : notVerified(run, target, 'target-not-serving');
}

/**
 * A target that failed, or left, after it was chosen ends the run, so that the next one can begin. One that a
 * person forced though it had failed before is given its time to come up.
 */
function notVerified(run: Run, target: SiteState | undefined, code: StepCode): StepResult {
  const isGone = target?.opinion.state === 'failed' || target?.opinion.code === 'deregistered';
  return isGone && isSince(target.opinionIndex, run.epoch) ? failed('target-failed') : again(code);
}
