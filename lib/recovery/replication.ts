/**
 * How much data a switch would lose, as far as the log knows. Pure.
 *
 * A site reports its own lag: what it does not have yet, and what a failover *to* it would lose. The
 * log hears of a lag only when it matters: when it crosses one of a few edges (those that somebody set
 * are among them), or when it begins to run away. So a word of the log holds until the next one, and
 * is right to within its band, however old it is. A quiet fleet writes nothing.
 *
 * The trap: once the active site is dead, its replicas fall behind its clock, not behind its data. A
 * lag that was measured after its last sign of life says how long it has been dead, and would close
 * the gate just when it must be open. So of an active site that is silent, the last word from before
 * its silence counts.
 */
import { formatElapsed } from '../base/elapsed.ts';
import type { EpochMillis, LogIndex } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import type { StepAction } from './plan.ts';
import type { ServicePolicy } from './policy.ts';
import type { ServiceState, SiteState } from './state.ts';

/** Who measured: the site itself, or its cloud. */
export type LagSource = 'heartbeats' | 'metric';

export interface LagReading {
  /** null = it was known, and is known no more. */
  readonly lagMs: number | null;
  /** Writes that the site lacks; null = not counted. */
  readonly writes: number | null;
  readonly measuredAt: EpochMillis;
  /** How fast it rises, milliseconds a minute; null = it does not, or nobody can tell. */
  readonly risingMsPerMinute: number | null;
}

/** A reading as the log holds it. */
export interface CommittedLag extends LagReading {
  readonly source: LagSource;
  readonly at: EpochMillis;
  readonly index: LogIndex;
}

/** What a switch would lose, as was last told. */
export interface ReplicationLag {
  readonly lagMs: number;
  readonly writes: number | null;
  /** When it was measured. It holds since then, to within its band: its age says nothing. */
  readonly measuredAt: EpochMillis;
}

/** Words kept of each source and site: enough to climb through all edges after a failure, and more. */
const LAGS_KEPT_MAX = 12;

/**
 * What a switch to this site would lose; null = nobody knows. Without a site: the largest lag of all
 * that could be switched to.
 */
export function lagOf(
  service: ServiceState,
  now: EpochMillis,
  site: string | null = null,
): ReplicationLag | null {
  const targets = site === null ? standbysOf(service) : [site];
  const until = lastSignOfLife(service) ?? now;
  const known = targets.flatMap((target) => lagOfSite(service, target, until) ?? []);
  return largest(known);
}

function standbysOf({ sites, activeSite }: ServiceState): readonly string[] {
  return Object.keys(sites).filter((site) => site !== activeSite);
}

/** When the active site was last heard, if it is not any more; null = it lives. */
function lastSignOfLife({ sites, activeSite }: ServiceState): EpochMillis | null {
  const active = ownValue(sites, activeSite);
  if (active === undefined || !isGone(active)) {
    return null;
  }
  const beats = Object.values(active.verdicts).map(({ verdict }) => verdict.lastArrivalAt ?? 0);
  const last = Math.max(0, ...beats);
  return last === 0 ? null : (last as EpochMillis);
}

function isGone({ opinion }: SiteState): boolean {
  return (
    opinion.state === 'failed' || opinion.state === 'suspect' || opinion.code === 'deregistered'
  );
}

/** Of two sources the one that says more: to lose less than was said harms nobody. */
function lagOfSite(
  service: ServiceState,
  target: string,
  until: EpochMillis,
): ReplicationLag | null {
  const site = ownValue(service.sites, target);
  const lags = site?.lags ?? [];
  const told = REPLICATION_SOURCES.flatMap((source) => wordAt(lags, source, until) ?? []);
  if (told.length > 0) {
    return largest(told.flatMap(knownOf));
  }
  return lagInVerdicts(site, until);
}

const REPLICATION_SOURCES: readonly LagSource[] = ['heartbeats', 'metric'];

/** The word of a source that held at that instant; one of before it was first heard is no word. */
function wordAt(
  lags: readonly CommittedLag[],
  source: LagSource,
  until: EpochMillis,
): CommittedLag | null {
  const own = lags.filter((lag) => lag.source === source);
  return own.findLast(({ measuredAt }) => measuredAt <= until) ?? own[0] ?? null;
}

