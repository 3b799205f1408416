/**
 * One time limit for all of a probe: lookup, connection, handshake, answer, body.
 *
 * When it strikes, the work is told by its signal and destroys its socket, so that a site which
 * accepts and says nothing holds neither a descriptor nor a turn of the prober. Work that does not
 * end by that is left behind a moment later: whatever a site does, a probe comes to an end.
 */
import type { Clock } from '../../base/clock.ts';
import { answerOfError, failed, notProbed, type ProbeAnswer } from './answer.ts';
import { PROBE_IO_LIMITS } from './limits.ts';

export interface TimeLimit {
  readonly timeoutMs: number;
  /** Aborts when the prober stops. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'monotonicNow'>;
}

/** Never rejects. */
export async function withinLimit(
  work: (signal: AbortSignal) => Promise<ProbeAnswer>,
  { timeoutMs, signal, clock }: TimeLimit,
): Promise<ProbeAnswer> {
  const limit = new AbortController();
  const left = Promise.withResolvers<never>();
  let leaving: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    limit.abort();
    leaving ??= setTimeout(left.reject, PROBE_IO_LIMITS.leaveMs, limit.signal.reason);
  };
  const startedAt = clock.monotonicNow();
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(limit.signal), left.promise]);
  } catch (thrown) {
    if (signal.aborted) {
      return notProbed('the prober stopped');
    }
    const elapsedMs = clock.monotonicNow() - startedAt;
    return limit.signal.aborted ? answerOfLimit(timeoutMs, elapsedMs) : answerOfError(thrown);
  } finally {
    clearTimeout(timer);
    clearTimeout(leaving);
    signal.removeEventListener('abort', stop);
  }
}

/** A limit that strikes late was not enforced: whoever stood still, it may well have been us. */
function answerOfLimit(timeoutMs: number, elapsedMs: number): ProbeAnswer {
  return elapsedMs > timeoutMs + PROBE_IO_LIMITS.leaveMs + PROBE_IO_LIMITS.standstillMs
    ? notProbed(`this observer stood still for ${Math.round(elapsedMs - timeoutMs)} ms`)
    : failed('timed-out', `no answer within ${timeoutMs} ms`);
}
