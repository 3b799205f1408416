/** What the three forms of a heartbeat share: the answer, and whether a body is text. */
import type { EpochMillis } from '../../base/identifiers.ts';
import type { IngestOutcome } from '../../control/control-plane.ts';
import { isScheduled, untilNextRunMs } from '../../control/jobs.ts';
import type { ApiContext } from '../dependencies.ts';
import type { HeartbeatAnswerJson } from '../heartbeat-schemas.ts';
import { rfc3339 } from '../present-parts.ts';
import type { SiteGate } from '../site-gate.ts';

type Accepted = Extract<IngestOutcome, { kind: 'accepted' }>;

interface Answered {
  readonly service: string;
  readonly site: string;
  readonly receivedAt: EpochMillis;
}

/** A job hears when its next run is expected, everything else when to beat again. */
export function beatAnswer(
  gate: Pick<SiteGate, 'find'>,
  { service, site, receivedAt }: Answered,
  { role, epoch, nextBeatMs, leaseMs, isNew }: Accepted,
): HeartbeatAnswerJson {
  const watched = gate.find(service, site);
  const untilRunMs =
    watched !== null && isScheduled(watched) ? untilNextRunMs(watched.schedule, receivedAt) : null;
  return {
    role,
    epoch: epoch === null ? null : { term: epoch.term, index: epoch.index },
    nextBeatMs: untilRunMs ?? nextBeatMs,
    leaseMs,
    duplicate: !isNew,
    receivedAt: rfc3339(receivedAt),
  };
}

const REPLACEMENT = '\uFFFD';

/**
 * Bytes that are no UTF-8 become replacement characters when a body is read as text, and no member of
 * a heartbeat has a use for one. The text is kept by the request, so parsing it reads nothing twice.
 */
export async function isTextBody(c: ApiContext): Promise<boolean> {
  return !(await c.req.text()).includes(REPLACEMENT);
}
