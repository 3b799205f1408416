/** The probe of a site as a client makes it: one GET with a deadline, no redirects followed. */
import { describeError } from '../base/errors.ts';
import type { VerifyPort } from '../recovery/switch-port.ts';

export function siteProbe(options: { readonly timeoutMs: number }): VerifyPort['probe'] {
  return async (url) => {
    const startedAt = performance.now();
    try {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      await response.arrayBuffer();
      const elapsedMs = performance.now() - startedAt;
      return response.ok
        ? { kind: 'serving', status: response.status, elapsedMs }
        : { kind: 'failing', detail: `HTTP ${response.status}`, elapsedMs };
    } catch (cause) {
      const elapsedMs = performance.now() - startedAt;
      return { kind: 'failing', detail: describeError(cause), elapsedMs };
    }
  };
}
