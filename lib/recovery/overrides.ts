/**
 * Overrides: a person sets one safety rule of a service aside, for a while.
 *
 * Break-glass is needed, and forgotten: so each override names its rule, its end, who asked and why,
 * ends by itself, and is told when it does. The rules that keep two sites from being active, or all
 * from being off, cannot be set aside.
 *
 * Source: `SafetyRulesToOverride` of AWS ARC's routing control; the expiry of its zonal shifts.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { instantWords } from '../base/instant.ts';
import { RUN_LIMITS } from './limits.ts';

export const OVERRIDE_RULES = [
  'hold-down',
  'daily-budget',
  'data-loss',
  'acknowledgement',
  'approval',
] as const;

export type OverrideRule = (typeof OVERRIDE_RULES)[number];

export interface Override {
  readonly rule: OverrideRule;
  readonly since: EpochMillis;
  readonly until: EpochMillis;
  readonly by: string;
  readonly reason: string;
}

/** The part of a service's state that this is about. */
export interface OverrideState {
  /** One for each rule at most. */
  readonly overrides: readonly Override[];
}

/** The overrides that stand at `now`, none of them longer than any may be. */
export function standingOverrides(
  { overrides }: OverrideState,
  now: EpochMillis,
): readonly Override[] {
  const latest = epochMillis(now + RUN_LIMITS.overrideMsMax);
  return overrides
    .filter(({ until }) => now < until)
    .map((override) => (override.until <= latest ? override : { ...override, until: latest }));
}

/** Who set this rule aside; null = it holds. */
export function overrideOf(
  state: OverrideState,
  rule: OverrideRule,
  now: EpochMillis,
): Override | null {
  return standingOverrides(state, now).find((override) => override.rule === rule) ?? null;
}

/** `hold-down until 2026-11-23 12:00:00Z, by ann: the flapping is found`. */
export function describeOverride({ rule, until, by, reason }: Override): string {
  return `${rule} until ${instantWords(until)}, by ${by}: ${reason}`;
}
