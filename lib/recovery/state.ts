/**
 * What the log says about every protected service: the state that the recovery machine steps.
 *
 * It is a pure function of the committed log, so every region holds the same one. One rule gives
 * the fence its meaning: a service has exactly one `activeSite` in every state, and `epoch` is the
 * (term, index) of the entry that made it so.
 */
import type { EpochMillis, LogIndex, RegionId, Term } from '../base/identifiers.ts';
import type { Forecast } from '../detection/forecast.ts';
import type { Opinion } from '../detection/opinion.ts';
import type { DetectionPolicy } from '../detection/policy.ts';
import type { Verdict } from '../detection/verdict.ts';
import type { AnalysisCode } from './analysis.ts';
import type { DecisionCode } from './decision.ts';
import type { Freeze } from './freeze.ts';
import type { MaintenanceState } from './maintenance.ts';
import type { OverrideState } from './overrides.ts';
import type { MonitorPolicy, ServicePolicy } from './policy.ts';
import type { Finding } from './readiness.ts';
import type { CommittedLag } from './replication.ts';
import type { Run } from './run.ts';
import type { Traffic } from './traffic.ts';

/** (term, index) of the log entry that authorised an effect: the fencing number. */
export interface Epoch {
  readonly term: Term;
  readonly index: LogIndex;
}

/**
 * Where a service stands:
 * - `steady`: the active site serves, as far as the quorum knows;
 * - `impaired`: no run is open, and either the active site failed, or a run did and traffic may
 *   still stand elsewhere than the log says: a person may be needed;
 * - `setting-up`: the run that first makes the name resolve to the active site is open;
 * - `recovering`, `returning`: a failover or a failback run is open;
 * - `rebalancing`: a run that changes the shares of an active-active service is open;
 * - `drilling`: the run that takes the traffic to the drill's site is open;
 * - `practising`: no run is open, and the traffic stands at the drill's site until its time is over;
 * - `drill-returning`: the run that takes it back is open.
 */
export type Phase =
  | { readonly kind: 'steady' }
  | { readonly kind: 'impaired'; readonly cause: 'site-failed' | 'run-failed' }
  | { readonly kind: 'setting-up'; readonly run: string }
  | { readonly kind: 'recovering'; readonly run: string }
  | { readonly kind: 'returning'; readonly run: string }
  | { readonly kind: 'rebalancing'; readonly run: string }
  | { readonly kind: 'drilling'; readonly run: string }
  | { readonly kind: 'practising' }
  | { readonly kind: 'drill-returning'; readonly run: string };

/** One observer's verdict of one site, as committed, with when it was proposed. */
export interface CommittedVerdict {
  readonly verdict: Verdict;
  /** Data not yet on the standby when the site last reported it; null = it reports none. */
  readonly replicationLagMs: number | null;
  readonly at: EpochMillis;
  readonly index: LogIndex;
}

export interface CommittedAlarm {
  readonly name: string;
  readonly state: 'alarm' | 'ok' | 'insufficient-data';
  readonly at: EpochMillis;
  /** The entry that said so. Absent in a state of before it was kept: it is older than every run. */
  readonly index?: LogIndex;
  /** What it was when it last had data. Absent where that is not known. */
  readonly lastKnown?: 'alarm' | 'ok';
  /** When it changed by the clock of its monitor. Absent where that is not known. */
  readonly changedAt?: EpochMillis;
  /** How often it changed lately, as of `at`. Absent where that was not counted. */
  readonly flaps?: number;
}

/** A sign of a failure to come, as one observer sees it. Nothing is decided by it. */
export interface CommittedWarning {
  readonly warning: Forecast;
  readonly at: EpochMillis;
  readonly index: LogIndex;
}

/**
 * A site is watched by other rules than before, or is new. How long it was silent until then was
 * lawful by the old ones, or nobody heard its beats.
 */
export interface WatchChange {
  readonly at: EpochMillis;
  /** The rules of before, at their gentlest where they changed more than once; null = there were none. */
  readonly before: DetectionPolicy | null;
}

export interface SiteState {
  readonly verdicts: { readonly [observer: string]: CommittedVerdict };
  readonly opinion: Opinion;
  /** When the opinion last changed its state. */
  readonly opinionSince: EpochMillis | null;
  /** The entry by which it did. Absent where none did, and in a state of before it was kept. */
  readonly opinionIndex?: LogIndex;
  /** The entry by which the opinion last ceased to be `failed`. Absent where it never did. */
  readonly failedUntilIndex?: LogIndex;
  readonly alarms: readonly CommittedAlarm[];
  /** Early warnings that stand, by observer. Absent where there never was one. */
  readonly warnings?: { readonly [observer: string]: CommittedWarning };
  /** The last one. Absent in a state of before it was kept. */
  readonly watchChange?: WatchChange;
  /** What was told of its replication lag, oldest first. Absent where nothing was. */
  readonly lags?: readonly CommittedLag[];
}

export interface Analysis {
  readonly code: AnalysisCode;
  readonly sentence: string;
}

