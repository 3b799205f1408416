/**
 * What a row of probe results says of a site: hysteresis, pace and age, as a pure core.
 *
 * One failed probe is weather, several in a row are a finding: `fall` failures convict and `rise`
 * passes acquit, counted without a gap. The first pass at birth is trusted at once, because a site
 * that answers needs no probation, while a first failure may be a start that is not over. A result
 * that is no result (this observer could not probe) counts for neither side.
 *
 * A site counts as *passing* only while its newest result passed: one that just failed once is
 * inconclusive, so that it neither degrades a site that beats nor vouches for one that fell silent.
 *
 * Invariant: between two findings `failing` lie at least `rise` passes, between two `passing`
 * standings at least `fall` failures. Fast down and slow up as in NLB, Consul and Envoy's active
 * checks; Envoy also has the interval for unhealthy targets.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { assertNever, invariant } from '../base/invariant.ts';
import type { ProbeCode, ProbeFinding } from './evidence.ts';
import { PROBE_LIMITS } from './limits.ts';

/** How often a probe runs, how long it may take, and how many results in a row it takes. */
export interface ProbePace {
  /** Between two probes of a site that passes. */
  readonly intervalMs: number;
  /** Of one probe as a whole; below `intervalMs`. */
  readonly timeoutMs: number;
  /** Passes in a row that end a failing standing, 1 or more. */
  readonly rise: number;
  /** Failures in a row that begin one, 1 or more. */
  readonly fall: number;
}

/** The outcome of one probe. A pass may carry a warning: `certificate-expires-soon`. */
export interface ProbeResult {
  readonly outcome: 'passed' | 'failed' | 'not-probed';
  readonly code: ProbeCode;
  /** For people: which probe, and what it met. */
  readonly detail: string;
  readonly endedAt: EpochMillis;
}

export interface ProbeState {
  readonly standing: 'unproven' | 'passing' | 'failing';
  /** Results in a row that contradict the standing, below `rise` or `fall`. */
  readonly contrary: number;
  /** The newest result that counts; before there is one, the newest that does not. */
  readonly newest: ProbeResult | null;
  /** The newest result that agrees with the standing: why it is what it is. */
  readonly telling: ProbeResult | null;
}

export const UNPROBED: ProbeState = {
  standing: 'unproven',
  contrary: 0,
  newest: null,
  telling: null,
};

/** The state after one more result. */
export function afterProbe(state: ProbeState, result: ProbeResult, pace: ProbePace): ProbeState {
  invariant(pace.rise >= 1 && pace.fall >= 1, 'probe-pace-counts', { ...pace });
  switch (result.outcome) {
    case 'not-probed':
      return isConclusive(state.newest) ? state : { ...state, newest: result };
    case 'passed':
      return state.standing === 'failing'
        ? contradicted(state, result, { standing: 'passing', needed: pace.rise })
        : { standing: 'passing', contrary: 0, newest: result, telling: result };
    case 'failed':
      return state.standing === 'failing'
        ? { ...state, contrary: 0, newest: result, telling: result }
        : contradicted(state, result, { standing: 'failing', needed: pace.fall });
    default:
      return assertNever(result.outcome);
  }
}

function contradicted(
  state: ProbeState,
  result: ProbeResult,
  turn: { readonly standing: 'passing' | 'failing'; readonly needed: number },
): ProbeState {
  const contrary = state.contrary + 1;
  return contrary >= turn.needed
    ? { standing: turn.standing, contrary: 0, newest: result, telling: result }
    : { ...state, contrary, newest: result };
}

/** Whether the next results may change the standing, so that they should come soon. */
export function isUnsettled({ standing, contrary }: ProbeState): boolean {
  return standing === 'unproven' || contrary > 0;
}

/**
 * Time until the next probe.
 *
 * @param draw in [0, 1): the jitter, so that a fleet that was configured at once does not stay in step.
 * @param isUrgent somebody waits for this finding: confirm at the shortest pace.
 */
