/** `docs/state-machine.md`: the table of the recovery machine, as text and as a drawing. */
import { RUN_LIMITS } from '../../lib/recovery/limits.ts';
import type { MachineEvent } from '../../lib/recovery/machine.ts';
import { planOf } from '../../lib/recovery/plans.ts';
import type { Strategy } from '../../lib/recovery/policy.ts';
import type { RunKind } from '../../lib/recovery/run.ts';
import type { Phase } from '../../lib/recovery/state.ts';
import { wholeTo } from '../../lib/recovery/traffic.ts';
import { TRANSITIONS, type Transition } from '../../lib/recovery/transitions.ts';
import { EAST, servicePolicy, sitePolicy, WEST } from '../support/service-states.ts';
import { markdownTable } from './generated-page.ts';

const PHASES: { readonly [Kind in Phase['kind']]: string } = {
  steady: 'The active site serves, as far as the quorum knows. No run is open.',
  impaired:
    'No run is open, and the active site failed (`site-failed`), or a run did and traffic may stand elsewhere than the log says (`run-failed`).',
  'setting-up': 'The run that makes the name resolve as it is authorised is open.',
  recovering: 'A failover run is open.',
  returning: 'A failback run is open.',
  rebalancing: 'A run that changes the shares of an active-active service is open.',
  drilling: 'The run that takes the traffic to the site of a drill is open.',
  practising: 'No run is open, and the traffic stands at the site of a drill until its time is up.',
  'drill-returning': 'The run that takes the traffic home after a drill is open.',
};

const EVENTS: { readonly [Kind in MachineEvent['kind']]: string } = {
  'evidence-changed':
    'A verdict, an alarm, a lag, a safety rule or a configuration was committed, a run has ended, or the time of a review has come.',
  'failover-requested': 'A person asked for a failover, to a named site or to whichever is ready.',
  'failback-requested':
    'A person asked to go back to the primary site, or to the shares of the policy.',
  'weights-requested': 'A person asked for other shares of an active-active service.',
  'drill-requested': 'A person or the calendar asked for a practice run.',
  'drill-end-requested': 'A person asked to end the practice run.',
  'run-done': 'Every essential step of the open run is done.',
  'run-failed': 'An essential step of the open run failed.',
  'run-cancelled': 'A person stopped the open run, or did not approve it.',
};

const GUARDS: { readonly [Guard in Transition['guards'][number]]: string } = {
  always: 'No condition.',
  'active-site-failed':
    'The analysis is `active-site-failed`, `active-site-alarm`, `active-site-deregistered`, `active-site-fenced` or `all-sites-failed`. Of an active-active service every site with a share is an active site.',
  'active-site-recovered':
    'The service is impaired because its site failed, and the analysis says that its sites serve. After a failed run it never holds: a healthy site does not say where traffic stands.',
  'active-active': 'The strategy is `active-active`.',
  'share-due':
    'Failover is automatic, no serving site is in trouble, and a site that is ready has less traffic than it should.',
  'run-overtaken':
    'The open run does not help against what failed: it goes to a site that is gone; or it is a planned one, and a site that serves, or is to, should not.',
  'drill-over':
    'A drill stands whose time is up, whose site is sick, or that an alarm ends; and its return did not fail too often.',
  'traffic-stayed':
    'The run opened no step that may move traffic, or took all of that back; somebody is active; and no run before it left traffic in doubt.',
  'nobody-active':
    'The authority was withdrawn from one site and never given to another: the handover has to be tried again.',
  'decision-acts': 'The decision of this row is to act.',
  'decision-refuses': 'The decision of this row is to refuse.',
};

const DECISIONS: { readonly [Name in NonNullable<Transition['decision']>]: string } = {
  failover: 'To another site that is ready. People are not held by what damps automatic runs.',
  failback: 'To the primary site. Never by itself.',
  drain: 'No share to sites that should not serve. Not held down: taking a site out is safe.',
  return:
    'Its share back to a site that has been well for the hold-down. Leaves one run of the daily budget for the next failure.',
  home: 'The shares of the policy, of the sites that are ready.',
  weights: 'The shares that a person asks for. A site gains only if it is ready.',
  drill: 'A practice run. It is refused for every doubt.',
  'drill-return': 'Home after a drill. Neither budget nor hold-down is asked.',
};

const EFFECTS: { readonly [Effect in Transition['effect']]: string } = {
  'start-failover':
    'Opens a failover run, and ends an open one as superseded. The authority moves when the run opens its first step of kind `fence`, `switch`, `routing` or `weights`: in this entry, where nothing has to be prepared.',
  'start-failback': 'The same, to the primary site; by the steps of `returning`, or at once.',
  'start-rebalance': 'The same, to other shares.',
  'start-drill': 'The same, to the site of the drill. Remembers where the traffic was.',
  'start-drill-return': 'The same, back to there.',
  'record-refusal':
    'Keeps the reason, and when to look again if time alone may lift it (hold-down, budget, proof of health).',
  'begin-practice': 'The time of the drill begins to run.',
  'end-run':
    'Closes the run. The hold-down begins if a recovery came through or a person stopped one, or if a run failed in the entry that authorised it; a drill begins none.',
  none: 'Only the phase changes.',
};

