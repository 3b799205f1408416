/**
 * What a site's item holds about its data and its role beside its beats: `lag?`, 44 bytes, because the
 * whole item must stay below a write unit.
 *
 *   0 word: measured at (float64)   8 its lag   12 its writes   16 its rise (float32 each)
 *  20 writes that the site lacks   28 term and   36 index of the grant it acknowledged (float64 each)
 *
 * And `fenced?`, a number: since when its beats say that no answer reaches it. It is there only then.
 *
 * NaN = null. Damaged bytes are forgotten: the next word that matters is told again, and a site that
 * acknowledged nothing is waited for.
 */
import { epochMillis, logIndex, term } from '../../base/identifiers.ts';
import type { SiteRecord } from '../../control/health-store.ts';
import { bytesValue, type Item, type ItemReader, numberValue } from './attributes.ts';

type Position = Pick<SiteRecord, 'replicationLagWrites' | 'lagWord' | 'acknowledgedEpoch'>;
type Said = Position & Pick<SiteRecord, 'fencedSince'>;

const BYTES = 44;
const NOTHING: Position = { replicationLagWrites: null, lagWord: null, acknowledgedEpoch: null };

export function encodeLag({ fencedSince, ...position }: Said): Item {
  const fenced = fencedSince === null ? {} : { fenced: numberValue(fencedSince) };
  return { ...encodePosition(position), ...fenced };
}

export function decodeLag(read: ItemReader): Said {
  const fencedSince = read.numberOrNull('fenced');
  return {
    ...decodePosition(read),
    fencedSince: fencedSince === null ? null : epochMillis(fencedSince),
  };
}

function encodePosition({ replicationLagWrites, lagWord, acknowledgedEpoch }: Position): Item {
  if (replicationLagWrites === null && lagWord === null && acknowledgedEpoch === null) {
    return {};
  }
  const view = new DataView(new ArrayBuffer(BYTES));
  view.setFloat64(0, lagWord?.measuredAt ?? Number.NaN);
  view.setFloat32(8, lagWord?.lagMs ?? Number.NaN);
  view.setFloat32(12, lagWord?.writes ?? Number.NaN);
  view.setFloat32(16, lagWord?.risingMsPerMinute ?? Number.NaN);
  view.setFloat64(20, replicationLagWrites ?? Number.NaN);
  view.setFloat64(28, acknowledgedEpoch?.term ?? Number.NaN);
  view.setFloat64(36, acknowledgedEpoch?.index ?? Number.NaN);
  return { lag: bytesValue(new Uint8Array(view.buffer)) };
}

function decodePosition(read: ItemReader): Position {
  const bytes = read.bytesOrNull('lag');
  if (bytes?.byteLength !== BYTES) {
    return NOTHING;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const measuredAt = numberOf(view.getFloat64(0));
  const atTerm = numberOf(view.getFloat64(28));
  const atIndex = numberOf(view.getFloat64(36));
  return {
    replicationLagWrites: numberOf(view.getFloat64(20)),
    lagWord:
      measuredAt === null
        ? null
        : {
            lagMs: numberOf(view.getFloat32(8)),
            writes: numberOf(view.getFloat32(12)),
            measuredAt: epochMillis(measuredAt),
            risingMsPerMinute: numberOf(view.getFloat32(16)),
          },
    acknowledgedEpoch:
      atTerm === null || atIndex === null || !isPlace(atTerm) || !isPlace(atIndex)
        ? null
        : { term: term(atTerm), index: logIndex(atIndex) },
  };
}

function numberOf(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function isPlace(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
