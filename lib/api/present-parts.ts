/** Parts that services and monitors share as JSON: opinions, verdicts, observations, instants. */
import type { EpochMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import type { LiveObservation } from '../control/control-plane.ts';
import { NO_DEADLINE } from '../detection/schedule.ts';
import type { CommittedVerdict, SiteState } from '../recovery/state.ts';
import type { ObservationJson, VerdictJson } from './schema-parts.ts';
import type { SiteJson } from './schemas.ts';

/** What the log says of a site of any kind. */
type Standing = Pick<SiteState, 'verdicts' | 'opinion' | 'opinionSince'>;

export function presentOpinion(state: Standing | undefined): SiteJson['opinion'] {
  return state === undefined
    ? { state: 'pending', code: 'never-heard', sentence: 'nothing is known yet', sinceAt: null }
    : {
        state: state.opinion.state,
        code: state.opinion.code,
        sentence: state.opinion.sentence,
        sinceAt: rfc3339OrNull(state.opinionSince),
      };
}

/** In the order of the configured observers; one that said nothing is absent. */
export function presentVerdicts(
  state: Standing | undefined,
  { observers }: { readonly observers: readonly string[] },
): VerdictJson[] {
  return observers.flatMap((observer) => {
    const committed = state === undefined ? undefined : ownValue(state.verdicts, observer);
    return committed === undefined ? [] : presentVerdict(observer, committed);
  });
}

function presentVerdict(observer: string, { verdict, at, index }: CommittedVerdict): VerdictJson {
  return {
    observer,
    state: verdict.state,
    code: verdict.code,
    sentence: verdict.sentence,
    phi: rounded(verdict.phi),
    lastBeatAt: rfc3339OrNull(verdict.lastArrivalAt),
    at: rfc3339(at),
    index,
  };
}

export function presentObservation(observation: LiveObservation): ObservationJson {
  return {
    phi: rounded(observation.phi),
    silentMs: observation.silentMs === null ? null : Math.max(0, Math.round(observation.silentMs)),
    lastBeatAt: rfc3339OrNull(observation.lastBeatAt),
    suspectAt: deadline(observation.suspectAt),
    failAt: deadline(observation.failAt),
    replicationLagMs: observation.replicationLagMs,
    sentence: observation.sentence,
  };
}

/** RFC 3339 in UTC with milliseconds. An instant no calendar can write becomes the epoch. */
export function rfc3339(instant: EpochMillis): string {
  return new Date(isWritable(instant) ? instant : 0).toISOString();
}

/** φ beyond every threshold says nothing more, and JSON has no infinity. */
const PHI_SHOWN_MAX = 300;

/** Where nothing is due by time alone, a record holds an instant that never comes. */
function deadline(at: EpochMillis | null): string | null {
  return at === NO_DEADLINE ? null : rfc3339OrNull(at);
}

function rounded(phi: number): number {
  return Number.isNaN(phi) ? 0 : Math.round(Math.min(phi, PHI_SHOWN_MAX) * 100) / 100;
}

export function rfc3339OrNull(instant: EpochMillis | null): string | null {
  return instant === null || !isWritable(instant) ? null : rfc3339(instant);
}

/** The range of dates in ECMAScript. */
function isWritable(instant: number): boolean {
  return Math.abs(instant) <= 8.64e15;
}
