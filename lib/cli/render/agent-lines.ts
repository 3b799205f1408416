/** What `tripoint agent` says: each event as one line for people, or as one JSON document. */

import type { Epoch, SiteRole } from '../../agent/role.ts';
import type { SidecarEvent, SidecarState } from '../../agent/sidecar.ts';
import { describeOutcome } from '../../agent/site-check.ts';
import { formatDuration } from '../../config/duration.ts';
import { printable } from './style.ts';

/** One line without an end; holds no control characters, whatever a child or a region wrote. */
export function agentLine(event: SidecarEvent): string {
  return printable(sentenceOf(event));
}

/** Members of the document beside `at` and `event`. Stable: scripts read them. */
export function agentDocument(event: SidecarEvent): Readonly<Record<string, unknown>> {
  switch (event.kind) {
    case 'role':
      return { ...roleMembers(event.role), reason: event.reason };
    case 'check':
      return { ...event.finding };
    case 'problem':
      return { ...event.problem };
    case 'state':
      return stateMembers(event.state);
    case 'hook-started':
      return { action: event.action, ...roleMembers(event.goal.role), reason: event.goal.reason };
    case 'hook-ended': {
      const { action, goal, outcome, tookMs, retryMs } = event;
      const detail = describeOutcome(outcome);
      return { action, reason: goal.reason, outcome: outcome.kind, detail, tookMs, retryMs };
    }
    case 'stopped':
      return { toldRegions: event.toldRegions, isDemoted: event.isDemoted };
  }
}

function sentenceOf(event: SidecarEvent): string {
  switch (event.kind) {
    case 'role':
      return `role ${roleText(event.role)} (${event.reason})`;
    case 'check':
      return `check ${event.finding.status}: ${event.finding.detail}`;
    case 'problem':
      return `${event.problem.code} ${event.problem.endpoint ?? ''}: ${event.problem.detail}`;
    case 'state':
      return stateText(event.state);
    case 'hook-started':
      return `${event.action} begins for ${roleText(event.goal.role)} (${event.goal.reason})`;
    case 'hook-ended': {
      const { action, outcome, tookMs, retryMs } = event;
      const next = retryMs === null ? '' : `; again in ${formatDuration(retryMs)}`;
      return `${action} ended after ${Math.round(tookMs)} ms: ${describeOutcome(outcome)}${next}`;
    }
    case 'stopped':
      return event.isDemoted
        ? `stopped; ${event.toldRegions} regions told`
        : 'stopped; the site could not be demoted, so it did not say goodbye';
  }
}

function stateText(state: SidecarState): string {
  const { status, answeringRegions, regions, sequence, leaseLeftMs } = state;
  const answering = `${answeringRegions} of ${regions} regions answer`;
  const lease = `lease ${Math.round(leaseLeftMs)} ms`;
  return `${roleText(state.role)}, ${status}, ${answering}, beat ${sequence}, ${lease}`;
}

function stateMembers(state: SidecarState) {
  return { ...state, ...roleMembers(state.role), leaseLeftMs: Math.round(state.leaseLeftMs) };
}

function roleMembers({ role, epoch }: SiteRole) {
  return { role, epoch };
}

function roleText({ role, epoch }: SiteRole): string {
  return epoch === null ? role : `${role} at ${epochText(epoch)}`;
}

function epochText({ term, index }: Epoch): string {
  return `term ${term}, index ${index}`;
}
