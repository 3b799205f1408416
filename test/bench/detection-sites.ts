/**
 * What a site takes: bytes in the table, bytes in memory, and the deadlines of a million sites.
 *
 * A million sites are held as production holds what it does not work on: as their table items'
 * histories, each with 200 intervals of its own, and as the two deadlines of each. Both questions are
 * measured: work all deadlines out anew (every item decoded, its model fitted), and find what is due
 * among the stored ones.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { itemBytes, keyItem } from '../../lib/aws/dynamodb/attributes.ts';
import { encodeSite, siteKey } from '../../lib/aws/dynamodb/health-mapping.ts';
import { invariant } from '../../lib/base/invariant.ts';
import type { SiteRecord } from '../../lib/control/health-store.ts';
import type { ArrivalWindow } from '../../lib/detection/arrival-window.ts';
import { Intervals } from '../../lib/detection/intervals.ts';
import { deadlines } from '../../lib/detection/suspicion.ts';
import {
  decodeWindow,
  type EncodedWindow,
  encodeWindow,
} from '../../lib/detection/window-codec.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import { fullSiteRecord, siteRecord } from '../support/site-records.ts';
import { rounded, timeOf } from './measure.ts';

const POLICY = { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 };
const SITES = 1_000_000;
const SITES_IN_MEMORY = 100_000;
const INTERVALS = 200;

export function benchSites() {
  const largest = fullSiteRecord();
  const usual = usualRecord();
  return {
    historyBytes: encodeWindow(largest.window).history.length,
    itemBytesUsual: bytesOf(usual),
    itemBytesMax: bytesOf(largest),
    ...liveFigures(usual),
    ...millionFigures(usual.window),
  };
}

/** Ordinary names, UUIDs as boot ids, a full window. */
function usualRecord(): SiteRecord {
  const record = siteRecord();
  return {
    ...record,
    window: {
      ...record.window,
      bootId: '5b0dd8ab-6ab2-4a10-b4a2-0e6c6a7d7b11',
      intervals: Intervals.of(jittered(seededRandom(1))),
      received: 1234,
    },
  };
}

function bytesOf(record: SiteRecord): number {
  const key = keyItem(siteKey(record.service, record.site));
  return itemBytes({ ...key, ...encodeSite(1_000_000, record) });
}

/**
 * Windows as the ingest cache holds them, many more than fit a processor's caches: as decoded, after
 * their first deadlines (all sorted once), and after a beat each, when the orders are at hand.
 */
function liveFigures({ window }: SiteRecord) {
  const random = seededRandom(2);
  const histories = Array.from({ length: SITES_IN_MEMORY }, () =>
    encodeWindow({ ...window, intervals: Intervals.of(jittered(random)) }),
  );
  const before = memoryBytes();
  const windows = histories.map(decoded);
  const atRest = memoryBytes();
  const firstNs = nanosecondsEach(windows, (known) => deadlines(known, POLICY));
  const beatNs = nanosecondsEach(windows, (known, site) => {
    windows[site] = { ...known, intervals: known.intervals.push(1000) };
  });
  const deadlinesNs = nanosecondsEach(windows, (known) => deadlines(known, POLICY));
  const beating = memoryBytes();
  return {
    liveSites: windows.length,
    liveBytesAtRest: Math.round((atRest - before) / windows.length),
    liveBytesBeating: Math.round((beating - before) / windows.length),
    liveFirstDeadlinesNs: firstNs,
    livePushNs: beatNs,
    liveDeadlinesNs: deadlinesNs,
  };
}

function nanosecondsEach(
  windows: readonly ArrivalWindow[],
  work: (window: ArrivalWindow, site: number) => unknown,
): number {
  return Math.round((timeOf(() => windows.forEach(work), 1) * 1e6) / windows.length);
}

function millionFigures(window: ArrivalWindow) {
  const random = seededRandom(3);
  const encoded = encodeWindow(window);
  const size = encoded.history.length;
  const before = memoryBytes();
  const histories = new Uint8Array(SITES * size);
  for (let site = 0; site < SITES; site += 1) {
    const history = histories.subarray(site * size, (site + 1) * size);
    history.set(encoded.history);
    history.set(new Uint8Array(jittered(random).buffer), size - 2 * INTERVALS);
  }
  const dueAt = new Float64Array(2 * SITES);
  const fittedMs = timeOf(() => {
    for (let site = 0; site < SITES; site += 1) {
      const history = histories.subarray(site * size, (site + 1) * size);
      const { suspectAt, failAt } = deadlines(decoded({ ...encoded, history }), POLICY);
      dueAt[2 * site] = suspectAt;
      dueAt[2 * site + 1] = failAt;
    }
  }, 1);
  return {
    millionDeadlinesMs: Math.round(fittedMs),
    millionDeadlinesNsEach: Math.round((fittedMs * 1e6) / SITES),
    millionSitesMegabytes: Math.round((memoryBytes() - before) / 1e6),
    ...dueFigures(dueAt),
  };
}

/** Looks for what is due among a million stored pairs of deadlines; half of the sites are. */
function dueFigures(dueAt: Float64Array) {
  const now = dueAt.slice().sort()[SITES] ?? 0;
  let due = 0;
  const scanMs = timeOf(() => {
    for (const deadline of dueAt) {
      due += deadline <= now ? 1 : 0;
    }
  }, 1);
  invariant(due >= SITES, 'deadlines-not-spread', due);
  return { millionDueScanMs: rounded(scanMs) };
}

function decoded(encoded: EncodedWindow): ArrivalWindow {
  const outcome = decodeWindow(encoded);
  invariant(outcome.kind === 'decoded', 'bench-window-damaged', outcome);
  return outcome.window;
}

function jittered(random: () => number): Uint16Array {
  const intervals = new Uint16Array(INTERVALS);
  for (let place = 0; place < INTERVALS; place += 1) {
    intervals[place] = 900 + 200 * random() + (random() < 0.02 ? 500 : 0);
  }
  return intervals;
}

/** Heap and array buffers after a full collection. */
function memoryBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
