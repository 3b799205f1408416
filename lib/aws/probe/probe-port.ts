/**
 * The probe port on real sockets, on AWS and on one machine alike. Every probe has one time limit for
 * all of it (`time-limit.ts`).
 */
import type { Clock } from '../../base/clock.ts';
import type { ProbePort } from '../../control/probe-port.ts';
import { type ProbePolicy, probeTarget } from '../../recovery/probe-policy.ts';
import type { ProbeAnswer } from './answer.ts';
import type { ProbeContext } from './context.ts';
import { probeDns } from './dns.ts';
import { probeHttp } from './http.ts';
import { probeTcp, probeTls } from './sockets.ts';
import { withinLimit } from './time-limit.ts';

export interface ProbePortOptions {
  readonly clock: Pick<Clock, 'wallNow' | 'monotonicNow'>;
  /** PEM certificates trusted in place of the usual ones. */
  readonly authorities?: readonly string[];
}

export function createProbePort({ clock, authorities }: ProbePortOptions): ProbePort {
  return {
    probe: async (policy, signal) => {
      const context = { clock, authorities: authorities ?? null };
      const { timeoutMs } = policy;
      const { outcome, code, text } = await withinLimit(
        (limited) => perform(policy, { ...context, signal: limited }),
        { timeoutMs, signal, clock },
      );
      const detail = `${probeTarget(policy)}: ${text}`;
      return { outcome, code, detail, endedAt: clock.wallNow() };
    },
  };
}

function perform(policy: ProbePolicy, context: ProbeContext): Promise<ProbeAnswer> {
  switch (policy.kind) {
    case 'http':
      return probeHttp(policy, context);
    case 'tcp':
      return probeTcp(policy, context);
    case 'tls':
      return probeTls(policy, context);
    case 'dns':
      return probeDns(policy, context);
  }
}
