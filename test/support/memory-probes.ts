/**
 * The probe port on a world that a test describes: what each target does, and when it was asked.
 *
 * Contract suite: `test/contract/probe-port`.
 */
import { setImmediate } from 'node:timers/promises';
import type { ProbePort } from '../../lib/control/probe-port.ts';
import type { ProbeResult } from '../../lib/detection/probe-state.ts';
import { type ProbePolicy, probeTarget } from '../../lib/recovery/probe-policy.ts';
import type { ManualClock } from './manual-clock.ts';

export type Behaviour = 'serves' | 'expires-soon' | 'refuses' | 'hangs' | 'unknown-here';

export interface MemoryProbes {
  readonly port: ProbePort;
  /** From now on; a target that was never set serves. Targets as `probeTarget` writes them. */
  readonly set: (target: string, behaviour: Behaviour) => void;
  /** Every probe so far. */
  readonly asked: readonly { readonly target: string; readonly at: number }[];
  /** Probes under way now, and the most there ever were. */
  readonly underWay: () => { readonly now: number; readonly most: number };
}

export function memoryProbes(clock: Pick<ManualClock, 'wallNow' | 'sleep'>): MemoryProbes {
  const behaviours = new Map<string, Behaviour>();
  const asked: { target: string; at: number }[] = [];
  let running = 0;
  let most = 0;
  const probe = async (policy: ProbePolicy, signal: AbortSignal): Promise<ProbeResult> => {
    const target = probeTarget(policy);
    asked.push({ target, at: clock.wallNow() });
    running += 1;
    most = Math.max(most, running);
    const behaviour = behaviours.get(target) ?? 'serves';
    await (behaviour === 'hangs' ? clock.sleep(policy.timeoutMs, signal) : setImmediate());
    running -= 1;
    const result = signal.aborted ? ABORTED : RESULTS[behaviour];
    return { ...result, detail: `${target}: ${result.code}`, endedAt: clock.wallNow() };
  };
  return {
    port: { probe },
    set: (target, behaviour) => behaviours.set(target, behaviour),
    asked,
    underWay: () => ({ now: running, most }),
  };
}

const ABORTED = { outcome: 'not-probed', code: 'not-probed' } as const;
const RESULTS = {
  serves: { outcome: 'passed', code: 'passed' },
  'expires-soon': { outcome: 'passed', code: 'certificate-expires-soon' },
  refuses: { outcome: 'failed', code: 'connection-refused' },
  hangs: { outcome: 'failed', code: 'timed-out' },
  'unknown-here': ABORTED,
} as const satisfies Record<Behaviour, Pick<ProbeResult, 'outcome' | 'code'>>;
