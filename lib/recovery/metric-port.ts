/**
 * The port to where a cloud keeps its metrics: the newest value of one, for the replication lag that no
 * site reports. Implementation: `lib/aws/cloudwatch`.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import type { LagMetric } from './policy.ts';

export type MetricReading =
  /** In the unit of the metric. */
  | { readonly kind: 'found'; readonly value: number; readonly at: EpochMillis }
  /** The cloud answers, and has nothing new of this metric. */
  | { readonly kind: 'none' }
  /** No answer, or none that can be understood. */
  | { readonly kind: 'unknown'; readonly cause: string };

export interface MetricPort {
  /** The newest value after `since`, the largest of its minute. One attempt; never rejects. */
  readonly newest: (
    metric: Omit<LagMetric, 'unit'>,
    since: EpochMillis,
    until: EpochMillis,
  ) => Promise<MetricReading>;
}
