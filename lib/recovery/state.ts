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
import type { MaintenanceState } from './maintenance.ts';
import type { MonitorPolicy, ServicePolicy } from './policy.ts';
import type { Run } from './run.ts';

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
 * - `recovering`, `returning`: a failover or a failback run is open.
 */
export type Phase =
  | { readonly kind: 'steady' }
  | { readonly kind: 'impaired'; readonly cause: 'site-failed' | 'run-failed' }
  | { readonly kind: 'setting-up'; readonly run: string }
  | { readonly kind: 'recovering'; readonly run: string }
  | { readonly kind: 'returning'; readonly run: string };

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
  /** When the opinion last ceased to be `failed`. Absent where it never did. */
  readonly failedUntil?: EpochMillis;
  readonly alarms: readonly CommittedAlarm[];
  /** Early warnings that stand, by observer. Absent where there never was one. */
  readonly warnings?: { readonly [observer: string]: CommittedWarning };
  /** The last one. Absent in a state of before it was kept. */
  readonly watchChange?: WatchChange;
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

export interface ServiceState extends MaintenanceState {
  readonly policy: ServicePolicy;
  readonly phase: Phase;
  readonly activeSite: string;
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
