/**
 * Readiness: would a run of this service come through, if it had to start now?
 *
 * A plan is only as good as the day it is used on: a standby that was scaled down, a record that
 * somebody edited, a certificate that ran out, a right that was taken away. Findings name what a run
 * would trip over, each by a code from a closed list, explained in `docs/failure-modes.md`, with what
 * to do about it. They decide nothing: a red finding never keeps a failover from starting.
 *
 * The judgement is pure: `readiness-facts.ts` and `readiness-plans.ts`; who
 * gathers the facts is `lib/control/readiness.ts`.
 * Source: the readiness checks of AWS ARC, closed to new customers, and the plan evaluation of its
 * Region switch, which looks every 30 minutes.
 */

export const READINESS_CODES = [
  'approval-holds-automatic-run',
  'capacity-above-limit',
  'certificate-expires-soon',
  'certificate-invalid',
  'child-plan-unknown',
  'data-plane-not-wired',
  'database-not-replicating',
  'database-writer-elsewhere',
  'permission-missing',
  'plan-slower-than-objective',
  'plan-without-switch',
  'probe-not-answering',
  'quota-too-small',
  'records-changed-outside',
  'records-not-ours',
  'records-unreadable',
  'resource-missing',
  'resource-unreadable',
  'secret-missing',
  'site-heard-by-few',
  'site-unheard',
  'standby-below-capacity',
  'ttl-above-objective',
  'ttl-differs',
  'unprotected',
  'weights-unsupported',
] as const;

export type ReadinessCode = (typeof READINESS_CODES)[number];

/** One thing that a run would trip over (`failing`), or may (`warning`). */
export interface Finding {
  readonly code: ReadinessCode;
  readonly severity: 'warning' | 'failing';
  /** What it is about: a site, a record, a resource, a step. */
  readonly subject: string;
  readonly sentence: string;
  /** What to do about it. */
  readonly fix: string;
}
