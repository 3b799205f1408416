/**
 * The four numbers of a service's policy that detection needs. Structurally the same as
 * `DetectionPolicy` of lib/recovery, which can be passed as it is; this room imports nothing.
 */
import { invariant } from '../base/invariant.ts';

export interface DetectionPolicy {
  /** Nominal time between heartbeats (Δ), 100 to 86,400,000. */
  readonly intervalMs: number;
  /** φ at which a site is suspect; above 1.31, default 8. Lower values act like 1.31. */
  readonly suspectPhi: number;
  /** φ at which a site is failed; default 16, above `suspectPhi`. */
  readonly failPhi: number;
  /** A site this long silent is failed whatever φ says; at least 3 Δ. */
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
  invariant(policy.silenceMsMax >= 3 * policy.intervalMs, 'silence-max-below-3-intervals', policy);
}
