/**
 * The four numbers of a service's policy that detection needs. Declared here, and part of the policy of
 * each service (lib/recovery).
 */
import { invariant } from '../base/invariant.ts';
import { SILENCE_INTERVALS_MIN } from './limits.ts';

export interface DetectionPolicy {
  /** Nominal time between heartbeats (Δ), 100 to 86,400,000. */
  readonly intervalMs: number;
  /** φ at which a site is suspect; default 8. The bounds of the deadline stand below it. */
  readonly suspectPhi: number;
  /** φ at which a site is failed; default 16, above `suspectPhi`. */
  readonly failPhi: number;
  /** A site this long silent is failed whatever φ says; at least `SILENCE_INTERVALS_MIN` Δ. */
  readonly silenceMsMax: number;
}

/** @throws InvariantError on a policy that lib/config would have refused; NaN included. */
export function checkPolicy(policy: DetectionPolicy): void {
  invariant(
    policy.intervalMs > 0 && Number.isFinite(policy.intervalMs),
    'interval-invalid',
    policy,
  );
  invariant(policy.suspectPhi > 0, 'suspect-phi-invalid', policy);
  invariant(
    policy.failPhi > policy.suspectPhi && Number.isFinite(policy.failPhi),
    'fail-phi-not-above-suspect-phi',
    policy,
  );
  invariant(
    policy.silenceMsMax >= SILENCE_INTERVALS_MIN * policy.intervalMs,
    'silence-max-too-few-intervals',
    policy,
  );
}
