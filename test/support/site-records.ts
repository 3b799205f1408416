/** Site records as values, for tests of whatever stores them. */
import { epochMillis, logIndex, term } from '../../lib/base/identifiers.ts';
import type { SiteRecord } from '../../lib/control/health-store.ts';
import { type ArrivalWindow, startWindow } from '../../lib/detection/arrival-window.ts';
import { type ForecastMemory, NO_FORECAST } from '../../lib/detection/forecast.ts';
import { Intervals } from '../../lib/detection/intervals.ts';
import type { JobRecord } from '../../lib/detection/job.ts';
import { FORMER_BOOTS_MAX } from '../../lib/detection/limits.ts';

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
    replicationLagWrites: null,
    lagWord: null,
    acknowledgedEpoch: null,
    fencedSince: null,
    suspectAt: epochMillis(STARTED_AT + 8000),
    failAt: epochMillis(STARTED_AT + 12_000),
    wakesOnBeat: false,
    forecast: NO_FORECAST,
    job: null,
    ...changes,
  };
}

/** As large as a record gets: full window, former boots, the longest names and boot ids. */
export function fullSiteRecord(): SiteRecord {
  const { window } = siteRecord();
  const full: ArrivalWindow = {
    ...window,
    intervals: Intervals.of(Uint16Array.from({ length: 200 }, (_, place) => 65_535 - place)),
    bootId: 'b'.repeat(64),
    lastSequence: Number.MAX_SAFE_INTEGER,
    lastArrivalAt: epochMillis(STARTED_AT + 0.123),
    formerBoots: Array.from({ length: FORMER_BOOTS_MAX }, (_, place) => ({
      hash: 0xffffffff - place,
      lastSequence: Number.MAX_SAFE_INTEGER - 1 - place,
    })),
    received: 2 ** 32 - 1,
    lost: 2 ** 32 - 1,
  };
  return siteRecord({
    service: 's'.repeat(63),
    site: 't'.repeat(63),
    window: full,
    replicationLagMs: 123_456_789.125,
    replicationLagWrites: Number.MAX_SAFE_INTEGER,
    lagWord: {
      lagMs: 123_456_792,
      writes: 2 ** 40,
      measuredAt: epochMillis(STARTED_AT + 0.5),
      risingMsPerMinute: 60_000.125,
    },
    acknowledgedEpoch: { term: term(2 ** 31), index: logIndex(2 ** 40) },
    fencedSince: epochMillis(STARTED_AT + 0.75),
    reportedStatus: 'degraded',
    wakesOnBeat: true,
    forecast: fullForecast(),
  });
}

/** A job that said everything it can say, in the longest words that are kept. */
export function fullJobRecord(): JobRecord {
  return {
    lastStartedAt: epochMillis(STARTED_AT + 0.25),
    lastSucceededAt: epochMillis(STARTED_AT + 1),
    lastFailedAt: epochMillis(STARTED_AT + 2),
    runningSince: epochMillis(STARTED_AT + 0.25),
    unfinishedSince: epochMillis(STARTED_AT + 0.125),
    exitCode: 255,
    message: 'm'.repeat(200),
  };
}

/** A memory of the early warning with every number in use. */
export function fullForecast(): ForecastMemory {
  return {
    code: 'lag-rising',
    since: epochMillis(STARTED_AT),
    lossFast: 0.25,
    lossSlow: 0.125,
    lagFastMs: 123_456,
    lagSlowMs: 65_536.5,
    pausesMs: [2000, 2500, 3000, 4000.5],
    pausedAt: epochMillis(STARTED_AT + 1.5),
  };
}
