/**
 * The port through which an observer asks a site itself whether it serves.
 *
 * Implementation: `lib/aws/probe` (the same on one machine); in tests `test/support/memory-probes`.
 * Contract suite: `test/contract/probe-port`.
 */
import type { ProbeResult } from '../detection/probe-state.ts';
import type { ProbePolicy } from '../recovery/probe-policy.ts';

export interface ProbePort {
  /**
   * One probe, one attempt. Resolves within the policy's `timeoutMs` and a little, or soon after
   * `signal` aborts; never rejects. What is wrong on this side comes back as `not-probed`.
   */
  readonly probe: (policy: ProbePolicy, signal: AbortSignal) => Promise<ProbeResult>;
}
