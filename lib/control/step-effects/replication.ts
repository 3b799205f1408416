/** Waits until the target has all but so much of the data, as the log last heard of it. */
import { lagOf } from '../../recovery/replication.ts';
import type { StepResult } from '../../recovery/run.ts';
import { failed, type StepWork, waiting } from './step-work.ts';

export function awaitReplication(
  { run, service, ports }: StepWork,
  lagMsMax: number,
): Promise<StepResult> {
  const lag = lagOf(service, ports.clock.wallNow(), run.to);
  if (lag === null) {
    const isAccepted = service.policy.replication.unknownLag === 'accept';
    return Promise.resolve(
      isAccepted ? { kind: 'done', evidence: { lagMs: null } } : failed('replication-unknown'),
    );
  }
  const { lagMs, measuredAt } = lag;
  return Promise.resolve(
    lagMs <= lagMsMax
      ? { kind: 'done', evidence: { lagMs, measuredAt } }
      : waiting('replication-behind'),
  );
}