export function probePauseMs(
  state: ProbeState,
  pace: ProbePace,
  { draw, isUrgent }: { readonly draw: number; readonly isUrgent: boolean },
): number {
  const { urgentPauseMs, hurriedPauseMsMin, hurriedShare, jitterShare } = PROBE_LIMITS;
  if (isUrgent && isUnsettled(state)) {
    return urgentPauseMs;
  }
  const hurriedMs = Math.min(
    pace.intervalMs,
    Math.max(hurriedPauseMsMin, pace.intervalMs * hurriedShare),
  );
  const isCalm = state.standing === 'passing' && state.contrary === 0;
  const pauseMs = isCalm ? pace.intervalMs : hurriedMs;
  return Math.round(pauseMs * (1 - jitterShare + 2 * jitterShare * draw));
}

/** How new an answer must be for somebody who waits for one: while it is, nobody asks again. */
export function vigilPauseMs(state: ProbeState): number {
  return isUnsettled(state) ? PROBE_LIMITS.urgentPauseMs : PROBE_LIMITS.vigilPauseMs;
}

/** After this without a result that counts, a standing says nothing any more. */
export function staleAfterMs({ intervalMs, timeoutMs }: ProbePace): number {
  return PROBE_LIMITS.staleIntervals * intervalMs + timeoutMs;
}

/** One probe of a site, as it stands. */
export interface StandingProbe {
  readonly state: ProbeState;
  readonly pace: ProbePace;
  /** Whether a pass proves that the site itself answers; a name that resolves does not. */
  readonly provesService: boolean;
}

/**
 * All probes of one site as one finding; null when it has none.
 *
 * One that fails makes the site fail, a refused connection being the most telling. The site passes
 * when no probe contradicts and one of those that reach it passes.
 */
export function siteFinding(
  probes: readonly StandingProbe[],
  now: EpochMillis,
): ProbeFinding | null {
  const findings = probes.map((probe) => findingOf(probe, now));
  const [first] = findings;
  if (first === undefined) {
    return null;
  }
  const failing = findings.filter(({ state }) => state === 'failing');
  const refused = failing.find(({ code }) => code === 'connection-refused');
  const doubted = findings.find(({ state, code }) => state === 'inconclusive' && isFailure(code));
  const proven = findings
    .filter(({ state }, place) => state === 'passing' && probes[place]?.provesService === true)
    .sort((left, right) => right.checkedAt - left.checkedAt);
  const warned = proven.find(({ code }) => code !== 'passed');
  const known = refused ?? failing[0] ?? doubted ?? warned ?? proven[0];
  // Where only names resolve, nothing is known to be wrong and nothing is known to serve.
  return known ?? { ...first, state: 'inconclusive' };
}

function isFailure(code: ProbeCode): boolean {
  return code !== 'passed' && code !== 'not-probed' && code !== 'certificate-expires-soon';
}

function findingOf({ state, pace }: StandingProbe, now: EpochMillis): ProbeFinding {
  const { newest, telling, standing, contrary } = state;
  if (newest === null) {
    return { state: 'inconclusive', code: 'not-probed', detail: 'not probed yet', checkedAt: now };
  }
  const { endedAt } = newest;
  const ageMs = now - endedAt;
  if (ageMs > staleAfterMs(pace)) {
    const detail = `no probe ended for ${Math.round(ageMs / 1000)} s`;
    return { state: 'inconclusive', code: 'not-probed', detail, checkedAt: endedAt };
  }
  if (telling === null || (standing === 'passing' && contrary > 0)) {
    const count = contrary === 0 ? '' : ` (${contrary} of ${pace.fall} in a row)`;
    const detail = `${newest.detail}${count}`;
    return { state: 'inconclusive', code: newest.code, detail, checkedAt: endedAt };
  }
  const count = contrary === 0 ? '' : `; since then ${contrary} of ${pace.rise} passed`;
  const detail = `${telling.detail}${count}`;
  const settled = standing === 'failing' ? 'failing' : 'passing';
  return { state: settled, code: telling.code, detail, checkedAt: epochMillis(endedAt) };
}

function isConclusive(result: ProbeResult | null): boolean {
  return result !== null && result.outcome !== 'not-probed';
}
