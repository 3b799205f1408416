/**
 * Rules that tie what a service says about its recovery together. As in `relations.ts` a rule sees a
 * draft in which any value may be missing, and then says nothing; the file and the API share them.
 */
import type { PlanPolicy } from '../recovery/plan.ts';
import type { ServicePolicy, Strategy } from '../recovery/policy.ts';
import type { Path } from './problem.ts';

/** Where each step of a plan stands in the file; the same shape as the stages of the plan. */
export interface PlanDraft {
  readonly plan: PlanPolicy;
  readonly places: readonly (readonly Path[])[];
}

export interface RecoverySiteDraft {
  readonly site: string;
  readonly weight: number | undefined;
  /** null = it has none; undefined = what it has is not valid. */
  readonly capacity: { readonly serving: number; readonly standby: number } | null | undefined;
}

export interface RecoveryDraft {
  readonly service: string;
  readonly strategy: Strategy | undefined;
  readonly primary: string | undefined;
  readonly fencing: 'none' | 'lease' | undefined;
  readonly returning: ServicePolicy['returning'] | undefined;
  /** Sites that have a member; null = there is no database. */
  readonly members: readonly string[] | null | undefined;
  readonly drill: { readonly to: string } | null | undefined;
  readonly failover: PlanDraft | null | undefined;
  readonly failback: PlanDraft | null | undefined;
  readonly sites: readonly RecoverySiteDraft[] | undefined;
}

/** One broken rule, with its place in a `ServicePolicy` and in the file, relative to the service. */
export interface RecoveryFinding {
  readonly policy: Path;
  readonly file: Path;
  readonly message: string;
  readonly fix: string;
}

interface RecoveryRule {
  readonly sentence: string;
  readonly check: (draft: RecoveryDraft) => readonly RecoveryFinding[];
}

export const RECOVERY_RULES: readonly RecoveryRule[] = [
  {
    sentence:
      'With `strategy: active-active` the `weight`s are written for no site, or their sum is 100 and two or more are above 0. With other strategies there are none.',
    check: checkWeights,
  },
  {
    sentence:
      '`fencing: lease` means one active site at any time: not with `active-active`, and `returning.percents` is `[100]`.',
    check: checkFencing,
  },
  {
    sentence:
      'With `warm-standby` and `pilot-light` every site but the primary has a `capacity`; its `standby` is at most its `serving`, above 0 for `warm-standby` and 0 for `pilot-light`.',
    check: checkCapacity,
  },
  {
    sentence:
      '`returning.percents` rise to 100; where there is more than one, `returning.hold` is above 0.',
    check: checkReturning,
  },
  {
    sentence: '`database.members` has each site of the service, and no other.',
    check: checkMembers,
  },
  { sentence: '`drill.to` is a site of the service, and not its primary.', check: checkDrill },
];

/** Every broken rule within one service. Pure; total. */
export function checkRecovery(draft: RecoveryDraft): readonly RecoveryFinding[] {
  return RECOVERY_RULES.flatMap(({ check }) => check(draft));
}

/** A finding at the same place in policy and file. */
export function findingAt(path: Path, message: string, fix: string): RecoveryFinding {
  return { policy: path, file: path, message, fix };
}

function siteFinding(
  { site, position }: { readonly site: string; readonly position: number },
  key: 'weight' | 'capacity',
  [message, fix]: readonly [message: string, fix: string],
): RecoveryFinding {
  return { policy: ['sites', position, key], file: ['sites', site, key], message, fix };
}

function checkWeights({ strategy, sites }: RecoveryDraft): readonly RecoveryFinding[] {
  if (strategy === undefined || sites === undefined) {
    return [];
  }
  if (strategy !== 'active-active') {
    const words = [
      'belongs to active-active',
      'remove it, or use strategy: active-active',
    ] as const;
    return sites.flatMap(({ site, weight = 0 }, position) =>
      weight === 0 ? [] : [siteFinding({ site, position }, 'weight', words)],
    );
  }
  if (sites.some(({ weight }) => weight === undefined)) {
    return [];
  }
  const weights = sites.map(({ weight = 0 }) => weight);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum !== 100) {
    const fix = 'write shares that come to 100, or none at all for equal ones';
    return [findingAt(['sites'], `the weights come to ${sum}, not to 100`, fix)];
  }
  const fix = 'give two sites or more a share, or use strategy: failover';
  return weights.filter((weight) => weight > 0).length >= 2
    ? []
    : [findingAt(['sites'], 'one site alone serves', fix)];
}

