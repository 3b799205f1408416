/**
 * The memory of the early warning as one small binary attribute of a table item.
 *
 * Layout, little-endian: version u8, code u8 (0 = none), since f64, paused at f64, then as f32: loss
 * fast and slow, lag fast and slow (NaN = never reported), four pauses. Invariant: `decodeForecast(encodeForecast(m))`
 * equals m, because the memory holds single precision only. Bytes that nothing encodes to give null:
 * a forecast that is forgotten costs a few hundred beats of learning, and may never cost a heartbeat.
 */
import { epochMillis } from '../base/identifiers.ts';
import { FORECAST_CODES, type ForecastMemory } from './forecast.ts';

const VERSION = 1;
const HEADER_BYTES = 18;
const NUMBERS = 8;
export const FORECAST_BYTES: number = HEADER_BYTES + 4 * NUMBERS;

export function encodeForecast(memory: ForecastMemory): Uint8Array {
  const bytes = new Uint8Array(FORECAST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, memory.code === null ? 0 : FORECAST_CODES.indexOf(memory.code) + 1);
  view.setFloat64(2, memory.since, true);
  view.setFloat64(10, memory.pausedAt, true);
  const { lossFast, lossSlow, lagFastMs, lagSlowMs, pausesMs } = memory;
  const numbers = [lossFast, lossSlow, lagFastMs ?? Number.NaN, lagSlowMs ?? Number.NaN];
  [...numbers, ...pausesMs].forEach((value, position) => {
    view.setFloat32(HEADER_BYTES + 4 * position, value, true);
  });
  return bytes;
}

export function decodeForecast(bytes: Uint8Array): ForecastMemory | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength !== FORECAST_BYTES || view.getUint8(0) !== VERSION) {
    return null;
  }
  const codeNumber = view.getUint8(1);
  const code = codeNumber === 0 ? null : FORECAST_CODES[codeNumber - 1];
  const since = view.getFloat64(2, true);
  const pausedAt = view.getFloat64(10, true);
  const number = (position: number) => view.getFloat32(HEADER_BYTES + 4 * position, true);
  const loss = [number(0), number(1)];
  const pauses = [number(4), number(5), number(6), number(7)] as const;
  const isValid =
    code !== undefined &&
    Number.isFinite(since) &&
    Number.isFinite(pausedAt) &&
    loss.every((share) => share >= 0 && share <= 1) &&
    pauses.every((pauseMs) => Number.isFinite(pauseMs) && pauseMs >= 0);
  return isValid
    ? {
        code,
        since: epochMillis(since),
        lossFast: number(0),
        lossSlow: number(1),
        lagFastMs: lagIn(number(2)),
        lagSlowMs: lagIn(number(3)),
        pausesMs: pauses,
        pausedAt: epochMillis(pausedAt),
      }
    : null;
}

function lagIn(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
