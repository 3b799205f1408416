/**
 * The state that this region applied last, without what it observes right now.
 *
 * A status view computes φ for every site of the fleet; a heartbeat needs only the policy of one.
 * The state changes with applied entries alone, so it is kept until the plane says that it changed.
 */
import type { ControlPlane } from '../control/control-plane.ts';
import type { RecoveryState } from '../recovery/state.ts';

/** Subscribes for as long as the plane lives. */
export function createAppliedState(
  plane: Pick<ControlPlane, 'status' | 'onChange'>,
): () => RecoveryState {
  let state: RecoveryState | null = null;
  plane.onChange(() => {
    state = null;
  });
  return () => {
    state ??= plane.status().state;
    return state;
  };
}
