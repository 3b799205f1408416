/**
 * What an observer knows of a site, as one item below 1 KB, and its record of itself.
 *
 *   pk `site`      sk <service>@<site>   revision, reportedStatus, suspectAt, failAt, wakesOnBeat?
 *                                        (1), and the window: bootId, lastSequence, lastArrivalAt,
 *                                        history (binary), forecast? (binary); what
 *                                        `lag-mapping.ts` lists, and of a job also what
 *                                        `job-mapping.ts` does
 *   pk `timer`     sk <at>#<service>@<site>#<awaits>   mark
 *   pk `observer`  sk `self`             evaluatedAt, baselineAt, presentSince, score, alone,
 *                                        gapFrom?, gapTo?
 *
 * All sites share a partition key, so that `list` is one Query. A partition takes 1,000 writes a
 * second, one site's beat a second being one write; above that DynamoDB splits the collection by
 * sort key, which works because beats of different sites are spread over it, and no local index
 * forbids it. Timers sort by their instant, 15 digits of epoch milliseconds, so that what is due is
 * the beginning of one Query. They are moved about once in the time that a silence needs to become
 * suspect: two writes then, so one partition of them serves 2,000 sites that beat each second, or
 * 20,000 that beat each ten; a larger fleet needs sharded keys.
 */
import { AppError } from '../../base/errors.ts';
import { type EpochMillis, epochMillis } from '../../base/identifiers.ts';
import { invariant } from '../../base/invariant.ts';
import { TABLE_KEYS, TIMER_PARTITION } from '../../config/names.ts';
import type {
  ObserverRecord,
  ReportedStatus,
  SiteName,
  SiteRecord,
  Timer,
} from '../../control/health-store.ts';
import { NO_FORECAST } from '../../detection/forecast.ts';
import { decodeForecast, encodeForecast } from '../../detection/forecast-codec.ts';
import { decodeWindow, encodeWindow } from '../../detection/window-codec.ts';
import {
  bytesValue,
  type Item,
  type ItemKey,
  type ItemReader,
  integerValue,
  numberValue,
  readItem,
  textValue,
} from './attributes.ts';
import { decodeJob, encodeJob } from './job-mapping.ts';
import { decodeLag, encodeLag } from './lag-mapping.ts';

const CORRUPT = {
  code: 'health-record-corrupt',
  hint:
    'Something other than this version of Tripoint wrote to the health table. Delete the item; the ' +
    'next heartbeat makes it anew.',
};

/** Whether a decoder found an item that this version cannot read. */
export function isCorrupt(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && thrown.code === CORRUPT.code;
}

export const SITES = 'site';
export const OBSERVER_KEY: ItemKey = { partition: 'observer', sort: 'self' };

const STATUSES: readonly ReportedStatus[] = ['ok', 'degraded', 'failing', 'leaving'];

/** @throws InvariantError when the service's name has an `@`, which separates it from the site's. */
export function siteKey(service: string, site: string): ItemKey {
  invariant(service !== '' && site !== '' && !service.includes('@'), 'site-name-malformed', {
    service,
    site,
  });
  return { partition: SITES, sort: `${service}@${site}` };
}

/** The item without its key. */
export function encodeSite(revision: number, record: SiteRecord): Item {
  const window = encodeWindow(record.window);
  return {
    revision: integerValue(revision),
    reportedStatus: textValue(record.reportedStatus),
    suspectAt: numberValue(record.suspectAt),
    failAt: numberValue(record.failAt),
    bootId: textValue(window.bootId),
    lastSequence: integerValue(window.lastSequence),
    lastArrivalAt: numberValue(window.lastArrivalAt),
    history: bytesValue(window.history),
    ...(record.wakesOnBeat ? { wakesOnBeat: integerValue(1) } : {}),
    ...(record.forecast === NO_FORECAST
      ? {}
      : { forecast: bytesValue(encodeForecast(record.forecast)) }),
    ...encodeJob(record.job),
    ...encodeLag(record),
  };
}

/** @throws AppError `health-record-corrupt` */
export function decodeSite(item: Item): SiteRecord {
  const read = readItem(item, CORRUPT);
  return {
    ...decodeName(read.text(TABLE_KEYS.sort)),
    revision: read.integer('revision'),
    window: decodeSiteWindow(read),
    reportedStatus: decodeStatus(read),
    suspectAt: epochMillis(read.number('suspectAt')),
    failAt: epochMillis(read.number('failAt')),
    wakesOnBeat: read.integerOrNull('wakesOnBeat') !== null,
    forecast: decodeSiteForecast(read),
    job: decodeJob(read),
    ...decodeLag(read),
  };
}

