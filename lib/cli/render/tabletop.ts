/** A tabletop for people: the decision, then each stage with its steps and the calls they would make. */
import type { TabletopJson } from '../../api/preparation-schemas.ts';
import type { Paint, Style } from './style.ts';

type PlayedStep = TabletopJson['steps'][number];

export function renderTabletop(played: TabletopJson, style: Style): readonly string[] {
  const { service, from, to, decision } = played;
  const isAccepted = decision.kind === 'accepted';
  const verdict = isAccepted
    ? style('● would be accepted', 'good')
    : style('✖ would be refused', 'bad');
  return [
    `${style(`tabletop of ${service}`, 'strong')}: ${style(`${from} → ${to ?? '?'}`, 'strong')}`,
    `  ${verdict}: ${style(`${decision.code}: ${decision.sentence}`, 'plain')}`,
    ...renderPlayedRuns(played, style),
  ];
}

/** Every call of every step, of the run and of the one that takes it home again. */
export function renderPlayedRuns(
  { steps, ground, changes }: TabletopJson,
  style: Style,
): readonly string[] {
  const runs = [...new Set(steps.map(({ run }) => run))];
  return [
    ...(ground === 'assumed'
      ? [style('  what stands is taken to be as the log has it: it was not read', 'dim')]
      : []),
    ...runs.flatMap((run) =>
      renderRun(
        steps.filter((step) => step.run === run),
        style,
      ),
    ),
    '',
    `${changes} calls would change something; ${style('none was made', 'good')}`,
  ];
}

function renderRun(steps: readonly PlayedStep[], style: Style): readonly string[] {
  const [first] = steps;
  return first === undefined
    ? []
    : ['', style(first.kind, 'strong'), ...steps.flatMap((step) => renderStep(step, style))];
}

const PAINTS: { readonly [state in PlayedStep['state']]: Paint } = {
  done: 'plain',
  failed: 'bad',
  skipped: 'dim',
  open: 'warning',
};

function renderStep(step: PlayedStep, style: Style): readonly string[] {
  const { stage, step: name, action, state, isUndo, essential, note } = step;
  const marks = [
    ...(isUndo ? ['undo'] : []),
    ...(essential ? [] : ['not essential']),
    ...(state === 'done' ? [] : [state]),
  ];
  const title = `${String(stage + 1).padStart(3)}  ${name}${name === action ? '' : ` (${action})`}`;
  const extra = marks.length === 0 ? '' : ` [${marks.join(', ')}]`;
  return [
    style(`${title}${extra}`, PAINTS[state]),
    ...(note === null ? [] : [style(`       ${note}`, 'dim')]),
    ...step.calls.flatMap(({ api, detail, changes, records = [] }) => [
      `       ${changes ? style('!', 'warning') : ' '} ${api}  ${style(detail, 'dim')}`,
      ...records.map((line) => `           ${style(line, line.startsWith('-') ? 'bad' : 'good')}`),
    ]),
  ];
}