function checkFencing({ strategy, fencing, returning }: RecoveryDraft): readonly RecoveryFinding[] {
  if (fencing !== 'lease') {
    return [];
  }
  if (strategy === 'active-active') {
    const message = 'lease means one active site at any time; active-active has several';
    return [findingAt(['fencing'], message, 'write fencing: none, or another strategy')];
  }
  return returning !== undefined && returning.percents.length > 1
    ? [
        findingAt(
          ['returning', 'percents'],
          'with fencing: lease two sites never serve at once, so there are no steps',
          'write percents: [100], or fencing: none',
        ),
      ]
    : [];
}

function checkCapacity({ strategy, primary, sites = [] }: RecoveryDraft) {
  const isWarm = strategy === 'warm-standby';
  const isNeeded = isWarm || strategy === 'pilot-light';
  return sites.flatMap(({ site, capacity }, position): readonly RecoveryFinding[] => {
    const at = { site, position };
    if (capacity === null && isNeeded && primary !== undefined && site !== primary) {
      const fix = 'write capacity: what is scaled, its size serving and its size standby';
      return [siteFinding(at, 'capacity', [`${strategy} needs to know what grows here`, fix])];
    }
    if (capacity === null || capacity === undefined) {
      return [];
    }
    if (capacity.standby > capacity.serving) {
      const fix = 'write a standby of at most serving';
      return [siteFinding(at, 'capacity', ['is larger standing by than serving', fix])];
    }
    if (site === primary || !isNeeded || capacity.standby > 0 === isWarm) {
      return [];
    }
    return [
      siteFinding(
        at,
        'capacity',
        isWarm
          ? ['runs nothing while it stands by', 'write standby: 1 or more, or pilot-light']
          : ['runs something while it stands by', 'write standby: 0, or strategy: warm-standby'],
      ),
    ];
  });
}

function checkReturning({ returning }: RecoveryDraft): readonly RecoveryFinding[] {
  if (returning === undefined) {
    return [];
  }
  const { percents, holdMs } = returning;
  const rises = percents.every((percent, place) => percent > (percents[place - 1] ?? 0));
  if (!rises || percents.at(-1) !== 100) {
    const fix = 'write shares such as [1, 10, 50, 100]';
    return [findingAt(['returning', 'percents'], 'does not rise to 100', fix)];
  }
  return percents.length > 1 && holdMs === 0
    ? [
        {
          policy: ['returning', 'holdMs'],
          file: ['returning', 'hold'],
          message: 'shares that nobody watches prove nothing',
          fix: 'write hold: 5m, or percents: [100]',
        },
      ]
    : [];
}

function checkMembers({ members, sites }: RecoveryDraft): readonly RecoveryFinding[] {
  if (members === null || members === undefined || sites === undefined) {
    return [];
  }
  const names = sites.map(({ site }) => site);
  const path = ['database', 'members'];
  const strange = members.filter((member) => !names.includes(member));
  const missing = names.filter((name) => !members.includes(name));
  return [
    ...strange.map((member) =>
      findingAt([...path, member], 'is not a site of this service', `use ${names.join(', ')}`),
    ),
    ...missing.map((name) =>
      findingAt(path, `${name} has no member`, `write what ${name} has of the database`),
    ),
  ];
}

function checkDrill({ drill, primary, sites }: RecoveryDraft): readonly RecoveryFinding[] {
  const others = (sites ?? []).map(({ site }) => site).filter((site) => site !== primary);
  if (drill === null || drill === undefined || primary === undefined || others.length === 0) {
    return [];
  }
  return others.includes(drill.to)
    ? []
    : [
        findingAt(
          ['drill', 'to'],
          drill.to === primary
            ? 'is where the traffic is already'
            : 'is not a site of this service',
          `use one of: ${others.join(', ')}`,
        ),
      ];
}
