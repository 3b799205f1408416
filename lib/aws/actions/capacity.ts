/**
 * What all kinds of capacity have in common: look, decide, change, say how far it is.
 *
 * A resource says what it is and how it is changed (`ScalableAdapter`); everything that must hold for
 * all of them stands here, once: nothing is made smaller unasked, nothing beyond its maximum, and
 * the change is not made where it was made before.
 */
import type { Clock } from '../../base/clock.ts';
import type {
  ActionOutcome,
  Capacity,
  CapacityReading,
  ScalePort,
  ScaleRequest,
} from '../../recovery/action-ports.ts';
import type { ScalableResource } from '../../recovery/plan.ts';
import { refused } from './errors.ts';
import { HELD_UP, lateCheck } from './late-check.ts';

/** What one kind of resource tells of itself. */
export interface CapacityView extends Capacity {
  /** The least that it may be set to. */
  readonly min: number;
  /** Whether what is beside the count (a scaling policy's floor) is already as wanted. */
  readonly isHeld: (request: ScaleRequest) => boolean;
}

export type ViewReading =
  | { readonly kind: 'read'; readonly view: CapacityView }
  | Exclude<CapacityReading, { readonly kind: 'read' }>;

export interface ScalableAdapter {
  /** How it is called in what people read. */
  readonly subject: string;
  readonly view: () => Promise<ViewReading>;
  /** Sets it to `desired`, which may be more than was asked for. null = accepted, else why not. */
  readonly change: (
    desired: number,
    request: ScaleRequest,
    view: CapacityView,
  ) => Promise<Exclude<ActionOutcome, { readonly kind: 'done' }> | null>;
}

export function scalePort(
  adapterOf: (resource: ScalableResource) => ScalableAdapter,
  clock: Pick<Clock, 'monotonicNow'>,
): ScalePort {
  return {
    read: async (resource) => {
      const reading = await adapterOf(resource).view();
      if (reading.kind !== 'read') {
        return reading;
      }
      const { desired, ready, max } = reading.view;
      return { kind: 'read', capacity: { desired, ready, max } };
    },
    set: (request) => setCapacity(adapterOf(request.resource), request, lateCheck(clock)),
  };
}

async function setCapacity(
  adapter: ScalableAdapter,
  request: ScaleRequest,
  isLate: () => boolean,
): Promise<ActionOutcome> {
  const reading = await adapter.view();
  if (reading.kind !== 'read') {
    return reading;
  }
  const { view } = reading;
  const desired = request.mayLower ? request.desired : Math.max(request.desired, view.desired);
  if (view.desired === desired && view.isHeld(request)) {
    return progressOf(adapter.subject, view, desired);
  }
  if (view.max !== null && desired > view.max) {
    const fix = `raise its maximum to at least ${desired}, or lower \`serving\``;
    return refused('capacity-over-max', `${adapter.subject} may have ${view.max} at most; ${fix}`);
  }
  if (desired < view.min) {
    const fix = `lower its minimum to ${desired}, or raise \`standby\``;
    return refused('capacity-under-min', `${adapter.subject} must have ${view.min}; ${fix}`);
  }
  if (isLate()) {
    return HELD_UP;
  }
  const failure = await adapter.change(desired, request, view);
  if (failure !== null) {
    return failure;
  }
  const after = await adapter.view();
  // The change was accepted: what cannot be seen now will be seen by the next look.
  return after.kind === 'read' && after.view.desired === desired
    ? progressOf(adapter.subject, after.view, desired)
    : waiting(adapter.subject, { desired, ready: view.ready });
}

function progressOf(resource: string, { ready }: CapacityView, desired: number): ActionOutcome {
  return ready >= desired
    ? { kind: 'done', evidence: { resource, desired, ready } }
    : waiting(resource, { desired, ready });
}

function waiting(
  resource: string,
  { desired, ready }: Pick<Capacity, 'desired' | 'ready'>,
): ActionOutcome {
  return { kind: 'pending', code: 'capacity-growing', evidence: { resource, desired, ready } };
}