export interface Decision {
  readonly kind: 'act' | 'refuse';
  readonly code: DecisionCode;
  readonly sentence: string;
  readonly at: EpochMillis;
  readonly index: LogIndex;
}

/** An automatic run that a person has not acknowledged yet. */
export interface DueAcknowledgement {
  readonly run: string;
  readonly since: EpochMillis;
}

/** A practice run that has begun: where the traffic was, and when it goes back there. */
export interface StandingDrill {
  /** The run that took the traffic to the site. */
  readonly run: string;
  readonly site: string;
  /** Shares of before; they are what the return restores. */
  readonly home: { readonly [site: string]: number };
  /** The site that held the authority before. */
  readonly homeSite: string;
  /** null = the run is not done, so the time does not run yet. */
  readonly revertAt: EpochMillis | null;
  readonly durationMs: number;
  /** Returns that failed; after a few nobody tries again by himself. */
  readonly failedReturns: number;
}

/** What the last look at the plans found. */
export interface Readiness {
  readonly at: EpochMillis;
  readonly findings: readonly Finding[];
}

export interface ServiceState extends MaintenanceState, OverrideState {
  readonly policy: ServicePolicy;
  readonly phase: Phase;
  /** Who holds the authority; where several sites serve, the one with the largest share. */
  readonly activeSite: string;
  /** Shares of the traffic as authorised. */
  readonly traffic: Traffic;
  /** False between the withdrawal of an authority and the end of its lease: nobody is active. */
  readonly granted: boolean;
  /** While it is withdrawn: the site that had it last, and whose lease may still run. Absent otherwise. */
  readonly heldBy?: string;
  /** The entry that last changed any of the three. */
  readonly epoch: Epoch;
  readonly sites: { readonly [site: string]: SiteState };
  readonly analysis: Analysis;
  /** The last decision, also the refusals; null before the first. */
  readonly decision: Decision | null;
  readonly lastRunEndedAt: EpochMillis | null;
  /** Starts of automatic runs within the last 24 hours. */
  readonly automaticRunStarts: readonly EpochMillis[];
  /** When a refused decision may come out otherwise though no entry arrives; null = never. */
  readonly reviewAt: EpochMillis | null;
  /** An automatic run that waits to be acknowledged; null = none does. */
  readonly acknowledgement: DueAcknowledgement | null;
  /** Nothing of this service moves by itself; null = it may. */
  readonly freeze: Freeze | null;
  readonly drill: StandingDrill | null;
  /** The newest instant of its drill calendar that was dealt with. Absent before the first. */
  readonly drillOccurrence?: EpochMillis;
  /** Since when no other site could take the traffic; null = one can. */
  readonly unprotectedSince: EpochMillis | null;
  /** A run failed on its way, and none came through since: traffic may stand elsewhere than here. */
  readonly isTrafficInDoubt: boolean;
  /** Shares that a person asked for instead of the policy's; null = the policy's hold. */
  readonly weights: Traffic | null;
  /** null = nobody looked yet. */
  readonly readiness: Readiness | null;
  /** Somebody asked for a look at its plans, and none has come since; absent or null = nobody did. */
  readonly readinessDueAt?: EpochMillis | null;
}

/** What the log says of one site of a monitor. */
export interface MonitorSiteState {
  readonly verdicts: { readonly [observer: string]: CommittedVerdict };
  readonly opinion: Opinion;
  readonly opinionSince: EpochMillis | null;
  /** As in `SiteState`. */
  readonly warnings?: { readonly [observer: string]: CommittedWarning };
  readonly watchChange?: WatchChange;
}

export interface MonitorState {
  readonly policy: MonitorPolicy;
  /** Names of the sites that came into being by their first beat, oldest first. */
  readonly provisioned: readonly string[];
  readonly sites: { readonly [site: string]: MonitorSiteState };
  /** When an opinion may come out otherwise though no entry arrives; null = never. */
  readonly reviewAt: EpochMillis | null;
}

/** What people read as the timeline. */
export interface TimelineEvent {
  readonly index: LogIndex;
  readonly at: EpochMillis;
  readonly service: string;
  readonly kind: string;
  readonly sentence: string;
}

export interface RecoveryState {
  /** People were told of everything up to this entry. Absent before anything was told. */
  readonly notifiedThrough?: LogIndex;
  /** The kill switch of all services; null = none is thrown. */
  readonly freeze: Freeze | null;
  /** The three (or five) control regions that may hold verdicts. */
  readonly observers: readonly RegionId[];
  /** SHA-256 of the configuration in force; null before the first. */
  readonly configHash: string | null;
  readonly services: { readonly [service: string]: ServiceState };
  /** What is watched and never moved, in one namespace of names with the services. */
  readonly monitors: { readonly [service: string]: MonitorState };
  /** Open runs and the latest ended ones, oldest first. */
  readonly runs: readonly Run[];
  /** The latest events, oldest first. */
  readonly timeline: readonly TimelineEvent[];
}
