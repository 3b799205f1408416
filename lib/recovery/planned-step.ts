/** One step as a plan writes it, with what most steps have in common. Pure. */
import { RUN_LIMITS } from './limits.ts';
import type { PlannedStep, StepAction } from './plan.ts';

/** An essential step that may be tried long and often, and leaves nothing to take back. */
const COMMON = {
  essential: true,
  timeoutMs: RUN_LIMITS.stepTimeoutMs,
  attemptsMax: RUN_LIMITS.attemptsMax,
  mode: 'both',
  when: null,
  undo: null,
} as const satisfies Omit<PlannedStep, 'name' | 'action'>;

/** What a run can do without is tried less often, because it holds the run open. */
export const EXTRA: Pick<PlannedStep, 'essential' | 'attemptsMax'> = {
  essential: false,
  attemptsMax: RUN_LIMITS.extraAttemptsMax,
};

export function planned(
  name: string,
  action: StepAction,
  changes: Partial<Omit<PlannedStep, 'name' | 'action'>> = {},
): PlannedStep {
  return { ...COMMON, ...changes, name, action };
}
