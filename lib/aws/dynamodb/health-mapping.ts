/**
 * What an observer knows of a site, as one item below 1 KB, and its record of itself.
 *
 *   pk `site`      sk <service>@<site>   revision, reportedStatus, replicationLagMs?, suspectAt,
 *                                        failAt, and the window: bootId, lastSequence, lastArrivalAt,
 *                                        previousBootId?, previousSequence?, history (binary)
 *   pk `observer`  sk `self`             evaluatedAt, baselineAt
 *
 * All sites share a partition key, so that `list` is one Query. A partition takes 1,000 writes a
 * second, one site's beat a second being one write; above that DynamoDB splits the collection by
 * sort key, which works because beats of different sites are spread over it, and no local index
 * forbids it. A fleet that outgrows this needs sharded keys and an index on deadlines.
 */
import { epochMillis } from '../../base/identifiers.ts';
import { invariant } from '../../base/invariant.ts';
import { TABLE_KEYS } from '../../config/names.ts';
import type { ObserverRecord, ReportedStatus, SiteRecord } from '../../control/health-store.ts';
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

const CORRUPT = {
  code: 'health-record-corrupt',
  hint:
    'Something other than this version of Tripoint wrote to the health table. Delete the item; the ' +
    'next heartbeat makes it anew.',
};

export const SITES = 'site';
export const OBSERVER_KEY: ItemKey = { partition: 'observer', sort: 'self' };

const STATUSES: readonly ReportedStatus[] = ['ok', 'degraded', 'failing'];

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
  const { previousBootId, previousSequence, ...window } = encodeWindow(record.window);
  return {
    revision: integerValue(revision),
    reportedStatus: textValue(record.reportedStatus),
    suspectAt: numberValue(record.suspectAt),
    failAt: numberValue(record.failAt),
    bootId: textValue(window.bootId),
    lastSequence: integerValue(window.lastSequence),
    lastArrivalAt: numberValue(window.lastArrivalAt),
    history: bytesValue(window.history),
    ...(previousBootId === null ? {} : { previousBootId: textValue(previousBootId) }),
    ...(previousSequence === null ? {} : { previousSequence: integerValue(previousSequence) }),
    ...(record.replicationLagMs === null
      ? {}
      : { replicationLagMs: numberValue(record.replicationLagMs) }),
  };
}

/** @throws AppError `health-record-corrupt` */
export function decodeSite(item: Item): SiteRecord {
  const read = readItem(item, CORRUPT);
  const name = read.text(TABLE_KEYS.sort);
  const separator = name.indexOf('@');
  return {
    service: name.slice(0, separator),
    site: name.slice(separator + 1),
    revision: read.integer('revision'),
    window: decodeSiteWindow(read),
    reportedStatus: decodeStatus(read),
    replicationLagMs: read.numberOrNull('replicationLagMs'),
    suspectAt: epochMillis(read.number('suspectAt')),
    failAt: epochMillis(read.number('failAt')),
  };
}

function decodeSiteWindow(read: ItemReader): SiteRecord['window'] {
  const decoded = decodeWindow({
    bootId: read.text('bootId'),
    lastSequence: read.integer('lastSequence'),
    lastArrivalAt: read.number('lastArrivalAt'),
    previousBootId: read.textOrNull('previousBootId'),
    previousSequence: read.integerOrNull('previousSequence'),
    history: read.bytes('history'),
  });
  return decoded.kind === 'decoded' ? decoded.window : read.fail(`window damaged: ${decoded.code}`);
}

function decodeStatus(read: ItemReader): ReportedStatus {
  const text = read.text('reportedStatus');
  return STATUSES.find((status) => status === text) ?? read.fail(`unknown status ${text}`);
}

/** The item without its key. */
export function encodeObserver(record: ObserverRecord): Item {
  return {
    evaluatedAt: numberValue(record.evaluatedAt),
    baselineAt: numberValue(record.baselineAt),
  };
}

/** @throws AppError `health-record-corrupt` */
export function decodeObserver(item: Item): ObserverRecord {
  const read = readItem(item, CORRUPT);
  return {
    evaluatedAt: epochMillis(read.number('evaluatedAt')),
    baselineAt: epochMillis(read.number('baselineAt')),
  };
}
