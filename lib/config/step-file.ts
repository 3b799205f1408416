/**
 * A step of a plan as people write it, and as a run will hold it.
 *
 * `do` decides which other keys make sense; one that does not is an error, because a `for` on a
 * `switch` would be believed to do something.
 */
import type {
  ActionKind,
  NotificationTarget,
  PlannedStep,
  PlanPolicy,
  Precondition,
  RunMode,
  SiteReference,
  StepAction,
} from '../recovery/plan.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const STEP_KINDS = [
  'approve',
  'child-plan',
  'database',
  'fence',
  'hold',
  'lambda',
  'notify',
  'propagate',
  'report',
  'restore',
  'routing',
  'scale',
  'snapshot',
  'switch',
  'verify',
  'wait-healthy',
  'wait-replication',
  'webhook',
  'weights',
] as const satisfies readonly ActionKind[];

/** What can take something back: none of them waits for a person or begins another run. */
export const UNDO_KINDS = [
  'database',
  'lambda',
  'notify',
  'scale',
  'webhook',
  'weights',
] as const satisfies readonly ActionKind[];

export const RUN_MODES = ['graceful', 'emergency', 'both'] as const satisfies readonly (
  | RunMode
  | 'both'
)[];
export const PRECONDITIONS = [
  'source-alive',
  'source-failed',
  'target-healthy',
] as const satisfies readonly Precondition[];

/** After the file schema: durations are milliseconds already. */
export interface ActionEntry {
  readonly do?: ActionKind | undefined;
  readonly site?: string | undefined;
  readonly to?: 'serving' | 'standby' | undefined;
  readonly for?: number | undefined;
  readonly maxLag?: number | undefined;
  readonly percent?: number | undefined;
  readonly region?: string | undefined;
  readonly function?: string | undefined;
  readonly payload?: { readonly [key: string]: string } | undefined;
  readonly url?: string | undefined;
  readonly secret?: string | undefined;
  readonly topic?: string | undefined;
  readonly sentence?: string | undefined;
  readonly table?: string | undefined;
  readonly into?: string | undefined;
  readonly intoRegion?: string | undefined;
  readonly service?: string | undefined;
}

interface SingleEntry extends ActionEntry {
  readonly name?: string | undefined;
  readonly essential?: boolean | undefined;
  readonly timeout?: number | undefined;
  readonly attempts?: number | undefined;
  readonly mode: RunMode | 'both';
  readonly when?: Precondition | undefined;
  readonly undo?: ActionEntry | undefined;
}

export interface PlanEntry {
  readonly steps: readonly (SingleEntry & {
    readonly parallel?: readonly SingleEntry[] | undefined;
  })[];
  readonly onFailure: 'stop' | 'undo';
}

type ActionKey = Exclude<keyof ActionEntry, 'do'>;

interface StepKeys {
  readonly required: readonly ActionKey[];
  readonly optional: readonly ActionKey[];
}

const NO_KEYS: StepKeys = { required: [], optional: [] };

/** Which keys each kind of step needs, and may have. */
export const STEP_KEYS: { readonly [kind in ActionKind]: StepKeys } = {
  approve: { required: ['sentence'], optional: [] },
  'child-plan': { required: ['service'], optional: [] },
  database: NO_KEYS,
  fence: NO_KEYS,
  hold: { required: ['for'], optional: [] },
  lambda: { required: ['function', 'region'], optional: ['payload'] },
  notify: { required: ['sentence'], optional: ['topic', 'url', 'secret'] },
  propagate: NO_KEYS,
  report: NO_KEYS,
  restore: { required: ['table', 'region', 'into'], optional: ['intoRegion'] },
  routing: NO_KEYS,
  scale: { required: [], optional: ['site', 'to'] },
  snapshot: { required: ['table', 'region'], optional: [] },
  switch: NO_KEYS,
  verify: NO_KEYS,
  'wait-healthy': { required: [], optional: ['site', 'for'] },
  'wait-replication': { required: [], optional: ['maxLag'] },
  webhook: { required: ['url'], optional: ['secret'] },
  weights: { required: ['percent'], optional: [] },
};

const ACTION_KEYS: readonly ActionKey[] = [
  ...new Set(
    Object.values(STEP_KEYS).flatMap(({ required, optional }) => [...required, ...optional]),
  ),
];

export interface KeyFinding {
  /** Empty = the entry as a whole. */
  readonly key: string;
  readonly message: string;
}

export type EntryKeys = ActionEntry & { readonly parallel?: unknown };

/** Keys that the kind of step has no use for, or cannot do without. Pure; total. */
export function keyFindings(entry: EntryKeys): readonly KeyFinding[] {
  const written = Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  if (entry.parallel !== undefined) {
    return written
      .filter((key) => key !== 'parallel' && key !== 'mode')
      .map((key) => ({ key, message: 'belongs to a step, not to a group; move it into one' }));
  }
  const kind = entry.do;
  if (kind === undefined) {
    return [{ key: '', message: 'has neither do nor parallel' }];
  }
  const { required, optional } = STEP_KEYS[kind];
  const allowed: readonly string[] = [...required, ...optional];
  const missing = required.filter((key) => entry[key] === undefined);
  return [
    ...missing.map((key) => ({ key: '', message: `a step of kind ${kind} needs ${key}` })),
    ...written
      .filter((key) => ACTION_KEYS.some((known) => known === key) && !allowed.includes(key))
      .map((key) => ({ key, message: `means nothing for a step of kind ${kind}; remove it` })),
    ...(kind === 'notify' && (entry.topic === undefined) === (entry.url === undefined)
      ? [{ key: '', message: 'has either topic or url' }]
      : []),
  ];
}

