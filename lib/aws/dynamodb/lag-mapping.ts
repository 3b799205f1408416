/**
 * What a site's item holds about its data and its role beside its beats: `lag?`, 60 bytes, because the
 * whole item must stay below a write unit.
 *
 *   0 word: measured at (float64)   8 its lag   12 its writes   16 its rise (float32 each)
 *  20 how far the site is behind in ms   28 in writes that it lacks   36 term and   44 index of the grant
 *  that it acknowledged   52 since when its beats say that no answer reaches it (float64 each)
 *
 * NaN = null. Damaged bytes are forgotten: the next word that matters is told again, and a site that
 * acknowledged nothing is waited for.
 */
import { epochMillis, logIndex, term } from '../../base/identifiers.ts';
import type { SiteRecord } from '../../control/health-store.ts';
import { bytesValue, type Item, type ItemReader } from './attributes.ts';

type Said = Pick<
  SiteRecord,
  'replicationLagMs' | 'replicationLagWrites' | 'lagWord' | 'acknowledgedEpoch' | 'fencedSince'
>;

const BYTES = 60;
const NOTHING: Said = {
  replicationLagMs: null,
  replicationLagWrites: null,
  lagWord: null,
  acknowledgedEpoch: null,
  fencedSince: null,
};

export function encodeLag(said: Said): Item {
  const { lagWord, acknowledgedEpoch } = said;
  if (Object.keys(NOTHING).every((name) => said[name as keyof Said] === null)) {
    return {};
  }
  const view = new DataView(new ArrayBuffer(BYTES));
  view.setFloat64(0, lagWord?.measuredAt ?? Number.NaN);
  view.setFloat32(8, lagWord?.lagMs ?? Number.NaN);
  view.setFloat32(12, lagWord?.writes ?? Number.NaN);
  view.setFloat32(16, lagWord?.risingMsPerMinute ?? Number.NaN);
  view.setFloat64(20, said.replicationLagMs ?? Number.NaN);
  view.setFloat64(28, said.replicationLagWrites ?? Number.NaN);
  view.setFloat64(36, acknowledgedEpoch?.term ?? Number.NaN);
  view.setFloat64(44, acknowledgedEpoch?.index ?? Number.NaN);
  view.setFloat64(52, said.fencedSince ?? Number.NaN);
  return { lag: bytesValue(new Uint8Array(view.buffer)) };
}

export function decodeLag(read: ItemReader): Said {
  const bytes = read.bytesOrNull('lag');
  if (bytes?.byteLength !== BYTES) {
    return NOTHING;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fencedSince = numberOf(view.getFloat64(52));
  return {
    replicationLagMs: numberOf(view.getFloat64(20)),
    replicationLagWrites: numberOf(view.getFloat64(28)),
    lagWord: decodeWord(view),
    acknowledgedEpoch: decodeEpoch(view),
    fencedSince: fencedSince === null ? null : epochMillis(fencedSince),
  };
}

function decodeWord(view: DataView): Said['lagWord'] {
  const measuredAt = numberOf(view.getFloat64(0));
  return measuredAt === null
    ? null
    : {
        lagMs: numberOf(view.getFloat32(8)),
        writes: numberOf(view.getFloat32(12)),
        measuredAt: epochMillis(measuredAt),
        risingMsPerMinute: numberOf(view.getFloat32(16)),
      };
}

function decodeEpoch(view: DataView): Said['acknowledgedEpoch'] {
  const atTerm = numberOf(view.getFloat64(36));
  const atIndex = numberOf(view.getFloat64(44));
  return atTerm === null || atIndex === null || !isPlace(atTerm) || !isPlace(atIndex)
    ? null
    : { term: term(atTerm), index: logIndex(atIndex) };
}

function numberOf(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function isPlace(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
