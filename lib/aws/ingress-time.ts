/**
 * When a request reached the region: the stamp of the function URL, `requestContext.timeEpoch`.
 *
 * It is set before Lambda starts or wakes the function, so a cold start of ours does not make the
 * beat late, nor the one after it early. Both clocks belong to the region and are kept by the same
 * time service; where they still disagree, or the event carries no stamp, the function's clock wins.
 */
import { type EpochMillis, epochMillis } from '../base/identifiers.ts';
import { API_TIMEOUT_MS } from '../config/schedules.ts';

/** No event waits longer for its function than the function URL waits for an answer. */
const AGE_MS_MAX = 2 * API_TIMEOUT_MS;

/** @param bindings what `hono/aws-lambda` hands on: `{ event, requestContext, lambdaContext }` */
export function ingressTime(bindings: unknown, now: EpochMillis): EpochMillis {
  const stamp = memberOf(memberOf(bindings, 'requestContext'), 'timeEpoch');
  const ageMs = typeof stamp === 'number' ? now - stamp : Number.NaN;
  return ageMs >= 0 && ageMs <= AGE_MS_MAX ? epochMillis(now - ageMs) : now;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [member: string]: unknown })[name]
    : undefined;
}
