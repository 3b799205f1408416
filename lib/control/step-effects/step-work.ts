/**
 * What every effect is given, and the words in which it answers. An effect does one step of a run to
 * the world; it looks first, and a repeat finds the work done.
 */
import type { SnapshotStore } from '../../backup/snapshot-store.ts';
import type { Clock, Random } from '../../base/clock.ts';
import type { MonotonicMillis } from '../../base/identifiers.ts';
import type { ActionPorts } from '../../recovery/action-ports.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import type { ReportContext } from '../../recovery/report.ts';
import type { Run, Step, StepResult } from '../../recovery/run.ts';
import type { RecoveryState, ServiceState } from '../../recovery/state.ts';
import type { RoutingPort, SwitchPort, VerifyPort } from '../../recovery/switch-port.ts';
import type { SiteStore } from '../health-store.ts';

export interface EffectPorts {
  readonly switchPort: SwitchPort;
  readonly verifyPort: VerifyPort;
  /** Absent where no name is steered by path A alone. */
  readonly routingPort?: RoutingPort | undefined;
  readonly actions: ActionPorts;
  readonly store: SnapshotStore;
  /** What this region has heard of each site: acknowledgements. */
  readonly health: Pick<SiteStore, 'read'>;
  readonly clock: Clock;
  readonly random: Random;
}

export interface EffectContext {
  readonly state: RecoveryState;
  /** When this process first saw the step open, on its own monotonic clock. */
  readonly openSince: MonotonicMillis;
  /** What a report says beside the run itself. */
  readonly report: (run: Run, policy: ServicePolicy) => Promise<ReportContext>;
}

export interface StepWork {
  readonly run: Run;
  readonly step: Step;
  readonly service: ServiceState;
  readonly ports: EffectPorts;
  readonly context: EffectContext;
}

/**
 * Why a step was not done, besides what a port refuses with and what the log says by itself
 * (`lib/recovery/step-claims.ts`, `log-steps.ts`). Each is explained in `docs/failure-modes.md`.
 */
export const STEP_CODES = [
  'service-or-site-gone',
  'superseded-by-newer-switch',
  'dns-did-not-answer',
  'change-not-in-sync',
  'name-not-switched-yet',
  'target-not-healthy',
  'target-not-serving',
  'target-failed',
  'lease-not-lapsed',
  'routing-not-moved-yet',
  'routing-not-wired',
  'replication-behind',
  'replication-unknown',
  'site-without-capacity',
  'service-without-database',
  'action-did-not-answer',
  'report-not-stored',
] as const;

export type StepCode = (typeof STEP_CODES)[number];

export function again(code: StepCode): StepResult {
  return { kind: 'again', code };
}

export function failed(code: StepCode): StepResult {
  return { kind: 'failed', code };
}

/** Nothing is wrong, it is only not so yet. */
export function waiting(code: StepCode): StepResult {
  return { kind: 'waiting', code };
}