export interface StepDefaults {
  readonly essential: boolean;
  readonly timeoutMs: number;
  readonly attemptsMax: number;
}

const USUAL: StepDefaults = { essential: true, timeoutMs: 5 * MINUTE_MS, attemptsMax: 30 };

/** What a step is when nobody says otherwise. */
export function defaultOfStep(kind: ActionKind): StepDefaults {
  switch (kind) {
    case 'approve':
    case 'child-plan':
    case 'hold':
      return { ...USUAL, timeoutMs: HOUR_MS };
    case 'database':
    case 'scale':
    case 'wait-healthy':
    case 'wait-replication':
      return { ...USUAL, timeoutMs: 15 * MINUTE_MS };
    case 'snapshot':
    case 'restore':
      return { ...USUAL, timeoutMs: HOUR_MS, attemptsMax: 10 };
    case 'lambda':
    case 'webhook':
      return { ...USUAL, attemptsMax: 5 };
    case 'notify':
    case 'report':
      return { essential: false, timeoutMs: 2 * MINUTE_MS, attemptsMax: 5 };
    case 'fence':
    case 'propagate':
    case 'routing':
    case 'switch':
    case 'verify':
    case 'weights':
      return USUAL;
  }
}

/** A valid plan of a file; each entry becomes a stage. Pure; total. */
export function planPolicyOf({ steps, onFailure }: PlanEntry): PlanPolicy {
  const stages = steps.map((entry) => entry.parallel ?? [entry]);
  const names = stepNames(stages.flat());
  let position = 0;
  const named = stages.map((stage) =>
    stage.map((entry) => {
      const step = plannedStepOf(entry, names[position] ?? '');
      position += 1;
      return step;
    }),
  );
  return { stages: named, onFailure };
}

/** Written names first; a step without one is called by its kind, with a number from the second on. */
function stepNames(entries: readonly SingleEntry[]): readonly string[] {
  const taken = new Set(entries.flatMap(({ name }) => (name === undefined ? [] : [name])));
  return entries.map(({ name, do: kind = 'report' }) => {
    if (name !== undefined) {
      return name;
    }
    let candidate: string = kind;
    for (let count = 2; taken.has(candidate); count += 1) {
      candidate = `${kind}-${count}`;
    }
    taken.add(candidate);
    return candidate;
  });
}

function plannedStepOf(entry: SingleEntry, name: string): PlannedStep {
  const kind = entry.do ?? 'report';
  const usual = defaultOfStep(kind);
  // A hold must be able to last as long as it says.
  const timeoutMs = entry.timeout ?? Math.max(usual.timeoutMs, 2 * (entry.for ?? 0));
  return {
    name,
    action: actionOf(entry),
    essential: entry.essential ?? usual.essential,
    timeoutMs,
    attemptsMax: entry.attempts ?? usual.attemptsMax,
    mode: entry.mode,
    when: entry.when ?? null,
    undo: entry.undo === undefined ? null : actionOf(entry.undo),
  };
}

/** The keys that `keyFindings` asks for are there; empty values only stand in for the types. */
function actionOf(entry: ActionEntry): StepAction {
  const kind = entry.do ?? 'report';
  switch (kind) {
    case 'weights':
      return { kind, targetPercent: entry.percent ?? 0 };
    case 'scale':
      return { kind, site: siteOf(entry.site), to: entry.to ?? 'serving' };
    case 'wait-healthy':
      return { kind, site: siteOf(entry.site), forMs: entry.for ?? 0 };
    case 'wait-replication':
      return { kind, lagMsMax: entry.maxLag ?? 0 };
    case 'approve':
      return { kind, sentence: entry.sentence ?? '' };
    case 'hold':
      return { kind, forMs: entry.for ?? 0 };
    case 'child-plan':
      return { kind, service: entry.service ?? '' };
    case 'lambda':
    case 'webhook':
    case 'notify':
      return callOf(kind, entry);
    case 'snapshot':
    case 'restore':
      return copyOf(kind, entry);
    default:
      return { kind };
  }
}

function callOf(kind: 'lambda' | 'webhook' | 'notify', entry: ActionEntry): StepAction {
  switch (kind) {
    case 'lambda': {
      const { region = '', function: functionName = '', payload = {} } = entry;
      return { kind, region, functionName, payload };
    }
    case 'webhook':
      return { kind, url: entry.url ?? '', secretName: entry.secret ?? null };
    case 'notify':
      return { kind, target: notificationTargetOf(entry), sentence: entry.sentence ?? '' };
  }
}

function copyOf(kind: 'snapshot' | 'restore', entry: ActionEntry): StepAction {
  const { region = '', table = '', into = '', intoRegion = region } = entry;
  const source = { region, table };
  return kind === 'snapshot'
    ? { kind, source }
    : { kind, source, into: { region: intoRegion, table: into } };
}

function siteOf(site: string | undefined): SiteReference {
  return site === undefined || site === 'target'
    ? 'target'
    : site === 'source'
      ? 'source'
      : { site };
}

export function notificationTargetOf(
  entry: Pick<ActionEntry, 'topic' | 'url' | 'secret'>,
): NotificationTarget {
  const { topic, url = '', secret = null } = entry;
  return topic === undefined
    ? { kind: 'webhook', url, secretName: secret }
    : { kind: 'sns', topicArn: topic };
}
