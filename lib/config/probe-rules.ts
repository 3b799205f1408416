/**
 * Rules that tie values of one probe together. The file and the API report the same findings; the
 * file names its own keys.
 */
import type { ProbePolicy } from '../recovery/probe-policy.ts';

export interface ProbeFinding {
  /** Key in a `ProbePolicy`, and in the file. */
  readonly policyKey: string;
  readonly fileKey: string;
  readonly message: string;
}

interface ProbeRule {
  readonly sentence: string;
  readonly policyKey: string;
  readonly fileKey: string;
  readonly message: string;
  readonly isBroken: (probe: ProbePolicy) => boolean;
}

export const PROBE_RULES: readonly ProbeRule[] = [
  {
    sentence: 'The `timeout` of a probe is below its `interval`.',
    policyKey: 'timeoutMs',
    fileKey: 'timeout',
    message: 'must be below the interval of the probe; lower it, or raise interval',
    isBroken: ({ timeoutMs, intervalMs }) => timeoutMs >= intervalMs,
  },
  {
    sentence: 'The `maxLatency` of a probe is below its `timeout`.',
    policyKey: 'latencyMsMax',
    fileKey: 'maxLatency',
    message: 'must be below the timeout of the probe; lower it, or raise timeout',
    isBroken: (probe) =>
      probe.kind === 'http' && probe.latencyMsMax !== null && probe.latencyMsMax >= probe.timeoutMs,
  },
  {
    sentence: 'A probe that looks for text (`contains`) uses the method `GET`.',
    policyKey: 'bodyContains',
    fileKey: 'contains',
    message: 'an answer to HEAD has no body; use method GET',
    isBroken: (probe) =>
      probe.kind === 'http' && probe.method === 'HEAD' && probe.bodyContains !== null,
  },
  {
    sentence: 'The lower `status` of a probe is not above the upper one.',
    policyKey: 'statusMin',
    fileKey: 'status',
    message: 'the lower status is above the upper one; write them in order',
    isBroken: (probe) => probe.kind === 'http' && probe.statusMin > probe.statusMax,
  },
];

/** Every broken rule of a probe that is otherwise valid. Pure; total. */
export function checkProbe(probe: ProbePolicy): readonly ProbeFinding[] {
  return PROBE_RULES.filter(({ isBroken }) => isBroken(probe));
}
