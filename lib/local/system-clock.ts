/**
 * The clocks, the chance and the hash of the host, for the ports of `lib/base`.
 *
 * Below `lib/control` these are arguments, so that a simulator can replace all of them; this is the
 * one place where the real ones enter the local processes.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';

/** A pending `sleep` keeps the process alive: local processes end by being told to. */
export const SYSTEM_CLOCK: Clock = {
  wallNow: () => epochMillis(Date.now()),
  monotonicNow: () => monotonicMillis(performance.now()),
  sleep: (durationMs) =>
    new Promise((resolve) => {
      setTimeout(resolve, durationMs);
    }),
};

/** SHA-256 of the UTF-8 text, as 64 lower-case hex digits. */
export const sha256: Sha256 = (text) => hash('sha256', text, 'hex');