function knownOf({ lagMs, writes, measuredAt }: LagReading): readonly ReplicationLag[] {
  return lagMs === null ? [] : [{ lagMs, writes, measuredAt }];
}

/** A changed verdict says the lag beside it: all there is in a log of before there were words of lag. */
function lagInVerdicts(site: SiteState | undefined, until: EpochMillis): ReplicationLag | null {
  const said = Object.values(site?.verdicts ?? {}).flatMap(({ verdict, replicationLagMs, at }) =>
    knownOf({
      lagMs: replicationLagMs,
      writes: null,
      measuredAt: verdict.lastArrivalAt ?? at,
      risingMsPerMinute: null,
    }),
  );
  const newestFirst = said.toSorted((a, b) => b.measuredAt - a.measuredAt);
  return newestFirst.find(({ measuredAt }) => measuredAt <= until) ?? newestFirst[0] ?? null;
}

function largest(lags: readonly ReplicationLag[]): ReplicationLag | null {
  return lags.toSorted((a, b) => b.lagMs - a.lagMs)[0] ?? null;
}

// ── What is worth a word ─────────────────────────────────────────────────────────────────────────

/** Edges for readers; those of the policy come to them. */
const EDGES_MS: readonly number[] = [100, 1000, 10_000, 60_000, 600_000, 3_600_000];

/** Lags of which something depends on being above or not, ascending. */
export function lagEdgesOf({ objectives, replication, plans }: ServicePolicy): readonly number[] {
  const stages = [plans.failover, plans.failback].flatMap((plan) => plan?.stages.flat() ?? []);
  const waits = stages.flatMap(({ action }) => waitedFor(action));
  const limits = replication.lagMsMax === null ? [] : [replication.lagMsMax];
  const edges = [...EDGES_MS, objectives.rpoMs, ...limits, ...waits];
  return [...new Set(edges)].sort((a, b) => a - b);
}

function waitedFor(action: StepAction): readonly number[] {
  return action.kind === 'wait-replication' ? [action.lagMsMax] : [];
}

/** Which band a lag is in: how many edges it is above; −1 = unknown. */
function lagBand(lagMs: number | null, edges: readonly number[]): number {
  return lagMs === null ? -1 : edges.filter((edge) => lagMs > edge).length;
}

/** A rise is told when the objective is so near, and taken back when it is three times as far. */
const RISK_HORIZON_MS = 600_000;

export type RpoRisk =
  | { readonly kind: 'none' }
  /** It rises, and would be above the objective by then. */
  | { readonly kind: 'rising'; readonly inMs: number }
  | { readonly kind: 'exceeded' };

export function rpoRiskOf(
  { lagMs, risingMsPerMinute }: Pick<LagReading, 'lagMs' | 'risingMsPerMinute'>,
  rpoMs: number,
  horizonMs: number = RISK_HORIZON_MS,
): RpoRisk {
  if (lagMs === null) {
    return { kind: 'none' };
  }
  if (lagMs > rpoMs) {
    return { kind: 'exceeded' };
  }
  if (risingMsPerMinute === null || risingMsPerMinute <= 0) {
    return { kind: 'none' };
  }
  const inMs = ((rpoMs - lagMs) / risingMsPerMinute) * 60_000;
  return inMs <= horizonMs ? { kind: 'rising', inMs: Math.round(inMs) } : { kind: 'none' };
}

/** What makes a lag worth a word, of one service. */
export interface LagRules {
  /** Ascending. */
  readonly edges: readonly number[];
  readonly rpoMs: number;
  /** A run waits for it to fall: a fall is told at once. */
  readonly isWaitedFor: boolean;
}

/** A fall is told after so long: a lag that dances around an edge is told twice a minute at most. */
const FALL_REST_MS = 60_000;
/** A rise that was told is taken back only when the objective is so many times as far away. */
const RISK_CLEAR_FACTOR = 3;
const RISK_ORDER: { readonly [Kind in RpoRisk['kind']]: number } = {
  none: 0,
  rising: 1,
  exceeded: 2,
};

