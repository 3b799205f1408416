/**
 * A port to a memory register that a test can break, call by call, and that counts what reached it.
 *
 * A fault is planned for the next call of a method; calls without a plan pass.
 */
import type { RegisterPort, RegisterWrite } from '../../../lib/consensus/register-port.ts';

type Method = Exclude<keyof RegisterPort, 'region'>;

export type Fault =
  | 'pass'
  /** The store never hears of it; the caller hears nothing. */
  | 'lost-request'
  /** The store acts; the caller hears nothing. */
  | 'lost-reply'
  /** The request does not even leave. */
  | 'refused'
  | 'too-large'
  /** The store serves no more just now. */
  | 'throttled'
  /** The port throws, as it does when it finds somebody else's register. */
  | 'throws'
  /** Held until the gate opens; then it passes. */
  | { readonly gate: Promise<void> }
  /** The caller hears nothing; the store acts when the gate opens. */
  | { readonly late: Promise<void> };

export interface FaultyPort {
  readonly port: RegisterPort;
  /** Calls that were made, by method. */
  readonly calls: { [M in Method]: number };
  readonly plan: (method: Method, ...faults: readonly Fault[]) => void;
  /** While down, no call is heard. */
  isDown: boolean;
}

/** A gate and how to open it. */
export function gate(): { readonly closed: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { closed: promise, open: resolve };
}

const NO_ANSWER = { kind: 'unreachable', cause: 'planned' } as const;

export function faultyPort(port: RegisterPort): FaultyPort {
  const calls = {
    read: 0,
    compareAndSet: 0,
    readBeat: 0,
    writeBeat: 0,
    readSnapshot: 0,
    writeSnapshot: 0,
    dropSnapshotsBelow: 0,
  };
  const plans = new Map<Method, Fault[]>();
  const call = async <Answer>(method: Method, answers: Answers<Answer>): Promise<Answer> => {
    calls[method] += 1;
    const fault = plans.get(method)?.shift() ?? (faulty.isDown ? 'lost-request' : null);
    return fault === null ? answers.act() : withFault(fault, answers);
  };
  const faulty: FaultyPort = {
    isDown: false,
    calls,
    plan: (method, ...faults) => {
      plans.set(method, [...(plans.get(method) ?? []), ...faults]);
    },
    port: {
      region: port.region,
      read: () => call('read', { act: () => port.read(), nothing: NO_ANSWER }),
      compareAndSet: (expected, server) =>
        call<RegisterWrite>('compareAndSet', {
          act: () => port.compareAndSet(expected, server),
          nothing: { kind: 'unknown', cause: 'planned' },
          refused: (code) => ({ kind: 'refused', code, cause: 'planned' }),
        }),
      readBeat: () => call('readBeat', { act: () => port.readBeat(), nothing: NO_ANSWER }),
      writeBeat: (beat) => call('writeBeat', { act: () => port.writeBeat(beat), nothing: false }),
      readSnapshot: (base) =>
        call('readSnapshot', { act: () => port.readSnapshot(base), nothing: null }),
      writeSnapshot: (base, text) =>
        call('writeSnapshot', { act: () => port.writeSnapshot(base, text), nothing: false }),
      dropSnapshotsBelow: (index) =>
        call('dropSnapshotsBelow', {
          act: () => port.dropSnapshotsBelow(index),
          nothing: undefined,
        }),
    },
  };
  return faulty;
}

interface Answers<Answer> {
  readonly act: () => Promise<Answer>;
  readonly nothing: Answer;
  readonly refused?: (code: 'unreachable' | 'too-large' | 'throttled') => Answer;
}

async function withFault<Answer>(
  fault: Fault,
  { act, nothing, refused }: Answers<Answer>,
): Promise<Answer> {
  if (typeof fault === 'object') {
    if ('late' in fault) {
      void fault.late.then(act);
      return nothing;
    }
    await fault.gate;
    return act();
  }
  switch (fault) {
    case 'pass':
      return act();
    case 'lost-request':
      return nothing;
    case 'lost-reply':
      await act();
      return nothing;
    case 'throws':
      throw new Error('planned');
    case 'refused':
      return refused?.('unreachable') ?? nothing;
    case 'too-large':
    case 'throttled':
      return refused?.(fault) ?? nothing;
  }
}
