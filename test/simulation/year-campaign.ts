/**
 * The year campaign: a two-site service through 1,000 years of region failures, on all cores.
 *
 * ```
 * npm run simulate -- --campaign year [--years 1000] [--seed 1] [--config FILE] [--fencing none|lease]
 *                     [--quiet-hours 100] [--workers N] [--json]
 * ```
 *
 * Both paths are followed in the same lives, by clients of their own; with and without lease fencing are
 * lives of their own with the same failures. It passes when no rule was broken, no two sites believed to
 * be active with lease fencing, no run began that nothing had called for, and availability and RPO
 * reach their bars. Whether the actual RTO (`rtoMs`) reaches its bars is told under `met`, and when clients
 * were served again (`clientsServedMs`): much of both is Route 53's and the resolvers', and
 * `docs/simulation.md` says which part.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parseConfiguration } from '../../lib/config/parse.ts';
import type { ServicePolicy } from '../../lib/recovery/policy.ts';
import type { RecoveryStages } from '../../lib/simulation/whole/recorder.ts';
import {
  type Episode,
  joinYears,
  type PlannedFailure,
  planFailures,
  REPAIR,
  YEAR_HOURS,
  YEAR_PATHS,
  type YearOrder,
  type YearResult,
} from '../../lib/simulation/whole/year.ts';
import { inParallel, runInWorker } from './worker.ts';

const BARS = {
  availability: 0.99999,
  rtoMsP50: 12_000,
  rtoMsP99: 30_000,
  rpoMsP99: 5000,
} as const;

/** Failures that one thread lives through before it is replaced. */
const SHARE_MAX = 300;

export interface YearCampaign {
  readonly passed: boolean;
  readonly text: string;
}

interface Asked {
  readonly years: number;
  readonly seed: number;
  readonly policy: ServicePolicy;
  readonly fencings: readonly ServicePolicy['fencing'][];
  readonly quietHours: number;
  readonly workers: number;
  readonly isJson: boolean;
}

export async function runYearCampaign(
  words: readonly string[],
  tell: (line: string) => void,
): Promise<YearCampaign> {
  const asked = await readAsked(words);
  const startedAt = performance.now();
  const failures = planFailures(asked.seed, asked.years);
  const parts: Figures[] = [];
  for (const fencing of asked.fencings) {
    const result = await liveOnCores({ ...asked.policy, fencing }, failures, { ...asked, tell });
    parts.push(
      ...YEAR_PATHS.map((path) => figuresOf(result, { path, fencing, years: asked.years })),
    );
  }
  const passed = parts.every(isPassed);
  const findings = {
    passed,
    campaign: 'year',
    years: asked.years,
    seed: asked.seed,
    failures: failures.length,
    assumed: { repair: REPAIR, betweenFailuresHours: 720, spacing: 'exponential' },
    elapsedMs: Math.round(performance.now() - startedAt),
    bars: BARS,
    parts,
  };
  return { passed, text: asked.isJson ? JSON.stringify(findings) : readable(findings) };
}

async function readAsked(words: readonly string[]): Promise<Asked> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      campaign: { type: 'string' },
      years: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      config: { type: 'string', default: 'docs/examples/tripoint.yaml' },
      fencing: { type: 'string', multiple: true, default: ['none', 'lease'] },
      'quiet-hours': { type: 'string' },
      workers: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
    },
  });
  const years = Number(values.years);
  const fencings = values.fencing.filter((fencing) => fencing === 'none' || fencing === 'lease');
  return {
    years,
    seed: Number(values.seed),
    policy: await policyOf(values.config),
    fencings,
    quietHours: Number(values['quiet-hours'] ?? Math.max(2, Math.round(years / 10))),
    workers: Math.max(1, Number(values.workers)),
    isJson: values.json,
  };
}

/** The first service of the file. */
async function policyOf(file: string): Promise<ServicePolicy> {
  const parsed = parseConfiguration(await readFile(file, 'utf8'), {});
  const [policy] = parsed.kind === 'valid' ? parsed.policies : [];
  if (policy === undefined) {
    throw new RangeError(`${file} has no service; \`tripoint validate\` says what is wrong`);
  }
  return policy;
}

interface Surroundings {
  readonly seed: number;
  readonly quietHours: number;
  readonly workers: number;
  readonly tell: (line: string) => void;
}

async function liveOnCores(
  policy: ServicePolicy,
  failures: readonly PlannedFailure[],
  { seed, quietHours, workers, tell }: Surroundings,
): Promise<YearResult> {
  const size = Math.min(SHARE_MAX, Math.ceil(failures.length / workers));
  const shares = Array.from({ length: Math.ceil(failures.length / size) }, (_, share) =>
    failures.slice(share * size, (share + 1) * size),
  );
  let done = 0;
  const jobs = shares.map((share, place) => async () => {
    const order: YearOrder = {
      seed: seed * 1_000_003 + place * 10_007,
      policy,
      failures: share,
      quietHours: hoursOf(quietHours, { place, shares: shares.length }),
    };
    const entry = new URL('./year-main.ts', import.meta.url);
    const result = await runInWorker<YearResult>({ entry, order, onProgress: () => undefined });
    done += share.length;
    tell(`fencing ${policy.fencing}: ${done} of ${failures.length} failures`);
    return result;
  });
  return joinYears(await inParallel(jobs, workers));
}

/** Its part of the hours, so that all parts add up to them. */
function hoursOf(hours: number, { place, shares }: { place: number; shares: number }): number {
  return Math.floor((hours * (place + 1)) / shares) - Math.floor((hours * place) / shares);
}

