/**
 * Rules about the plans that owners write: a run by such a plan ends with the traffic at the target,
 * once, in every mode, and names only what there is.
 */
import type { ActionKind, PlannedStep, StepAction } from '../recovery/plan.ts';
import { CONFIG_LIMITS } from './limits.ts';
import type { Path } from './problem.ts';
import {
  checkRecovery,
  findingAt,
  type PlanDraft,
  type RecoveryDraft,
  type RecoveryFinding,
} from './recovery-relations.ts';
import { UNDO_KINDS } from './step-file.ts';

/** As sentences for the documentation. */
export const PLAN_RULES: readonly string[] = [
  `A plan has at most ${CONFIG_LIMITS.planStepsMax} steps, with different names. \`active-active\` has none of its own: its runs change shares.`,
  'A plan gives the target all of the traffic exactly once, in graceful and in emergency runs alike: by `switch` or by `weights` with `percent: 100`, or where there is neither by `routing`. That step is essential and has no `when`.',
  '`weights` of a plan rise, and none comes after all of the traffic has moved. With `fencing: lease` there are none below 100.',
  '`propagate` and `verify` come after a step that moves traffic; `report` is the last step, alone.',
  '`fence` needs `fencing: lease`; it is essential, in both modes, has no `when`, and comes before the first step that moves traffic. Where a plan has none it is given one.',
  '`database` needs a `database`, `scale` needs a `capacity` at its site; a site that a step names is one of the service.',
  'The `for` of a step is below its `timeout`.',
  'A `child-plan` names another service of the configuration; services do not wait for each other in a circle.',
  `What takes a step back is one of ${UNDO_KINDS.map((kind) => `\`${kind}\``).join(', ')}.`,
];

/** With the place of the service in the list of drafts. */
interface FleetFinding extends RecoveryFinding {
  readonly service: number;
  /** Whether it is about what other services there are. */
  readonly fleet: boolean;
}

const MOVES: ReadonlySet<ActionKind> = new Set(['switch', 'weights', 'routing']);

/** A step with where it stands. */
interface Placed {
  readonly step: PlannedStep;
  readonly stage: number;
  readonly policy: Path;
  readonly file: Path;
}

/** Every broken rule about recovery: within each service, and between them. Pure; total. */
export function checkFleet(drafts: readonly RecoveryDraft[]): readonly FleetFinding[] {
  const within = drafts.flatMap((draft, service) =>
    [...checkRecovery(draft), ...checkPlans(draft)].map((finding) => ({
      ...finding,
      service,
      fleet: false,
    })),
  );
  return [...within, ...checkChildren(drafts)];
}

/** Every broken rule of the plans of one service. */
function checkPlans(draft: RecoveryDraft): readonly RecoveryFinding[] {
  return (['failover', 'failback'] as const).flatMap((name) => {
    const plan = draft[name];
    return plan === null || plan === undefined ? [] : checkPlan(draft, plan, ['plans', name]);
  });
}

function checkPlan(draft: RecoveryDraft, plan: PlanDraft, path: Path): readonly RecoveryFinding[] {
  if (draft.strategy === 'active-active') {
    const message = 'active-active changes shares, by its own plan';
    return [findingAt(path, message, 'remove it, or use another strategy')];
  }
  const steps = placed(plan, path);
  return [
    ...checkCount(steps, path),
    ...checkNames(steps),
    ...checkMoves(steps, path),
    ...checkOrder(steps),
    ...checkFences(steps),
    ...steps.flatMap((step) => checkStep(draft, step)),
  ];
}

function placed({ plan, places }: PlanDraft, path: Path): readonly Placed[] {
  return plan.stages.flatMap((stage, place) =>
    stage.map((step, position) => ({
      step,
      stage: place,
      policy: [...path, 'stages', place, position],
      file: [...path, ...(places[place]?.[position] ?? ['steps', place])],
    })),
  );
}

function at({ policy, file }: Placed, message: string, fix: string): RecoveryFinding {
  return { policy, file, message, fix };
}

function checkCount(steps: readonly Placed[], path: Path): readonly RecoveryFinding[] {
  const { planStepsMax } = CONFIG_LIMITS;
  const message = `${steps.length} steps; allowed are ${planStepsMax}`;
  return steps.length <= planStepsMax
    ? []
    : [findingAt(path, message, 'let one function or webhook do several things')];
}

function checkNames(steps: readonly Placed[]): readonly RecoveryFinding[] {
  return steps.flatMap((placedStep, position) => {
    const first = steps.findIndex(({ step }) => step.name === placedStep.step.name);
    const message = `step ${placedStep.step.name} stands twice`;
    return first === position ? [] : [at(placedStep, message, 'give each step its own name')];
  });
}

function isWhole({ kind, ...action }: StepAction): boolean {
  return kind === 'switch' || ('targetPercent' in action && action.targetPercent === 100);
}

function checkMoves(steps: readonly Placed[], path: Path): readonly RecoveryFinding[] {
  const whole = steps.filter(({ step }) => isWhole(step.action));
  const moving =
    whole.length > 0 ? whole : steps.filter(({ step }) => step.action.kind === 'routing');
  const conditional = moving.filter(({ step }) => step.when !== null || !step.essential);
  const counts = (['graceful', 'emergency'] as const).map((mode) => ({
    mode,
    count: moving.filter(({ step }) => step.mode === 'both' || step.mode === mode).length,
  }));
  return [
    ...counts.flatMap(({ mode, count }) =>
      count === 1
        ? []
        : [
            findingAt(
              path,
              `moves all of the traffic ${count === 0 ? 'never' : `${count} times`} in ${mode} runs`,
              'write exactly one step `do: switch`, in both modes',
            ),
          ],
    ),
    ...conditional.map((step) =>
      at(step, 'is what moves the traffic, and could be left out', 'remove when and essential'),
    ),
  ];
}

function checkOrder(steps: readonly Placed[]): readonly RecoveryFinding[] {
  const moved = steps.findIndex(({ step }) => MOVES.has(step.action.kind));
  const whole = steps.find(({ step }) => isWhole(step.action));
  const weights = steps.filter(({ step }) => step.action.kind === 'weights');
  const last = Math.max(...steps.map(({ stage }) => stage));
  return [
    ...weights.flatMap((placedStep, position) =>
      percentOf(weights[position - 1]) >= percentOf(placedStep)
        ? [at(placedStep, 'is not above the share before it', 'write shares that rise')]
        : [],
    ),
    ...weights
      .filter(
        (placedStep) =>
          whole !== undefined && placedStep !== whole && placedStep.stage >= whole.stage,
      )
      .map((placedStep) =>
        at(placedStep, 'comes after all of the traffic has moved', 'write it before the switch'),
      ),
    ...steps.flatMap((placedStep, position) => {
      const { kind } = placedStep.step.action;
      const isLook = kind === 'propagate' || kind === 'verify';
      return isLook &&
        (moved === -1 || position < moved || placedStep.stage === steps[moved]?.stage)
        ? [at(placedStep, 'looks at traffic that has not moved yet', 'write it after the switch')]
        : [];
    }),
    ...steps
      .filter(
        ({ step, stage }) => step.action.kind === 'report' && !isLastAlone(steps, stage, last),
      )
      .map((placedStep) =>
        at(placedStep, 'is not the last step, alone', 'write it last, or leave it out'),
      ),
  ];
}

/** A fence that a run could leave out, or come to late, would be none. */
function checkFences(steps: readonly Placed[]): readonly RecoveryFinding[] {
  const moved = steps.find(({ step }) => MOVES.has(step.action.kind));
  return steps
    .filter(({ step }) => step.action.kind === 'fence')
    .flatMap((placedStep) => {
      const { when, essential, mode } = placedStep.step;
      const isLate = moved !== undefined && placedStep.stage >= moved.stage;
      return [
        ...(when !== null || !essential || mode !== 'both'
          ? [at(placedStep, 'could be left out', 'remove when, mode and essential, or the step')]
          : []),
        ...(isLate
          ? [at(placedStep, 'comes after traffic has moved', 'write it before, or leave it out')]
          : []),
      ];
    });
}

function isLastAlone(steps: readonly Placed[], stage: number, last: number): boolean {
  return stage === last && steps.filter((other) => other.stage === stage).length === 1;
}

function percentOf(placedStep: Placed | undefined): number {
  const action = placedStep?.step.action;
  return action?.kind === 'weights' ? action.targetPercent : -1;
}

function checkStep(draft: RecoveryDraft, placedStep: Placed): readonly RecoveryFinding[] {
  const { action, undo, timeoutMs } = placedStep.step;
  const waitMs = 'forMs' in action ? action.forMs : 0;
  const isUndoable = undo === null || UNDO_KINDS.some((kind) => kind === undo.kind);
  const tooLong = waitMs > 0 && waitMs >= timeoutMs;
  return [
    ...checkAction(draft, placedStep, action),
    ...(undo === null ? [] : checkAction(draft, placedStep, undo)),
    ...(isUndoable ? [] : [at(placedStep, `${undo.kind} takes nothing back`, 'use another kind')]),
    ...(tooLong
      ? [at(placedStep, 'would be over its timeout before it is done', 'write a longer timeout')]
      : []),
  ];
}

function checkAction(
  draft: RecoveryDraft,
  placedStep: Placed,
  action: StepAction,
): readonly RecoveryFinding[] {
  switch (action.kind) {
    case 'fence':
      return draft.fencing === 'none'
        ? [at(placedStep, 'without leases there is nothing to wait for', 'write fencing: lease')]
        : [];
    case 'database':
      return draft.members === null
        ? [at(placedStep, 'there is no database', 'write what database: the service has')]
        : [];
    case 'weights':
      return draft.fencing === 'lease' && action.targetPercent > 0 && action.targetPercent < 100
        ? [at(placedStep, 'with fencing: lease two sites never serve at once', 'remove the step')]
        : [];
    case 'scale':
      return [
        ...checkSite(draft, placedStep, action.site),
        ...checkScale(draft, placedStep, action),
      ];
    case 'wait-healthy':
      return checkSite(draft, placedStep, action.site);
    default:
      return [];
  }
}

type SiteReference = Extract<StepAction, { kind: 'scale' }>['site'];

function checkSite(
  { sites }: RecoveryDraft,
  placedStep: Placed,
  reference: SiteReference,
): readonly RecoveryFinding[] {
  const names = sites?.map(({ site }) => site) ?? [];
  return typeof reference === 'string' || names.length === 0 || names.includes(reference.site)
    ? []
    : [
        at(
          placedStep,
          `${reference.site} is not a site of this service`,
          `use one of: target, source, ${names.join(', ')}`,
        ),
      ];
}

function checkScale(
  { sites = [], primary }: RecoveryDraft,
  placedStep: Placed,
  { site }: Extract<StepAction, { kind: 'scale' }>,
): readonly RecoveryFinding[] {
  const isFailover = placedStep.policy[1] === 'failover';
  // Away from the primary the target is any other site; on the way back it is the primary.
  const meansPrimary = (site === 'source') === isFailover;
  const meant = sites.filter((candidate) =>
    typeof site === 'string'
      ? (candidate.site === primary) === meansPrimary
      : candidate.site === site.site,
  );
  return meant
    .filter(({ capacity }) => capacity === null)
    .map((candidate) =>
      at(
        placedStep,
        `${candidate.site} says nothing of what could be scaled there`,
        `write sites.${candidate.site}.capacity`,
      ),
    );
}

/** Rules between services: children exist, and nobody waits for itself. */
function checkChildren(drafts: readonly RecoveryDraft[]): readonly FleetFinding[] {
  const names = drafts.map(({ service }) => service);
  const children = new Map(drafts.map((draft) => [draft.service, childrenOf(draft)]));
  return drafts.flatMap((draft, service) =>
    childSteps(draft).flatMap(({ child, ...placedStep }) => {
      if (!names.includes(child)) {
        const fix = `use one of: ${names.filter((name) => name !== draft.service).join(', ')}`;
        return [{ ...at(placedStep, `there is no service ${child}`, fix), service, fleet: true }];
      }
      return reaches(children, child, draft.service)
        ? [
            {
              ...at(placedStep, `${child} waits for ${draft.service} itself`, 'remove one of them'),
              service,
              fleet: true,
            },
          ]
        : [];
    }),
  );
}

function childSteps(draft: RecoveryDraft): readonly (Placed & { readonly child: string })[] {
  return (['failover', 'failback'] as const).flatMap((name) => {
    const plan = draft[name];
    const steps = plan === null || plan === undefined ? [] : placed(plan, ['plans', name]);
    return steps.flatMap((placedStep) => {
      const { action } = placedStep.step;
      return action.kind === 'child-plan' ? [{ ...placedStep, child: action.service }] : [];
    });
  });
}

function childrenOf(draft: RecoveryDraft): readonly string[] {
  return childSteps(draft).map(({ child }) => child);
}

/** Whether `from` is `to`, or waits for it by however many in between. */
function reaches(
  children: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === to) {
      return true;
    }
    if (!seen.has(next)) {
      seen.add(next);
      open.push(...(children.get(next) ?? []));
    }
  }
  return false;
}
