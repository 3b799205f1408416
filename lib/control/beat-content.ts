/**
 * What one heartbeat says, apart from its timing, whatever kind of site it is of.
 *
 * A beat speaks of what it knows. A ping knows nothing of replication, so the lag of the agent beside
 * it stands; a `log` is something to read and nothing more, so it leaves all that was said.
 */
import type { ArrivalWindow, Beat, Ping } from '../detection/arrival-window.ts';
import type { Heartbeat } from './control-plane.ts';
import type { SiteRecord } from './health-store.ts';

type Said = Pick<
  SiteRecord,
  | 'reportedStatus'
  | 'replicationLagMs'
  | 'replicationLagWrites'
  | 'acknowledgedEpoch'
  | 'fencedSince'
>;

type Position = Pick<Heartbeat, 'replicationLagMs' | 'replicationLagWrites' | 'acknowledgedEpoch'>;

const NOTHING_SAID: Position = { replicationLagMs: null };

/** @param before what the beats before it said; null = there was none */
export function saidAfter(before: Said | null, beat: Heartbeat): Said {
  const isLog = beat.job?.kind === 'log';
  const isPing = beat.sequence === null;
  const isFenced = isPing ? before?.fencedSince != null : beat.fenced === true;
  const said: Position = isPing ? (before ?? NOTHING_SAID) : beat;
  const { replicationLagMs, replicationLagWrites = null, acknowledgedEpoch = null } = said;
  return {
    reportedStatus: isLog ? (before?.reportedStatus ?? 'ok') : beat.status,
    replicationLagMs,
    replicationLagWrites,
    acknowledgedEpoch,
    fencedSince: isFenced ? (before?.fencedSince ?? beat.receivedAt) : null,
  };
}

/**
 * Whether a goodbye is of another process than the one that beats. Then it says nothing of the site:
 * it is late, or the old process of a rolling restart ends beside the new one.
 */
export function isGoodbyeOfAnother(beat: Heartbeat, window: ArrivalWindow | null): boolean {
  return beat.status === 'leaving' && beat.bootId !== window?.bootId;
}

export function arrivalOf({ bootId, sequence, receivedAt }: Heartbeat): Beat | Ping {
  return sequence === null
    ? { bootId, sequence, arrivedAt: receivedAt }
    : { bootId, sequence, arrivedAt: receivedAt };
}
