/**
 * Replication lag on its way into the log: what a beat makes of the word that stands in the record,
 * and what an observer tells. What the entry does, `lag-commands.ts` says.
 *
 * All regions hear the same beats and come to the same word, so the first to speak speaks for all: the
 * others find their word in the log already. An older word never replaces a newer one.
 */

import type { ArrivalWindow } from '../detection/arrival-window.ts';
import { type ForecastMemory, lagRiseMsPerMinute } from '../detection/forecast.ts';
import {
  type LagReading,
  type LagRules,
  lagChange,
  lagEdgesOf,
  lagWordAfter,
  lastLag,
} from '../recovery/replication.ts';
import type { ServiceState } from '../recovery/state.ts';
import type { SiteRecord } from './health-store.ts';
import type { WatchedSite } from './watched-sites.ts';

export function lagRulesOf({ policy, phase }: ServiceState): LagRules {
  return {
    edges: lagEdgesOf(policy),
    rpoMs: policy.objectives.rpoMs,
    isWaitedFor: 'run' in phase,
  };
}

/** What the record says of the lag after a beat. */
export function lagWordOf(
  known: SiteRecord | null,
  heard: {
    readonly said: Pick<SiteRecord, 'replicationLagMs' | 'replicationLagWrites'>;
    readonly window: ArrivalWindow;
    readonly forecast: ForecastMemory;
  },
  { detection, lagRules }: WatchedSite,
): LagReading | null {
  if (lagRules === null) {
    return null;
  }
  const { said, window, forecast } = heard;
  const { intervalMs } = detection;
  const newestMs = said.replicationLagMs;
  const reading: LagReading = {
    lagMs: single(newestMs),
    writes: single(said.replicationLagWrites),
    measuredAt: window.lastArrivalAt,
    risingMsPerMinute: single(lagRiseMsPerMinute(forecast, { newestMs, intervalMs })),
  };
  return lagWordAfter(known?.lagWord ?? null, reading, lagRules);
}

/** Single precision, so that it is stored exactly. */
function single(value: number | null): number | null {
  return value === null ? null : Math.fround(value);
}

/** What this observer knows of the lag that the log does not say; null = nothing. */
export function newLagOf(
  { lagRules, lags }: WatchedSite,
  record: SiteRecord | null,
): LagReading | null {
  const word = record?.lagWord ?? null;
  if (word === null || lagRules === null) {
    return null;
  }
  const last = lastLag(lags, 'heartbeats');
  if (last === undefined) {
    return word;
  }
  const isNewer = word.measuredAt > last.measuredAt;
  return isNewer && lagChange(last, word, lagRules) !== 'same' ? word : null;
}
