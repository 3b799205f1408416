/**
 * Years of a two-site service, as the failures in them: each failure and recovery is simulated in full
 * with the production code, and the quiet time between them is skipped.
 *
 * ```text
 * quiet (skipped) ─▶ a region is lost ─▶ recovery, in full ─▶ repair (its quiet part skipped) ─▶ back ─▶ …
 * ```
 *
 * Each failure has a life of its own, that begins as one that has gone well for long: windows full of
 * beats, caches filled at any time, the last run long ago. What is skipped is time in which every request
 * is served; that it is so when a life ends is asserted. A failure that falls into the repair of the
 * one before belongs to the same life: both regions are gone then, and nobody serves until one is back.
 */
import type { Random } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import { seededRandom } from '../random.ts';
import { logNormal } from './assumptions.ts';
import { Checkers, type Violation } from './checkers.ts';
import { loseRegion, restoreRegion, type Stage } from './faults.ts';
import { pass, passUntil, startLife } from './life.ts';
import { Recorder, type RecoveryStages } from './recorder.ts';
import type { TrafficPath, WholeWorld } from './whole-world.ts';

export const YEAR_HOURS = 8766;
const BETWEEN_FAILURES_HOURS = 720;
/** Repair: log-normal. The mean is then about 49 minutes. */
export const REPAIR = { medianMs: 1_800_000, sigma: 1, msMin: 60_000, msMax: 28_800_000 } as const;
export const YEAR_PATHS = ['b', 'a'] as const satisfies readonly TrafficPath[];

export interface PlannedFailure {
  /** Since the failure before, milliseconds. */
  readonly afterMs: number;
  /** Place of the site in the policy. */
  readonly place: 0 | 1;
  readonly repairMs: number;
}

/** When which site fails in so many years; spacing exponential, the site by a fair coin. */
export function planFailures(seed: number, years: number): readonly PlannedFailure[] {
  const random = seededRandom(seed);
  const failures: PlannedFailure[] = [];
  let leftHours = years * YEAR_HOURS;
  for (;;) {
    const afterHours = -Math.log(1 - random()) * BETWEEN_FAILURES_HOURS;
    leftHours -= afterHours;
    if (leftHours < 0) {
      return failures;
    }
    failures.push({
      afterMs: Math.round(afterHours * 3_600_000),
      place: random() < 0.5 ? 0 : 1,
      repairMs: Math.round(repairMs(random)),
    });
  }
}

function repairMs(random: Random): number {
  const { medianMs, sigma, msMin, msMax } = REPAIR;
  return Math.min(msMax, Math.max(msMin, logNormal(random, medianMs, sigma)));
}

export interface YearOrder {
  readonly seed: number;
  readonly policy: ServicePolicy;
  readonly failures: readonly PlannedFailure[];
  /** Lived through in full, with nothing going wrong. */
  readonly quietHours: number;
}

/** One failure of the active site, as the clients of one path met it. */
export interface Episode {
  readonly path: TrafficPath;
  readonly stages: RecoveryStages;
  readonly failedSeconds: number;
  readonly divergentSeconds: number;
  readonly rpoMs: number;
}

export interface YearResult {
  readonly failures: number;
  /** Failures that hit the site which served. */
  readonly activeFailures: number;
  /** Failures that fell into the repair of the other region. */
  readonly doubleFailures: number;
  readonly episodes: readonly Episode[];
  /** Seconds of the whole stream that failed, of everything that was simulated. */
  readonly failedSeconds: { readonly [path in TrafficPath]: number };
  readonly dualActiveMs: number;
  /** Failover runs that nothing had called for. */
  readonly falseFailovers: number;
  readonly quietHours: number;
  readonly violations: readonly Violation[];
  readonly simulatedSeconds: number;
  readonly events: number;
}