function decodeSiteWindow(read: ItemReader): SiteRecord['window'] {
  const decoded = decodeWindow({
    bootId: read.text('bootId'),
    lastSequence: read.integer('lastSequence'),
    lastArrivalAt: read.number('lastArrivalAt'),
    history: read.bytes('history'),
  });
  return decoded.kind === 'decoded' ? decoded.window : read.fail(`window damaged: ${decoded.code}`);
}

/** A damaged memory is forgotten: a warning may never cost a heartbeat. */
function decodeSiteForecast(read: ItemReader): SiteRecord['forecast'] {
  const bytes = read.bytesOrNull('forecast');
  return (bytes === null ? null : decodeForecast(bytes)) ?? NO_FORECAST;
}

function decodeStatus(read: ItemReader): ReportedStatus {
  const text = read.text('reportedStatus');
  return STATUSES.find((status) => status === text) ?? read.fail(`unknown status ${text}`);
}

/** Digits of an instant in a timer's key: enough until the year 33658. */
const INSTANT_DIGITS = 15;
const INSTANT_MAX = 10 ** INSTANT_DIGITS - 1;

/** Where the timers at or before an instant end, in the order of the sort key. */
export function timersUntil(at: EpochMillis): string {
  return instantText(at + 1);
}

/** Whole milliseconds, rounded down: a timer may be early, not late. */
export function timerKey({ at, service, site, awaits }: Omit<Timer, 'mark'>): ItemKey {
  const { sort } = siteKey(service, site);
  return { partition: TIMER_PARTITION, sort: `${instantText(at)}#${sort}#${awaits}` };
}

function instantText(at: number): string {
  const whole = Math.min(INSTANT_MAX, Math.max(0, Math.floor(at)));
  return String(whole).padStart(INSTANT_DIGITS, '0');
}

const TIMER_KEY = /^(\d{15})#(.+)#(\d+)$/;

/** @throws AppError `health-record-corrupt` */
export function decodeTimer(item: Item): Timer {
  const read = readItem(item, CORRUPT);
  const [, at, name = '', awaits] =
    TIMER_KEY.exec(read.text(TABLE_KEYS.sort)) ?? read.fail('not the key of a timer');
  return {
    at: epochMillis(Number(at)),
    ...decodeName(name),
    awaits: Number(awaits),
    mark: read.text('mark'),
  };
}

/** Whose item this is, from its key alone. */
export function nameOf(item: Item): SiteName {
  const sort = item[TABLE_KEYS.sort]?.S ?? '';
  return decodeName(TIMER_KEY.exec(sort)?.[2] ?? sort);
}

/** The service and the site of a `<service>@<site>`. */
export function decodeName(name: string): SiteName {
  const separator = name.indexOf('@');
  return { service: name.slice(0, separator), site: name.slice(separator + 1) };
}

/** The item without its key. */
export function encodeObserver(record: ObserverRecord): Item {
  return {
    evaluatedAt: numberValue(record.evaluatedAt),
    baselineAt: numberValue(record.baselineAt),
    presentSince: numberValue(record.presentSince),
    score: integerValue(record.score),
    alone: integerValue(record.alone),
    ...(record.gap === null
      ? {}
      : { gapFrom: numberValue(record.gap.from), gapTo: numberValue(record.gap.to) }),
  };
}

/** @throws AppError `health-record-corrupt` */
export function decodeObserver(item: Item): ObserverRecord {
  const read = readItem(item, CORRUPT);
  const [from, to] = [read.numberOrNull('gapFrom'), read.numberOrNull('gapTo')];
  return {
    evaluatedAt: epochMillis(read.number('evaluatedAt')),
    baselineAt: epochMillis(read.number('baselineAt')),
    presentSince: epochMillis(read.numberOrNull('presentSince') ?? read.number('baselineAt')),
    gap: from === null || to === null ? null : { from: epochMillis(from), to: epochMillis(to) },
    score: read.integerOrNull('score') ?? 0,
    alone: read.integerOrNull('alone') ?? 0,
  };
}
