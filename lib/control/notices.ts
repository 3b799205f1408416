/**
 * Which of what happened is told to people, and to whom. Pure.
 *
 * The timeline of the state is the source, so what is told is what the log says, in its words. A run
 * that waits for a person is no event of the timeline: the entry that opened its `approve` step is.
 */
import type { EpochMillis, LogIndex } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import type { Notice } from '../recovery/action-ports.ts';
import type { Moment } from '../recovery/machine.ts';
import type { NotificationTarget } from '../recovery/plan.ts';
import { openSteps } from '../recovery/run.ts';
import type { RecoveryState, TimelineEvent } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { ALL_SERVICES } from './expiries.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { withEvents } from './timeline.ts';

/** Kinds of events that are told, with what they are called in a subject. */
const SUBJECTS: { readonly [kind: string]: string | undefined } = {
  'run-started': 'a run begins',
  'run-done': 'a run is done',
  'run-failed': 'a run failed',
  cancelled: 'a run was cancelled',
  approved: 'a run was approved',
  rejected: 'a run was rejected',
  refuse: 'a site failed and nothing moves',
  'approval-due': 'a run waits for a second person',
  'acknowledgement-due': 'a run waits to be acknowledged',
  unprotected: 'unprotected',
  protected: 'protected again',
  replication: 'replication',
  freeze: 'freeze',
  'freeze-expired': 'a freeze is over',
  override: 'a safety rule is set aside',
  'override-expired': 'a safety rule holds again',
  'override-ended': 'a safety rule holds again',
};

/** One notice for one target. */
export interface DueNotice {
  /** The entry that it is about: what is told up to here is not told again. */
  readonly index: number;
  /** The same whenever this is sent again, by whichever region. */
  readonly token: string;
  readonly target: NotificationTarget;
  readonly notice: Notice;
}

/** What is not told yet, oldest first; at most as much as one pass may send. */
export function dueNotices(
  state: RecoveryState,
  { now, clusterId }: { readonly now: EpochMillis; readonly clusterId: string },
): readonly DueNotice[] {
  const through = state.notifiedThrough ?? 0;
  const oldest = now - CONTROL_LIMITS.noticeAgeMsMax;
  const events = [...state.timeline, ...approvalsDue(state)]
    .filter(({ index, at }) => index > through && at >= oldest)
    .filter((event) => isTold(state, event))
    .sort((a, b) => a.index - b.index);
  const due = events.flatMap((event) =>
    targetsOf(state, event.service).map((target) => noticeOf(event, target, clusterId)),
  );
  return wholeEntries(due);
}

/** A refusal is news only while a failed site stands there unrecovered. */
function isTold(state: RecoveryState, { kind, service }: TimelineEvent): boolean {
  const phase = ownValue(state.services, service)?.phase;
  return kind === 'refuse' ? phase?.kind === 'impaired' : SUBJECTS[kind] !== undefined;
}

function approvalsDue({ runs }: RecoveryState): readonly TimelineEvent[] {
  return runs
    .filter(({ outcome }) => outcome.kind === 'open')
    .flatMap((run) =>
      openSteps(run).flatMap(({ action, name, epoch, openedAt }) =>
        action.kind === 'approve' && epoch !== null && openedAt !== null
          ? [
              {
                index: epoch.index,
                at: openedAt,
                service: run.service,
                kind: 'approval-due',
                sentence: `run ${run.id} of ${run.requestedBy} waits at ${name}: ${action.sentence}`,
              },
            ]
          : [],
      ),
    );
}

function targetsOf({ services }: RecoveryState, service: string): readonly NotificationTarget[] {
  const policies =
    service === ALL_SERVICES
      ? Object.values(services).map(({ policy }) => policy)
      : [ownValue(services, service)?.policy].filter((policy) => policy !== undefined);
  const targets = policies.flatMap(({ notify }) => notify);
  const keys = targets.map((target) => JSON.stringify(target));
  return targets.filter((_, position) => keys.indexOf(keys[position] ?? '') === position);
}

function noticeOf(
  { index, at, service, kind, sentence }: TimelineEvent,
  target: NotificationTarget,
  clusterId: string,
): DueNotice {
  const about = service === ALL_SERVICES ? 'all services' : service;
  return {
    index,
    token: `${clusterId}/${index}/${service}/${kind}`,
    target,
    notice: {
      subject: `Tripoint: ${about}: ${SUBJECTS[kind] ?? kind}`,
      sentence,
      details: { service, kind, index, at },
    },
  };
}

/** As many as one pass may send, but never a part of what one entry has to tell. */
function wholeEntries(due: readonly DueNotice[]): readonly DueNotice[] {
  const { noticesPerPassMax } = CONTROL_LIMITS;
  const cut = due[noticesPerPassMax];
  if (cut === undefined) {
    return due;
  }
  const whole = due.filter(({ index }) => index < cut.index);
  return whole.length > 0 ? whole : due.filter(({ index }) => index === cut.index);
}

/** How far people were told, and whom it did not reach. Never back: two leaders may both have sent. */
export function recordNotified(
  state: RecoveryState,
  { through, failed }: Extract<ControlCommand, { kind: 'notified' }>,
  moment: Moment,
): RecoveryState {
  const told = failed.map((what) => ({
    service: ALL_SERVICES,
    kind: 'notice-given-up',
    sentence: `nobody could be told: ${what}`,
  }));
  const notifiedThrough = Math.max(through, state.notifiedThrough ?? 0) as LogIndex;
  return withEvents({ ...state, notifiedThrough }, told, moment);
}
