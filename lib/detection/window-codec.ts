/**
 * An arrival window as a table item: a few plain attributes that conditions and people read, and
 * one binary attribute for the rest. Below 700 bytes in all, so that a beat costs one write unit.
 *
 * Binary layout, little-endian: version u8, quantum exponent u8, arrivals since crossing u8, flap
 * penalty in quarters u8, received u32, lost u32, startedAt f64, flappedAt f64, count of former boots
 * u8; then each of these as hash u32 and sequence f64, newest first, then the intervals as u16, oldest
 * first. The sums are not stored: integers recompute exactly. Version 1, which knew no flaps, and
 * version 2, which knew no former boots, are still read. Invariant: `decodeWindow(encodeWindow(w))`
 * equals `w`.
 */
import { epochMillis } from '../base/identifiers.ts';
import { type ArrivalWindow, isBootId } from './arrival-window.ts';
import type { FormerBoot } from './boots.ts';
import { Intervals } from './intervals.ts';
import { FLAP_LIMITS, FORMER_BOOTS_MAX, INTERVALS_MAX, QUANTUM_EXPONENT_MAX } from './limits.ts';

const VERSION = 3;
const HEADER_BYTES = 29;
const STARTED_AT_OFFSET = 12;
/** Version 1 ended its header before this, version 2 before the count of former boots. */
const FLAPPED_AT_OFFSET = 20;
const FORMER_COUNT_OFFSET = 28;
const FORMER_BYTES = 12;

export interface EncodedWindow {
  readonly bootId: string;
  readonly lastSequence: number;
  /** Epoch milliseconds of the receiving region. */
  readonly lastArrivalAt: number;
  /** 29 to 525 bytes. */
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
    history: encodeHistory(window),
  };
}

function encodeHistory(window: ArrivalWindow): Uint8Array {
  const intervals = window.intervals.view();
  const { formerBoots } = window;
  const intervalsOffset = HEADER_BYTES + FORMER_BYTES * formerBoots.length;
  const bytes = new Uint8Array(intervalsOffset + 2 * intervals.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, window.quantumExponent);
  view.setUint8(2, window.arrivalsSinceCrossing);
  view.setUint8(3, 4 * window.flapPenalty);
  view.setUint32(4, window.received, true);
  view.setUint32(8, window.lost, true);
  view.setFloat64(STARTED_AT_OFFSET, window.startedAt, true);
  view.setFloat64(FLAPPED_AT_OFFSET, window.flappedAt, true);
  view.setUint8(FORMER_COUNT_OFFSET, formerBoots.length);
  for (const [place, { hash, lastSequence }] of formerBoots.entries()) {
    view.setUint32(HEADER_BYTES + FORMER_BYTES * place, hash, true);
    view.setFloat64(HEADER_BYTES + FORMER_BYTES * place + 4, lastSequence, true);
  }
  for (let place = 0; place < intervals.length; place += 1) {
    view.setUint16(intervalsOffset + 2 * place, intervals[place] ?? 0, true);
  }
  return bytes;
}

/** @returns `damaged` with a code, never an exception, for bytes that no window encodes to. */
export function decodeWindow(encoded: EncodedWindow): DecodedWindow {
  const history = inThisVersion(encoded.history);
  const view = new DataView(history.buffer, history.byteOffset, history.byteLength);
  const code = damageOfHistory(view) ?? damageOfAttributes(encoded);
  if (code !== null) {
    return { kind: 'damaged', code };
  }
  const window: ArrivalWindow = {
    bootId: encoded.bootId,
    lastSequence: encoded.lastSequence,
    lastArrivalAt: epochMillis(encoded.lastArrivalAt),
    startedAt: epochMillis(view.getFloat64(STARTED_AT_OFFSET, true)),
    formerBoots: formerBootsIn(view),
    quantumExponent: view.getUint8(1),
    intervals: intervalsIn(view),
    received: view.getUint32(4, true),
    lost: view.getUint32(8, true),
    arrivalsSinceCrossing: view.getUint8(2),
    flapPenalty: view.getUint8(3) / 4,
    flappedAt: epochMillis(view.getFloat64(FLAPPED_AT_OFFSET, true)),
  };
  return { kind: 'decoded', window };
}

function intervalsIn(view: DataView): Intervals {
  const offset = intervalsOffsetIn(view);
  const quanta = new Uint16Array((view.byteLength - offset) / 2);
  for (let place = 0; place < quanta.length; place += 1) {
    quanta[place] = view.getUint16(offset + 2 * place, true);
  }
  return Intervals.of(quanta);
}

function intervalsOffsetIn(view: DataView): number {
  return HEADER_BYTES + FORMER_BYTES * view.getUint8(FORMER_COUNT_OFFSET);
}

function formerBootsIn(view: DataView): readonly FormerBoot[] {
  return Array.from({ length: view.getUint8(FORMER_COUNT_OFFSET) }, (_, place) => {
    const offset = HEADER_BYTES + FORMER_BYTES * place;
    return {
      hash: view.getUint32(offset, true),
      lastSequence: view.getFloat64(offset + 4, true),
    };
  });
}

/** An older history as one of this version: the same, with no flap and no former boots behind it. */
function inThisVersion(history: Uint8Array): Uint8Array {
  const [version] = history;
  const headerBytes = version === 1 ? FLAPPED_AT_OFFSET : FORMER_COUNT_OFFSET;
  if ((version !== 1 && version !== 2) || history.length < headerBytes) {
    return history;
  }
  const bytes = new Uint8Array(history.length + HEADER_BYTES - headerBytes);
  // Version 1 had no flap: it is dated to the start.
  bytes.set(history.subarray(STARTED_AT_OFFSET, FLAPPED_AT_OFFSET), FLAPPED_AT_OFFSET);
  bytes.set(history.subarray(0, headerBytes));
  bytes.set([VERSION], 0);
  bytes.set(history.subarray(headerBytes), HEADER_BYTES);
  return bytes;
}

function damageOfHistory(view: DataView): WindowDamage | null {
  if (view.byteLength < HEADER_BYTES) {
    return 'history-length';
  }
  if (view.getUint8(0) !== VERSION) {
    return 'history-version';
  }
  const payload = view.byteLength - intervalsOffsetIn(view);
  if (payload < 0 || payload % 2 !== 0 || payload > 2 * INTERVALS_MAX) {
    return 'history-length';
  }
  const valid =
    view.getUint8(1) <= QUANTUM_EXPONENT_MAX &&
    view.getUint8(2) <= FLAP_LIMITS.arrivalsMax &&
    view.getUint8(3) <= 4 * FLAP_LIMITS.penaltyMax &&
    Number.isFinite(view.getFloat64(FLAPPED_AT_OFFSET, true)) &&
    Number.isFinite(view.getFloat64(STARTED_AT_OFFSET, true)) &&
    view.getUint8(FORMER_COUNT_OFFSET) <= FORMER_BOOTS_MAX &&
    formerBootsIn(view).every(({ lastSequence }) => isSequence(lastSequence));
  return valid ? null : 'history-header';
}

function damageOfAttributes(encoded: EncodedWindow): WindowDamage | null {
  const valid =
    isBootId(encoded.bootId) &&
    isSequence(encoded.lastSequence) &&
    Number.isFinite(encoded.lastArrivalAt);
  return valid ? null : 'attributes';
}

function isSequence(sequence: number): boolean {
  return Number.isSafeInteger(sequence) && sequence >= 0;
}