/** The part of a standby's failure that is watched, and of a return. */
const STANDBY_WATCH_MS = 25_000;
const RETURN_WATCH_MS = 15_000;
const RECOVERY_WATCH_MS = 600_000;
/** A gap between two failures is simulated up to this; the rest of it is quiet. */
const GAP_MS_MAX = 120_000;
const PHASE_MS_MAX = 10_000;
const HOUR_MS = 3_600_000;

/** Lives through the failures of an order: a life of its own for each, or for two that overlap. */
export async function liveYears(
  order: YearOrder,
  onProgress: (failures: number) => void,
): Promise<YearResult> {
  const { seed, policy, failures, quietHours } = order;
  let total = NOTHING;
  let place = 0;
  while (place < failures.length) {
    const life = await YearLife.begin(seed + place, policy);
    place += await life.liveThrough(failures.slice(place, place + 2));
    total = joinYears([total, life.result()]);
    onProgress(place);
  }
  const quiet = quietHours > 0 ? await YearLife.begin(seed - 1, policy) : null;
  for (let hour = 0; hour < quietHours; hour += 1) {
    await quiet?.quietHour();
    onProgress(place);
  }
  return joinYears([total, ...(quiet === null ? [] : [quiet.result()])]);
}

const NOTHING: YearResult = {
  failures: 0,
  activeFailures: 0,
  doubleFailures: 0,
  episodes: [],
  failedSeconds: { a: 0, b: 0 },
  dualActiveMs: 0,
  falseFailovers: 0,
  quietHours: 0,
  violations: [],
  simulatedSeconds: 0,
  events: 0,
};

/** The sum of several. */
export function joinYears(parts: readonly YearResult[]): YearResult {
  const sum = (figure: (part: YearResult) => number) =>
    parts.reduce((total, part) => total + figure(part), 0);
  return {
    failures: sum((part) => part.failures),
    activeFailures: sum((part) => part.activeFailures),
    doubleFailures: sum((part) => part.doubleFailures),
    episodes: parts.flatMap(({ episodes }) => episodes),
    failedSeconds: {
      a: sum((part) => part.failedSeconds.a),
      b: sum((part) => part.failedSeconds.b),
    },
    dualActiveMs: sum((part) => part.dualActiveMs),
    falseFailovers: sum((part) => part.falseFailovers),
    quietHours: sum((part) => part.quietHours),
    violations: parts.flatMap(({ violations }) => violations),
    simulatedSeconds: sum((part) => part.simulatedSeconds),
    events: sum((part) => part.events),
  };
}

class YearLife {
  readonly #whole: WholeWorld;
  readonly #stage: Stage;
  readonly #checkers: Checkers;
  readonly #episodes: Episode[] = [];
  #failures = 0;
  #activeFailures = 0;
  #doubleFailures = 0;
  #falseFailovers = 0;
  #quietHours = 0;

  private constructor(whole: WholeWorld) {
    this.#whole = whole;
    this.#stage = { whole, tell: () => undefined };
    this.#checkers = new Checkers(whole);
  }

  static async begin(seed: number, policy: ServicePolicy): Promise<YearLife> {
    const { service } = policy;
    const configHash = '0'.repeat(64);
    const paths = YEAR_PATHS;
    return new YearLife(await startLife({ seed, policies: [policy], configHash, service, paths }));
  }