const RUN_KINDS: { readonly [Kind in RunKind]: string } = {
  setup: 'a service is configured, or its records change',
  failover: 'an automatic or a manual failover',
  failback: 'a manual failback',
  rebalance: 'shares of an active-active service change',
  drill: 'a practice run begins',
  'drill-return': 'a practice run ends',
};

/** A name that Mermaid takes for a state. */
const nodeOf = (phase: string) => phase.replaceAll('-', '_');

function diagram(): string {
  const labels = new Map<string, ReadonlySet<string>>();
  for (const { phase, event, next } of TRANSITIONS.filter((row) => row.phase !== row.next)) {
    const arrow = `${nodeOf(phase)} --> ${nodeOf(next)}`;
    labels.set(arrow, new Set([...(labels.get(arrow) ?? []), event]));
  }
  const states = Object.keys(PHASES).map((phase) => `  state "${phase}" as ${nodeOf(phase)}`);
  const arrows = [...labels].map(([arrow, texts]) => `  ${arrow} : ${[...texts].join('<br>')}`);
  return ['stateDiagram-v2', ...states, '  [*] --> setting_up : configured', ...arrows].join('\n');
}

function meanings(title: string, record: { readonly [name: string]: string }): string {
  const rows = Object.entries(record).map(([name, text]) => [`\`${name}\``, text]);
  return markdownTable([title, 'meaning'], rows);
}

function table(): string {
  const rows = TRANSITIONS.map(({ phase, event, guards, decision, next, effect }) => [
    phase,
    event,
    guards.join(', '),
    decision ?? '',
    next,
    effect,
  ]);
  return markdownTable(['phase', 'event', 'guards', 'decision', 'next', 'effect'], rows);
}

/** The plan of a service without a policy of its own, with all that the strategy brings along. */
function stepsOf(kind: RunKind): string {
  const strategy: Strategy = kind === 'rebalance' ? 'active-active' : 'failover';
  const sites = [sitePolicy(EAST, { weight: 50 }), sitePolicy(WEST, { weight: 50 })];
  const { stages } = planOf({
    policy: servicePolicy({ strategy, sites, returning: { percents: [10, 100], holdMs: 60_000 } }),
    kind,
    mode: kind === 'failover' ? 'emergency' : 'graceful',
    from: EAST,
    to: WEST,
    before: wholeTo(EAST),
    traffic: kind === 'rebalance' ? { [EAST]: 50, [WEST]: 50 } : wholeTo(WEST),
    granted: true,
    approval: false,
    atOnce: kind === 'drill' || kind === 'drill-return',
    loss: null,
  });
  return stages
    .map((stage) =>
      stage.map(({ name, essential }) => (essential ? name : `${name} (extra)`)).join(' + '),
    )
    .join(' → ');
}

function plans(): string {
  const kinds = Object.entries(RUN_KINDS) as [RunKind, string][];
  const rows = kinds.map(([kind, when]) => [kind, when, stepsOf(kind)]);
  return markdownTable(['run', 'starts with', 'steps'], rows);
}

export function renderStateMachinePage(): string {
  return `# The recovery machine

This page is written by \`test/docs/state-machine.test.ts\` from \`TRANSITIONS\` in \`lib/recovery/transitions.ts\`; change the table there, then run
\`UPDATE_DOCS=1 npm test -- test/docs\`.

Each service has its own machine, and its state is in the log: every region that applied the same entries holds the same one. An event is
looked up in the table from the top; the first row whose phase, event and guards all match is taken. An event without a row changes
nothing. Whatever the phase, a service has at most one active site, or those with a share where its strategy is \`active-active\`.

\`\`\`mermaid
${diagram()}
\`\`\`

## Phases

${meanings('phase', PHASES)}

## Events

${meanings('event', EVENTS)}

## Transitions

${table()}

${meanings('guard', GUARDS)}

${meanings('decision', DECISIONS)}

${meanings('effect', EFFECTS)}

While a run is open, evidence that does not overtake it waits. It is looked at in the entry that ends the run.

## Runs

${plans()}

These are the plans of a service with the plainest policy; a warm standby grows first, \`fencing: lease\` puts a \`fence\` before the switch,
\`replication\`, \`safety.approval\` and a \`database\` bring their steps along, and an owner may write other plans.

Stages are done one after the other, the steps of a stage together. A worker claims a step by an entry that names the attempt, does it, and records the result by another
entry; of two claims of one attempt the log takes one. A step that did not work out, or whose worker said nothing, is claimed again:
${RUN_LIMITS.attemptsMax} times at most, ${RUN_LIMITS.extraAttemptsMax} for an extra step. An essential step that fails ends the run as failed; an extra one leaves an exception in a run that is done.
The codes are in [failure-modes.md](failure-modes.md#steps-of-a-run).
`;
}