/** The word that stands after one more reading: the same object where there is nothing to tell. */
export function lagWordAfter(
  word: LagReading | null,
  reading: LagReading,
  rules: LagRules,
): LagReading | null {
  if (word === null) {
    return reading.lagMs === null ? null : reading;
  }
  const change = lagChange(word, reading, rules);
  const isRested = reading.measuredAt - word.measuredAt >= FALL_REST_MS;
  const isTold = change === 'worse' || (change === 'better' && (isRested || rules.isWaitedFor));
  return isTold ? reading : word;
}

/** Whether a reading says anything else than the word that stands. */
export function lagChange(
  word: LagReading,
  reading: LagReading,
  { edges, rpoMs }: LagRules,
): 'worse' | 'better' | 'same' {
  const isKnown = [word.lagMs !== null, reading.lagMs !== null] as const;
  if (isKnown[0] !== isKnown[1]) {
    return 'worse';
  }
  const before = rpoRiskOf(word, rpoMs);
  const horizonMs = RISK_HORIZON_MS * (before.kind === 'rising' ? RISK_CLEAR_FACTOR : 1);
  const risk = RISK_ORDER[rpoRiskOf(reading, rpoMs, horizonMs).kind] - RISK_ORDER[before.kind];
  const band = lagBand(reading.lagMs, edges) - lagBand(word.lagMs, edges);
  if (risk > 0 || band > 0) {
    return 'worse';
  }
  return risk < 0 || band < 0 ? 'better' : 'same';
}

/** The words of one source with one more, bounded. Older ones than the last are dropped. */
export function withLag(lags: readonly CommittedLag[], lag: CommittedLag): readonly CommittedLag[] {
  const own = lags.filter(({ source }) => source === lag.source);
  const last = own.at(-1);
  if (last !== undefined && last.measuredAt >= lag.measuredAt) {
    return lags;
  }
  const dropped = new Set(own.slice(0, Math.max(0, own.length + 1 - LAGS_KEPT_MAX)));
  return [...lags.filter((known) => !dropped.has(known)), lag];
}

/** The last word of a source; undefined = none yet. */
export function lastLag(
  lags: readonly CommittedLag[] | undefined,
  source: LagSource,
): CommittedLag | undefined {
  return lags?.findLast((lag) => lag.source === source);
}

/**
 * How near the objective is at a standby, by each word that counts: what an active site says of itself
 * does not, nor what was measured after the active one fell silent, which is its silence.
 */
export function standingRisks(
  service: ServiceState,
  site: string,
): readonly { readonly lag: CommittedLag; readonly risk: RpoRisk }[] {
  if (site === service.activeSite) {
    return [];
  }
  const lags = ownValue(service.sites, site)?.lags ?? [];
  const until = lastSignOfLife(service);
  return REPLICATION_SOURCES.flatMap((source) => {
    const lag = until === null ? lastLag(lags, source) : wordAt(lags, source, until);
    return lag === undefined || lag === null
      ? []
      : [{ lag, risk: rpoRiskOf(lag, service.policy.objectives.rpoMs) }];
  });
}

/** The worst of them. */
export function standingRisk(service: ServiceState, site: string): RpoRisk {
  const risks = standingRisks(service, site).map(({ risk }) => risk);
  return risks.toSorted((a, b) => RISK_ORDER[b.kind] - RISK_ORDER[a.kind])[0] ?? { kind: 'none' };
}

/** For people. */
export function riskSentence(
  risk: RpoRisk,
  { lagMs, rpoMs }: { readonly lagMs: number | null; readonly rpoMs: number },
): string {
  const lag =
    lagMs === null ? 'replication lag unknown' : `replication lag ${formatElapsed(lagMs)}`;
  switch (risk.kind) {
    case 'none':
      return `${lag}, no risk to the RPO of ${formatElapsed(rpoMs)}`;
    case 'rising':
      return `${lag} and rising; above the RPO of ${formatElapsed(rpoMs)} in ${formatElapsed(risk.inMs)}`;
    case 'exceeded':
      return `${lag} is above the RPO of ${formatElapsed(rpoMs)}`;
  }
}
