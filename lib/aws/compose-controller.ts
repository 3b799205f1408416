/** The controller function: detects, decides and acts, each second for almost a minute. */
import { CONTROLLER_SCHEDULE } from '../config/schedules.ts';
import { type Composition, composeRegion } from './compose.ts';
import { awsEffects } from './compose-effects.ts';

export type ControllerHandler = () => Promise<void>;

/**
 * Loops for almost a minute. An effect that is under way when the loop ends is frozen with the
 * process and goes on with the next invocation, or never: another worker then claims its step.
 */
export function composeController(
  composition: Composition = composeRegion(awsEffects),
): ControllerHandler {
  const { region, metrics } = composition;
  return async () => {
    await region.runFor(CONTROLLER_SCHEDULE.loopMs);
    metrics.publishStatus(region.plane.status());
  };
}
