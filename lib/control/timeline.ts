/** The timeline that people read: one sentence per thing that happened. Pure. */

import type { EpochMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { isReady } from '../recovery/analysis.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import type { Moment } from '../recovery/machine.ts';
import type { Run } from '../recovery/run.ts';
import type { RecoveryState, ServiceState, TimelineEvent } from '../recovery/state.ts';
import type { Finish } from '../recovery/step-claims.ts';
import { sharesText } from '../recovery/traffic.ts';

export interface Happening {
  readonly service: string;
  readonly kind: string;
  readonly sentence: string;
}

/** Appends events; the oldest fall off at the limit. */
export function withEvents(
  state: RecoveryState,
  happenings: readonly Happening[],
  { index, at }: { readonly index: Moment['index']; readonly at: EpochMillis },
): RecoveryState {
  if (happenings.length === 0) {
    return state;
  }
  const events: readonly TimelineEvent[] = happenings.map((happening) => ({
    index,
    at,
    ...happening,
  }));
  return {
    ...state,
    timeline: [...state.timeline, ...events].slice(-RUN_LIMITS.timelineEventsMax),
  };
}

/** What changed between two states of one service, in the order a reader wants it. */
export function changesOf(before: ServiceState | null, after: ServiceState): readonly Happening[] {
  const { service } = after.policy;
  const opinions = Object.entries(after.sites).flatMap(([site, { opinion }]) =>
    before !== null && opinion.state !== ownValue(before.sites, site)?.opinion.state
      ? [{ service, kind: 'opinion', sentence: `${site} is ${opinion.state}: ${opinion.sentence}` }]
      : [],
  );
  const isDecided =
    after.decision !== null &&
    (after.decision.code !== before?.decision?.code || after.decision.kind === 'act') &&
    after.decision.index !== before?.decision?.index;
  const decision =
    isDecided && after.decision !== null
      ? [
          {
            service,
            kind: after.decision.kind,
            sentence: `${after.decision.code}: ${after.decision.sentence}`,
          },
        ]
      : [];
  return [...opinions, ...decision, ...dueOf(before, after), ...protectionOf(before, after)];
}

/**
 * Told when it changes: nobody looks at a standby as long as all is well. After what was decided: it
 * is mostly a failover that leaves a service without a standby.
 */
function protectionOf(before: ServiceState | null, after: ServiceState): readonly Happening[] {
  const [was, is] = [before?.unprotectedSince ?? null, after.unprotectedSince];
  if (before === null || (was === null) === (is === null)) {
    return [];
  }
  const { service } = after.policy;
  return is === null
    ? [{ service, kind: 'protected', sentence: 'another site could take the traffic' }]
    : [{ service, kind: 'unprotected', sentence: unprotectedSentence(after) }];
}

/**
 * While a run moves the traffic to a site that is well, "no other site" would read as if that run had
 * nowhere to go: what is missing then is whatever stands by behind it.
 */
function unprotectedSentence(service: ServiceState): string {
  const { phase, activeSite } = service;
  return 'run' in phase && isReady(service, activeSite)
    ? `after run ${phase.run} nothing stands by behind ${activeSite}`
    : `no other site could take the traffic of ${activeSite}`;
}

/** A person is asked to look. */
function dueOf(before: ServiceState | null, after: ServiceState): readonly Happening[] {
  const { acknowledgement, policy } = after;
  const isNew = acknowledgement !== null && acknowledgement.run !== before?.acknowledgement?.run;
  const sentence = `run ${acknowledgement?.run} is to be acknowledged before another starts by itself`;
  return isNew ? [{ service: policy.service, kind: 'acknowledgement-due', sentence }] : [];
}

export function runStarted(run: Run): Happening {
  return {
    service: run.service,
    kind: 'run-started',
    sentence: `run ${run.id} (${run.kind}, ${run.trigger}): ${routeOf(run)}; ${run.reason}`,
  };
}

/** From where to where; in shares where several sites serve, before or after. */
function routeOf({ from, to, before, traffic }: Run): string {
  const shares = [before, traffic];
  const isShared = shares.some(
    (each) => Object.values(each).filter((share) => share > 0).length > 1,
  );
  const [left = from, right = to] = isShared ? shares.map(sharesText) : [from, to];
  return left === right ? right : `${left} → ${right}`;
}

/** A step that did not work out yet: at the first attempt, then ever more rarely. */
export function stepWaits(
  { id, service, steps }: Run,
  { step, attempt, result }: Pick<Finish, 'step' | 'attempt' | 'result'>,
): readonly Happening[] {
  if (result.kind !== 'again' || !Number.isInteger(Math.log2(attempt))) {
    return [];
  }
  const attemptsMax = steps.find(({ name }) => name === step)?.attemptsMax ?? attempt;
  const sentence = `${step} of run ${id} not yet: ${result.code} (attempt ${attempt} of ${attemptsMax})`;
  return [{ service, kind: 'step-again', sentence }];
}

export function runEnded(run: Run): readonly Happening[] {
  const { service, id, outcome } = run;
  switch (outcome.kind) {
    case 'open':
      return [];
    case 'done': {
      const but = outcome.exceptions.length === 0 ? '' : `, but ${outcome.exceptions.join(', ')}`;
      return [{ service, kind: 'run-done', sentence: `run ${id} is done${but}` }];
    }
    case 'failed':
      return [{ service, kind: 'run-failed', sentence: `run ${id} failed: ${outcome.code}` }];
  }
}
