/**
 * What an observer knows of a site beside its heartbeats: its own probes, and what callers report.
 *
 * Heartbeats say *alive*, probes say *serving*, callers say *useful* (gray failures, HotOS 2017:
 * the detector sees healthy while an application sees sick). Neither replaces the other.
 */
import type { EpochMillis } from '../base/identifiers.ts';

/** Why a probe came out as it did. */
export type ProbeCode =
  | 'passed'
  /** Nobody listens there: as good as a death certificate of the process. */
  | 'connection-refused'
  | 'timed-out'
  | 'unreachable'
  | 'status-unexpected'
  | 'body-mismatch'
  | 'too-slow'
  | 'certificate-invalid'
  | 'certificate-expires-soon'
  | 'name-unresolved'
  | 'answer-unexpected'
  /** This observer could not probe: no slot free, its own fault. Says nothing about the site. */
  | 'not-probed';

/** The state of a site's probes at one observer, after hysteresis. */
export interface ProbeFinding {
  readonly state: 'passing' | 'failing' | 'inconclusive';
  readonly code: ProbeCode;
  /** For people: which probe, and what it met. */
  readonly detail: string;
  /** End of the newest probe that counts. */
  readonly checkedAt: EpochMillis;
}

/** What the callers of a site said lately. */
export interface CallerFinding {
  readonly state: 'content' | 'troubled';
  readonly failing: number;
  readonly total: number;
  readonly detail: string;
}

/** What is at hand about one site when it is judged; null = nothing. */
export interface SiteEvidence {
  readonly probe: ProbeFinding | null;
  readonly callers: CallerFinding | null;
}

export const NO_EVIDENCE: SiteEvidence = { probe: null, callers: null };
