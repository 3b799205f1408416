/**
 * One GET as a client would do it: is this site serving?
 *
 * Used on AWS and on one machine alike. A redirect is an answer, not a 2xx: following it could
 * probe another site. The body is thrown away unread, so a large page costs nothing.
 */
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { VerifyPort } from '../recovery/switch-port.ts';

export interface HttpProbeOptions {
  /** From the first byte sent to the last header received, in milliseconds, 1 or more. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'monotonicNow'>;
}

export function httpProbe({ timeoutMs, clock }: HttpProbeOptions): VerifyPort['probe'] {
  return async (url) => {
    const startedAt = clock.monotonicNow();
    const elapsedMs = () => clock.monotonicNow() - startedAt;
    try {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { 'user-agent': 'tripoint-probe', connection: 'close' },
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      return response.ok
        ? { kind: 'serving', status: response.status, elapsedMs: elapsedMs() }
        : { kind: 'failing', detail: `HTTP ${response.status}`, elapsedMs: elapsedMs() };
    } catch (thrown) {
      return { kind: 'failing', detail: reasonOf(thrown, timeoutMs), elapsedMs: elapsedMs() };
    }
  };
}

/** `fetch` hides the reason of a failure one level down. */
function reasonOf(thrown: unknown, timeoutMs: number): string {
  if (thrown instanceof Error && thrown.name === 'TimeoutError') {
    return `no answer within ${timeoutMs} ms`;
  }
  return thrown instanceof Error && thrown.cause !== undefined
    ? describeError(thrown.cause)
    : describeError(thrown);
}