  /** One failure, or two that overlap. Says how many. */
  async liveThrough(failures: readonly PlannedFailure[]): Promise<number> {
    const [failure, next] = failures;
    invariant(failure !== undefined, 'no-failure-left', {});
    const whole = this.#whole;
    await pass(whole, whole.random() * PHASE_MS_MAX);
    const location = this.#locationOf(failure.place);
    // Who serves is what is left of all that was before: either of the two.
    const isActive = whole.standing?.activeSite === whole.policy.sites[failure.place]?.site;
    this.#activeFailures += isActive ? 1 : 0;
    await this.#strike(location, { isActive, repairMs: failure.repairMs });
    this.#falseFailovers += !isActive && this.#failovers() > 0 ? 1 : 0;
    const isOverlapping = next !== undefined && next.afterMs < failure.repairMs;
    const isDouble = isOverlapping && next.place !== failure.place;
    if (isDouble) {
      await this.#strikeAgain(failure, next);
    } else {
      restoreRegion(this.#stage, location);
      await pass(whole, isActive ? RETURN_WATCH_MS : 0);
    }
    const isServed = await passUntil(whole, () => this.#isServed(), RECOVERY_WATCH_MS);
    invariant(isServed, 'year-not-served', { failure: { ...failure } });
    // What is gone cannot fail again: a second failure of the same region is none.
    this.#failures += isOverlapping ? 2 : 1;
    return isOverlapping ? 2 : 1;
  }

  async quietHour(): Promise<void> {
    const runs = this.#failovers();
    await pass(this.#whole, HOUR_MS);
    this.#quietHours += 1;
    this.#falseFailovers += this.#failovers() - runs;
  }

  result(): YearResult {
    const { world } = this.#whole;
    const failedOf = (path: TrafficPath) => this.#whole.clientsOf(path).totals().failedSeconds;
    return {
      failures: this.#failures,
      activeFailures: this.#activeFailures,
      doubleFailures: this.#doubleFailures,
      episodes: this.#episodes,
      failedSeconds: { a: failedOf('a'), b: failedOf('b') },
      dualActiveMs: this.#checkers.dualActiveMs,
      falseFailovers: this.#falseFailovers,
      quietHours: this.#quietHours,
      violations: this.#checkers.violations,
      simulatedSeconds: world.now / 1000,
      events: world.events,
    };
  }

  async #strike(
    location: string,
    { isActive, repairMs: limitMs }: { readonly isActive: boolean; readonly repairMs: number },
  ): Promise<void> {
    const whole = this.#whole;
    const active = whole.standing?.activeSite ?? whole.policy.primary;
    const recorders = YEAR_PATHS.map((path) => ({
      path,
      recorder: new Recorder(whole, active, path),
    }));
    loseRegion(this.#stage, location);
    if (!isActive) {
      await pass(whole, Math.min(limitMs, STANDBY_WATCH_MS));
      return;
    }
    const isOver = () => {
      for (const { recorder } of recorders) {
        recorder.look();
      }
      return recorders.every(({ recorder }) => recorder.isVerified) && this.#isServed();
    };
    await passUntil(whole, isOver, Math.min(limitMs, RECOVERY_WATCH_MS));
    for (const { path, recorder } of recorders) {
      this.#episodes.push({ path, stages: recorder.stages(), ...recorder.loss() });
    }
  }

  /** The other region fails while this one is gone; the first that is repaired comes back first. */
  async #strikeAgain(first: PlannedFailure, second: PlannedFailure): Promise<void> {
    const [firstAt, secondAt] = [this.#locationOf(first.place), this.#locationOf(second.place)];
    const whole = this.#whole;
    this.#doubleFailures += 1;
    await pass(whole, Math.min(GAP_MS_MAX, second.afterMs));
    loseRegion(this.#stage, secondAt);
    const firstLeftMs = first.repairMs - second.afterMs;
    await pass(whole, Math.min(firstLeftMs, second.repairMs));
    const isFirst = firstLeftMs <= second.repairMs;
    restoreRegion(this.#stage, isFirst ? firstAt : secondAt);
    await passUntil(whole, () => this.#isServed(), RECOVERY_WATCH_MS);
    restoreRegion(this.#stage, isFirst ? secondAt : firstAt);
  }

  #isServed(): boolean {
    return YEAR_PATHS.every((path) => this.#whole.clientsOf(path).failingShare === 0);
  }

  #failovers(): number {
    return (this.#whole.state?.runs ?? []).filter(({ kind }) => kind === 'failover').length;
  }

  #locationOf(place: number): string {
    return this.#whole.policy.sites[place]?.region ?? '';
  }
}
