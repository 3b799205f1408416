/**
 * An arrival window as a table item: a few plain attributes that conditions and people read, and
 * one binary attribute for the rest. Below 700 bytes in all, so that a beat costs one write unit.
 *
 * Binary layout, little-endian: version u8, quantum exponent u8, arrivals since crossing u8, zero
 * u8, received u32, lost u32, startedAt f64, then the intervals as u16, oldest first. The sums are
 * not stored: integers recompute exactly. Invariant: `decodeWindow(encodeWindow(w))` equals `w`.
 */
import { epochMillis } from '../base/identifiers.ts';
import { type ArrivalWindow, type Boot, isBootId, withIntervals } from './arrival-window.ts';
import { INTERVALS_MAX, QUANTUM_EXPONENT_MAX, RECOVERY_ARRIVALS } from './limits.ts';

const VERSION = 1;
const HEADER_BYTES = 20;

export interface EncodedWindow {
  readonly bootId: string;
  readonly lastSequence: number;
  /** Epoch milliseconds of the receiving region. */
  readonly lastArrivalAt: number;
  readonly previousBootId: string | null;
  readonly previousSequence: number | null;
  /** 20 to 420 bytes. */
  readonly history: Uint8Array;
}

export type WindowDamage =
  | 'history-length'
  /** Written by another version of Tripoint: do not overwrite it before asking why. */
  | 'history-version'
  | 'history-header'
  | 'attributes';

export type DecodedWindow =
  | { readonly kind: 'decoded'; readonly window: ArrivalWindow }
  | { readonly kind: 'damaged'; readonly code: WindowDamage };

export function encodeWindow(window: ArrivalWindow): EncodedWindow {
  return {
    bootId: window.bootId,
    lastSequence: window.lastSequence,
    lastArrivalAt: window.lastArrivalAt,
    previousBootId: window.previousBoot?.bootId ?? null,
    previousSequence: window.previousBoot?.lastSequence ?? null,
    history: encodeHistory(window),
  };
}

function encodeHistory(window: ArrivalWindow): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * window.intervals.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, window.quantumExponent);
  view.setUint8(2, window.arrivalsSinceCrossing);
  view.setUint32(4, window.received, true);
  view.setUint32(8, window.lost, true);
  view.setFloat64(12, window.startedAt, true);
  window.intervals.forEach((quanta, position) => {
    view.setUint16(HEADER_BYTES + 2 * position, quanta, true);
  });
  return bytes;
}

/** @returns `damaged` with a code, never an exception, for bytes that no window encodes to. */
export function decodeWindow(encoded: EncodedWindow): DecodedWindow {
  const { history } = encoded;
  const view = new DataView(history.buffer, history.byteOffset, history.byteLength);
  const code = damageOfHistory(view) ?? damageOfAttributes(encoded);
  if (code !== null) {
    return { kind: 'damaged', code };
  }
  const intervals = new Uint16Array((view.byteLength - HEADER_BYTES) / 2).map((_, position) =>
    view.getUint16(HEADER_BYTES + 2 * position, true),
  );
  const frame: ArrivalWindow = {
    bootId: encoded.bootId,
    lastSequence: encoded.lastSequence,
    lastArrivalAt: epochMillis(encoded.lastArrivalAt),
    startedAt: epochMillis(view.getFloat64(12, true)),
    previousBoot: previousBootOf(encoded),
    quantumExponent: view.getUint8(1),
    intervals: new Uint16Array(0),
    sum: 0,
    sumOfSquares: 0,
    received: view.getUint32(4, true),
    lost: view.getUint32(8, true),
    arrivalsSinceCrossing: view.getUint8(2),
  };
  return { kind: 'decoded', window: withIntervals(frame, intervals) };
}

function damageOfHistory(view: DataView): WindowDamage | null {
  const payload = view.byteLength - HEADER_BYTES;
  if (payload < 0 || payload % 2 !== 0 || payload > 2 * INTERVALS_MAX) {
    return 'history-length';
  }
  if (view.getUint8(0) !== VERSION) {
    return 'history-version';
  }
  const valid =
    view.getUint8(1) <= QUANTUM_EXPONENT_MAX &&
    view.getUint8(2) <= RECOVERY_ARRIVALS &&
    Number.isFinite(view.getFloat64(12, true));
  return valid ? null : 'history-header';
}

function damageOfAttributes(encoded: EncodedWindow): WindowDamage | null {
  const { previousBootId, previousSequence } = encoded;
  const valid =
    isBoot(encoded.bootId, encoded.lastSequence) &&
    Number.isFinite(encoded.lastArrivalAt) &&
    (previousBootId === null) === (previousSequence === null) &&
    (previousBootId === null || isBoot(previousBootId, previousSequence ?? -1));
  return valid ? null : 'attributes';
}

function isBoot(bootId: string, sequence: number): boolean {
  return isBootId(bootId) && Number.isSafeInteger(sequence) && sequence >= 0;
}

function previousBootOf(encoded: EncodedWindow): Boot | null {
  const { previousBootId, previousSequence } = encoded;
  return previousBootId === null || previousSequence === null
    ? null
    : { bootId: previousBootId, lastSequence: previousSequence };
}
