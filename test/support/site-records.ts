/** Site records as values, for tests of whatever stores them. */
import { epochMillis } from '../../lib/base/identifiers.ts';
import type { SiteRecord } from '../../lib/control/health-store.ts';
import {
  type ArrivalWindow,
  startWindow,
  withIntervals,
} from '../../lib/detection/arrival-window.ts';

const STARTED_AT = 1_790_000_000_000;

/** A site that beat once, with whatever is given instead. */
export function siteRecord(changes: Partial<SiteRecord> = {}): SiteRecord {
  return {
    service: 'checkout',
    site: 'us-east-1',
    revision: 0,
    window: startWindow(
      { bootId: 'boot-1', sequence: 1, arrivedAt: epochMillis(STARTED_AT) },
      1000,
    ),
    reportedStatus: 'ok',
    replicationLagMs: null,
    suspectAt: epochMillis(STARTED_AT + 8000),
    failAt: epochMillis(STARTED_AT + 12_000),
    ...changes,
  };
}

/** As large as a record gets: full window, previous boot, the longest names and boot ids. */
export function fullSiteRecord(): SiteRecord {
  const { window } = siteRecord();
  const full: ArrivalWindow = {
    ...withIntervals(
      window,
      Uint16Array.from({ length: 200 }, (_, place) => 65_535 - place),
    ),
    bootId: 'b'.repeat(64),
    lastSequence: Number.MAX_SAFE_INTEGER,
    lastArrivalAt: epochMillis(STARTED_AT + 0.123),
    previousBoot: { bootId: 'p'.repeat(64), lastSequence: Number.MAX_SAFE_INTEGER - 1 },
    received: 2 ** 32 - 1,
    lost: 2 ** 32 - 1,
  };
  return siteRecord({
    service: 's'.repeat(40),
    site: 't'.repeat(40),
    window: full,
    replicationLagMs: 123_456_789.125,
    reportedStatus: 'degraded',
  });
}