interface Quantiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

interface Figures {
  readonly path: string;
  readonly fencing: string;
  readonly availability: number;
  /** Seconds without service of the whole stream, per failure; half of the failures hit the standby. */
  readonly failedSecondsPerFailure: number;
  readonly activeFailures: number;
  readonly doubleFailures: number;
  readonly stagesMs: { readonly [stage in keyof RecoveryStages]: Quantiles };
  readonly rpoMs: Quantiles;
  readonly divergentSeconds: number;
  readonly dualActiveSeconds: number;
  readonly falseFailovers: number;
  /** Those that were counted, by the years of the campaign. */
  readonly falseFailoversPerYear: number;
  readonly quietHours: number;
  /** At most so many a year, with 95 % confidence, by the quiet hours that were lived through. */
  readonly falseFailoversPerYearMax: number | null;
  readonly violations: number;
  readonly simulatedSeconds: number;
  readonly met: {
    readonly availability: boolean;
    readonly rtoP50: boolean;
    readonly rtoP99: boolean;
    readonly rpoP99: boolean;
    /** The bars of the RTO, held against when nine requests of ten succeed again. */
    readonly clientsServedP50: boolean;
    readonly clientsServedP99: boolean;
    readonly noFalseFailover: boolean;
  };
}

const STAGES = [
  'detectMs',
  'decideMs',
  'actMs',
  'propagateMs',
  'verifyMs',
  'rtoMs',
  'mostServersMs',
  'halfServedMs',
  'clientsServedMs',
] as const satisfies readonly (keyof RecoveryStages)[];

interface Kind {
  readonly path: 'a' | 'b';
  readonly fencing: string;
  readonly years: number;
}

function figuresOf(result: YearResult, { path, fencing, years }: Kind): Figures {
  const episodes = result.episodes.filter((episode) => episode.path === path);
  const failedSeconds = result.failedSeconds[path];
  const availability = 1 - failedSeconds / (years * YEAR_HOURS * 3600);
  const stagesMs = Object.fromEntries(
    STAGES.map((stage) => [stage, quantiles(episodes, ({ stages }) => stages[stage])]),
  ) as Figures['stagesMs'];
  const rpoMs = quantiles(episodes, (episode) => episode.rpoMs);
  const { quietHours, falseFailovers } = result;
  return {
    path,
    fencing,
    availability,
    failedSecondsPerFailure: round(failedSeconds / Math.max(1, result.failures)),
    activeFailures: result.activeFailures,
    doubleFailures: result.doubleFailures,
    stagesMs,
    rpoMs,
    divergentSeconds: round(episodes.reduce((sum, each) => sum + each.divergentSeconds, 0)),
    dualActiveSeconds: round(result.dualActiveMs / 1000),
    falseFailovers,
    falseFailoversPerYear: round(falseFailovers / years),
    quietHours,
    // None in n hours: below 3/n an hour (the rule of three).
    falseFailoversPerYearMax:
      quietHours === 0 || falseFailovers > 0 ? null : round((3 / quietHours) * YEAR_HOURS),
    violations: result.violations.length,
    simulatedSeconds: Math.round(result.simulatedSeconds),
    met: {
      availability: availability >= BARS.availability,
      rtoP50: (stagesMs.rtoMs.p50 ?? Infinity) <= BARS.rtoMsP50,
      rtoP99: (stagesMs.rtoMs.p99 ?? Infinity) <= BARS.rtoMsP99,
      rpoP99: (rpoMs.p99 ?? Infinity) <= BARS.rpoMsP99,
      clientsServedP50: (stagesMs.clientsServedMs.p50 ?? Infinity) <= BARS.rtoMsP50,
      clientsServedP99: (stagesMs.clientsServedMs.p99 ?? Infinity) <= BARS.rtoMsP99,
      noFalseFailover: falseFailovers === 0,
    },
  };
}

function isPassed({ violations, fencing, dualActiveSeconds, met }: Figures): boolean {
  const isOneActive = fencing !== 'lease' || dualActiveSeconds === 0;
  return violations === 0 && isOneActive && met.noFalseFailover && met.availability && met.rpoP99;
}

/** A stage that was not reached counts as longer than any that was. */
function quantiles(episodes: readonly Episode[], figure: (episode: Episode) => number | null) {
  const sorted = episodes
    .map((episode) => figure(episode) ?? Infinity)
    .toSorted((left, right) => left - right);
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
    return value === undefined || value === Infinity ? null : Math.round(value);
  };
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function readable({ parts, ...rest }: { readonly parts: readonly Figures[] }): string {
  const lines = Object.entries(rest).map(([name, figure]) => `${name}: ${JSON.stringify(figure)}`);
  const blocks = parts.map((part) => [
    '',
    `path ${part.path}, fencing ${part.fencing}: ${(part.availability * 100).toFixed(5)} %`,
    ...Object.entries(part.stagesMs).map(([stage, { p50, p90, p99, max }]) =>
      [`  ${stage.padEnd(12)}`, `p50 ${p50}`, `p90 ${p90}`, `p99 ${p99}`, `max ${max}`].join('  '),
    ),
    ...Object.entries(part)
      .filter(([name]) => name !== 'stagesMs')
      .map(([name, figure]) => `  ${name}: ${JSON.stringify(figure)}`),
  ]);
  return [...lines, ...blocks.flat()].join('\n');
}
