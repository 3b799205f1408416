/**
 * Blocks: what holds a run back though there is a reason for it and a site to go to. Pure.
 *
 * The order is that of the reader: first what a person decided, then what time will lift. A person
 * who asks goes past what damps automatic runs; who forces it goes past an open run and a freeze too.
 */
import type { EpochMillis } from '../base/identifiers.ts';
import { instantWords } from '../base/instant.ts';
import { acknowledgementDue } from './acknowledgement.ts';
import { budgetSpentUntil, heldDownUntil, startsWithinDay } from './damping.ts';
import type { DecisionCode } from './decision.ts';
import { describeFreeze, type Freeze, laterFreeze, standingFreeze } from './freeze.ts';
import { describeWindow, windowOf } from './maintenance.ts';
import { overrideOf } from './overrides.ts';
import type { ServiceState } from './state.ts';

export type Reason = readonly [code: DecisionCode, sentence: string];

/** When the decision is made, and what stands around the service then. */
export interface Occasion {
  readonly at: EpochMillis;
  /** The kill switch of all services. Absent = none is thrown. */
  readonly freeze?: Freeze | null;
}

export function openRunBlock({ phase }: ServiceState): Reason | null {
  return 'run' in phase
    ? ['run-in-progress', `run ${phase.run} is not finished; force supersedes it`]
    : null;
}

/** The freeze that stands: of the service or of all, whichever ends later. */
export function freezeOf(service: ServiceState, { at, freeze }: Occasion): Freeze | null {
  return laterFreeze(standingFreeze(service.freeze, at), standingFreeze(freeze ?? null, at));
}

function freezeBlock(service: ServiceState, occasion: Occasion): Reason | null {
  const freeze = freezeOf(service, occasion);
  return freeze === null ? null : ['frozen', `frozen ${describeFreeze(freeze)}`];
}

/** What holds a request of a person back, unless they force it. */
export function manualBlock(service: ServiceState, occasion: Occasion): Reason | null {
  return openRunBlock(service) ?? freezeBlock(service, occasion);
}

export interface AutomaticQuestion {
  /** The site that would be left, or given traffic: people may work on it. */
  readonly site: string;
  /** Whether a run that ended just now holds this one down. */
  readonly isHeldDown: boolean;
  /** Runs of the daily budget that must be left for worse times. */
  readonly reserve: number;
}

/** What holds a run back that nobody asked for, apart from a run that is open. */
export function automaticBlock(
  service: ServiceState,
  occasion: Occasion,
  { site, isHeldDown, reserve }: AutomaticQuestion,
): Reason | null {
  const { at } = occasion;
  const isBegun = isHandoverBegun(service);
  if (!service.policy.automatic && !isBegun) {
    return ['automatic-off', 'the policy leaves failover to a person'];
  }
  const window = windowOf(service, site, at);
  return (
    freezeBlock(service, occasion) ??
    (window === null
      ? null
      : (['maintenance-window', `maintenance of ${describeWindow(window)}`] satisfies Reason)) ??
    (isBegun ? null : acknowledgementBlock(service, at)) ??
    (isHeldDown ? holdDownBlock(service, at) : null) ??
    budgetBlock(service, at, reserve)
  );
}

/**
 * A fence took the role from the site that served, for a run that ended without giving it on. To give it to
 * somebody ends what was authorised then: it waits for no other person than one who freezes. Brakes that
 * end by themselves hold, so what fails again and again is tried no more often than the budget says.
 */
function isHandoverBegun({ granted, phase, policy }: ServiceState): boolean {
  return !granted && !('run' in phase) && policy.strategy !== 'active-active';
}

function acknowledgementBlock(service: ServiceState, at: EpochMillis): Reason | null {
  const due = acknowledgementDue(service, at);
  return due === null
    ? null
    : [
        'acknowledgement-due',
        `nobody has acknowledged run ${due.run} of ${instantWords(due.since)} yet`,
      ];
}

function holdDownBlock(service: ServiceState, at: EpochMillis): Reason | null {
  const until = heldDownUntil(service, service.policy.safety, at);
  if (until === null || overrideOf(service, 'hold-down', at) !== null) {
    return null;
  }
  const leftSeconds = Math.ceil((until - at) / 1000);
  return ['hold-down', `the last run ended too recently: ${leftSeconds} s of hold-down left`];
}

function budgetBlock(service: ServiceState, at: EpochMillis, reserve: number): Reason | null {
  const isSpent = budgetSpentUntil(service, budgetWithReserve(service, reserve), at) !== null;
  if (!isSpent || overrideOf(service, 'daily-budget', at) !== null) {
    return null;
  }
  const today = startsWithinDay(service, at).length;
  const kept = reserve === 0 ? '' : `, and keeps ${reserve} for a failure`;
  return [
    'daily-budget-spent',
    `${today} automatic runs within 24 h, the policy allows no more${kept}`,
  ];
}

/** The budget as far as it may be spent on what is not urgent. */
export function budgetWithReserve(
  { policy }: ServiceState,
  reserve: number,
): ServiceState['policy']['safety'] {
  const { safety } = policy;
  return {
    ...safety,
    automaticRunsPerDayMax: Math.max(0, safety.automaticRunsPerDayMax - reserve),
  };
}
