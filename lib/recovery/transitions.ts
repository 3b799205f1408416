/**
 * The table of the DR machine: phase × event → guards, next phase, effect.
 *
 * The table is the specification. A test prints it into `docs/state-machine.md`, and the step in
 * `machine.ts` has no transition that is not a row of it. The first row whose phase, event and guards
 * all match wins; an event without a row for the phase changes nothing.
 *
 * A row that starts a run, or refuses one, names the decision that it asks. `decision-acts` and
 * `decision-refuses` are the two answers to that one.
 */
import type { Phase } from './state.ts';

export type EventKind =
  | 'evidence-changed'
  | 'failover-requested'
  | 'failback-requested'
  | 'weights-requested'
  | 'drill-requested'
  | 'drill-end-requested'
  | 'run-done'
  | 'run-failed'
  | 'run-cancelled';

export type Guard =
  | 'always'
  | 'active-site-failed'
  | 'active-site-recovered'
  | 'active-active'
  | 'share-due'
  | 'run-overtaken'
  | 'drill-over'
  | 'traffic-stayed'
  | 'nobody-active'
  | 'decision-acts'
  | 'decision-refuses';

export type DecisionName =
  | 'failover'
  | 'failback'
  | 'drain'
  | 'return'
  | 'home'
  | 'weights'
  | 'drill'
  | 'drill-return';

export type Effect =
  | 'start-failover'
  | 'start-failback'
  | 'start-rebalance'
  | 'start-drill'
  | 'start-drill-return'
  | 'record-refusal'
  | 'begin-practice'
  | 'end-run'
  | 'none';

type PhaseKind = Phase['kind'];

export interface Transition {
  readonly phase: PhaseKind;
  readonly event: EventKind;
  readonly guards: readonly Guard[];
  /** Whose answer `decision-acts` and `decision-refuses` are; null = nobody is asked. */
  readonly decision: DecisionName | null;
  readonly next: PhaseKind;
  readonly effect: Effect;
}

/** What follows when a decision acts. */
const OUTCOMES: { readonly [Name in DecisionName]: Pick<Transition, 'next' | 'effect'> } = {
  failover: { next: 'recovering', effect: 'start-failover' },
  failback: { next: 'returning', effect: 'start-failback' },
  drain: { next: 'rebalancing', effect: 'start-rebalance' },
  return: { next: 'rebalancing', effect: 'start-rebalance' },
  home: { next: 'rebalancing', effect: 'start-rebalance' },
  weights: { next: 'rebalancing', effect: 'start-rebalance' },
  drill: { next: 'drilling', effect: 'start-drill' },
  'drill-return': { next: 'drill-returning', effect: 'start-drill-return' },
};

/** No run is open. */
const QUIET = ['steady', 'impaired'] as const;
/** A run is open. */
const BUSY = [
  'setting-up',
  'recovering',
  'returning',
  'rebalancing',
  'drilling',
  'drill-returning',
] as const;
const EVERY: readonly PhaseKind[] = [...QUIET, ...BUSY, 'practising'];

/** What a person asks for is decided the same way in every phase; a refusal leaves the phase as it is. */
const REQUESTS: readonly Transition[] = EVERY.flatMap((phase) => [
  ...asked([phase, 'failover-requested'], [], 'failover'),
  ...asked([phase, 'failback-requested'], ['active-active'], 'home'),
  ...asked([phase, 'failback-requested'], [], 'failback'),
  ...asked([phase, 'weights-requested'], [], 'weights'),
  ...asked([phase, 'drill-requested'], [], 'drill'),
  ...asked([phase, 'drill-end-requested'], [], 'drill-return'),
]);

