/**
 * Acknowledgement: after an automatic run the next one waits until a person has seen it, where the
 * policy asks for that. It comes after every run, also one that failed: a service that fails twice
 * without anybody looking has a reason that no failover mends.
 *
 * Source: openark/orchestrator, "ack-recovery".
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { overrideOf } from './overrides.ts';
import type { DueAcknowledgement, ServiceState } from './state.ts';

/** The acknowledgement that holds the next automatic run back; null = none does. */
export function acknowledgementDue(
  service: ServiceState,
  now: EpochMillis,
): DueAcknowledgement | null {
  const { policy, acknowledgement } = service;
  const isAsked = policy.safety.acknowledgement && acknowledgement !== null;
  return isAsked && overrideOf(service, 'acknowledgement', now) === null ? acknowledgement : null;
}

/** What waits for a person once this run has been started. */
export function acknowledgementAfter(
  { policy, acknowledgement }: Pick<ServiceState, 'policy' | 'acknowledgement'>,
  run: { readonly id: string; readonly isAutomatic: boolean; readonly at: EpochMillis },
): DueAcknowledgement | null {
  return run.isAutomatic && policy.safety.acknowledgement
    ? { run: run.id, since: run.at }
    : acknowledgement;
}
