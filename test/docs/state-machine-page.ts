/** `docs/state-machine.md`: the table of the recovery machine, as text and as a drawing. */
import { RUN_LIMITS } from '../../lib/recovery/limits.ts';
import { type MachineEvent, TRANSITIONS, type Transition } from '../../lib/recovery/machine.ts';
import { planOf, type RunKind } from '../../lib/recovery/run.ts';
import type { Phase } from '../../lib/recovery/state.ts';
import { markdownTable } from './generated-page.ts';

const PHASES: { readonly [Kind in Phase['kind']]: string } = {
  steady: 'The active site serves, as far as the quorum knows. No run is open.',
  impaired:
    'No run is open, and the active site failed (`site-failed`), or a run did and traffic may stand elsewhere than the log says (`run-failed`).',
  'setting-up': 'The run that makes the name resolve to the active site is open.',
  recovering: 'A failover run is open.',
  returning: 'A failback run is open.',
};

const EVENTS: { readonly [Kind in MachineEvent['kind']]: string } = {
  'evidence-changed':
    'A verdict, an alarm or a configuration was committed, a run has ended, or the time of a review has come.',
  'failover-requested': 'A person asked for a failover, to a named site or to whichever is ready.',
  'failback-requested': 'A person asked to go back to the primary site.',
  'run-done': 'Every essential step of the open run is done.',
  'run-failed': 'An essential step of the open run failed.',
};

const GUARDS: { readonly [Guard in Transition['guards'][number]]: string } = {
  always: 'No condition.',
  'active-site-failed':
    'The analysis is `active-site-failed`, `active-site-alarm` or `all-sites-failed`.',
  'active-site-recovered':
    'The service is impaired because its site failed, and the analysis is `all-sites-healthy`, `standby-not-ready` or `active-site-degraded`. After a failed run it never holds: a healthy site does not say where traffic stands.',
  'decision-acts':
    'The decision about this event is to act. While a run is open it does so only for a person who forces it.',
  'decision-refuses': 'The decision about this event is to refuse.',
};

const EFFECTS: { readonly [Effect in Transition['effect']]: string } = {
  'start-failover':
    'Opens a failover run, and ends an open one as superseded. The target is the active site from this entry on, and the entry is the epoch.',
  'start-failback': 'The same, to the primary site.',
  'record-refusal':
    'Keeps the reason, and when to look again if time alone may lift it (hold-down, budget).',
  'end-run': 'Closes the run. The hold-down begins if a failover or a failback came through.',
  none: 'Only the phase changes.',
};

const RUN_KINDS: { readonly [Kind in RunKind]: string } = {
  setup: 'a service is configured, or the records of its active site change',
  failover: 'an automatic or a manual failover',
  failback: 'a manual failback',
};

/** A name that Mermaid takes for a state. */
const nodeOf = (phase: string) => phase.replaceAll('-', '_');

function diagram(): string {
  const labels = new Map<string, string[]>();
  for (const { phase, event, guards, next } of TRANSITIONS.filter(
    (row) => row.phase !== row.next,
  )) {
    const arrow = `${nodeOf(phase)} --> ${nodeOf(next)}`;
    const when = guards.filter((guard) => guard !== 'always').join(', ');
    const label = when === '' ? event : `${event} (${when})`;
    labels.set(arrow, [...(labels.get(arrow) ?? []), label]);
  }
  const states = Object.keys(PHASES).map((phase) => `  state "${phase}" as ${nodeOf(phase)}`);
  const arrows = [...labels].map(([arrow, texts]) => `  ${arrow} : ${texts.join('<br>')}`);
  return ['stateDiagram-v2', ...states, '  [*] --> setting_up : configured', ...arrows].join('\n');
}

function meanings(title: string, record: { readonly [name: string]: string }): string {
  const rows = Object.entries(record).map(([name, text]) => [`\`${name}\``, text]);
  return markdownTable([title, 'meaning'], rows);
}

function table(): string {
  const rows = TRANSITIONS.map(({ phase, event, guards, next, effect }) => [
    phase,
    event,
    guards.join(', '),
    next,
    effect,
  ]);
  return markdownTable(['phase', 'event', 'guards', 'next', 'effect'], rows);
}

function plans(): string {
  const kinds = Object.entries(RUN_KINDS) as [RunKind, string][];
  const rows = kinds.map(([kind, when]) => [
    kind,
    when,
    planOf(kind)
      .map(({ name, essential }) => (essential ? name : `${name} (extra)`))
      .join(' → '),
  ]);
  return markdownTable(['run', 'starts with', 'steps'], rows);
}

export function renderStateMachinePage(): string {
  return `# The recovery machine

This page is written by \`test/docs/state-machine.test.ts\` from \`TRANSITIONS\` in \`lib/recovery/machine.ts\`; change the table there, then run
\`UPDATE_DOCS=1 npm test -- test/docs\`.

Each service has its own machine, and its state is in the log: every region that applied the same entries holds the same one. An event is
looked up in the table from the top; the first row whose phase, event and guards all match is taken. An event without a row changes
nothing. Whatever the phase, a service has exactly one active site.

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

${meanings('effect', EFFECTS)}

While a run is open, evidence waits: there is no row for it. It is looked at in the entry that ends the run.

## Runs

${plans()}

Steps are done one after the other. A worker claims a step by an entry that names the attempt, does it, and records the result by another
entry; of two claims of one attempt the log takes one. A step that did not work out, or whose worker said nothing, is claimed again:
${RUN_LIMITS.attemptsMax} times at most, ${RUN_LIMITS.extraAttemptsMax} for an extra step. An essential step that fails ends the run as failed; an extra one leaves an exception in a run that is done.
The codes are in [failure-modes.md](failure-modes.md#steps-of-a-run).
`;
}