/** What happens by itself while no run is open. */
const EVIDENCE: readonly Transition[] = [
  ...acting('practising', ['drill-over'], 'drill-return'),
  ...acting('impaired', ['drill-over'], 'drill-return'),
  ...QUIET.flatMap((phase) => [
    ...deciding(phase, ['active-active', 'active-site-failed'], 'drain'),
    ...deciding(phase, ['active-site-failed'], 'failover'),
  ]),
  ...deciding('impaired', ['nobody-active'], 'failover'),
  ...acting('practising', ['active-active', 'active-site-failed'], 'drain'),
  ...acting('practising', ['active-site-failed'], 'failover'),
  row('practising', 'evidence-changed', ['active-site-failed', 'decision-refuses'], {
    decision: 'failover',
    next: 'practising',
    effect: 'record-refusal',
  }),
  row('impaired', 'evidence-changed', ['active-site-recovered'], {
    decision: null,
    next: 'steady',
    effect: 'none',
  }),
  ...acting('steady', ['share-due'], 'return'),
  row('steady', 'evidence-changed', ['share-due', 'decision-refuses'], {
    decision: 'return',
    next: 'steady',
    effect: 'record-refusal',
  }),
];

/** What cannot wait for the end of the run that is open. */
const OVERTAKING: readonly Transition[] = [
  ...acting('drilling', ['drill-over'], 'drill-return'),
  ...(['recovering', 'returning', 'rebalancing', 'drilling', 'drill-returning'] as const).flatMap(
    (phase) => [
      ...acting(phase, ['active-active', 'run-overtaken'], 'drain'),
      ...acting(phase, ['run-overtaken'], 'failover'),
    ],
  ),
];

const ENDINGS: readonly Transition[] = [
  ending('drilling', 'run-done', ['always'], ['practising', 'begin-practice']),
  ...BUSY.filter((phase) => phase !== 'drilling').map((phase) =>
    ending(phase, 'run-done', ['always'], ['steady', 'end-run']),
  ),
  ...BUSY.filter((phase) => phase !== 'setting-up').flatMap((phase) =>
    (['run-failed', 'run-cancelled'] as const).flatMap((event) =>
      // A drill whose way home failed is not over, wherever it failed: it is tried again.
      phase === 'drill-returning' && event === 'run-failed'
        ? []
        : [ending(phase, event, ['traffic-stayed'], ['steady', 'end-run'])],
    ),
  ),
  ...BUSY.flatMap((phase) =>
    (['run-failed', 'run-cancelled'] as const).map((event) =>
      ending(phase, event, ['always'], ['impaired', 'end-run']),
    ),
  ),
];

export const TRANSITIONS: readonly Transition[] = [
  ...EVIDENCE,
  ...OVERTAKING,
  ...REQUESTS,
  ...ENDINGS,
];

/** Acts, or says why not and stays troubled. */
function deciding(
  phase: PhaseKind,
  guards: readonly Guard[],
  decision: DecisionName,
): readonly Transition[] {
  return [
    ...acting(phase, guards, decision),
    row(phase, 'evidence-changed', [...guards, 'decision-refuses'], {
      decision,
      next: 'impaired',
      effect: 'record-refusal',
    }),
  ];
}

/** Acts, or lets the next row have its say. */
function acting(
  phase: PhaseKind,
  guards: readonly Guard[],
  decision: DecisionName,
): readonly Transition[] {
  const consequence = { decision, ...OUTCOMES[decision] };
  return [row(phase, 'evidence-changed', [...guards, 'decision-acts'], consequence)];
}

/** What a person asked for: done, or refused with the reason. */
function asked(
  [phase, event]: readonly [PhaseKind, EventKind],
  guards: readonly Guard[],
  decision: DecisionName,
): readonly Transition[] {
  return [
    row(phase, event, [...guards, 'decision-acts'], { decision, ...OUTCOMES[decision] }),
    row(phase, event, [...guards, 'decision-refuses'], {
      decision,
      next: phase,
      effect: 'record-refusal',
    }),
  ];
}

function ending(
  phase: PhaseKind,
  event: EventKind,
  ...[guards, [next, effect]]: [readonly Guard[], readonly [PhaseKind, Effect]]
): Transition {
  return row(phase, event, guards, { decision: null, next, effect });
}

function row(
  phase: PhaseKind,
  event: EventKind,
  ...[guards, consequence]: [readonly Guard[], Pick<Transition, 'decision' | 'next' | 'effect'>]
): Transition {
  return { phase, event, guards, ...consequence };
}
