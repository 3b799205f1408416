/**
 * What a region may answer to a heartbeat, read with suspicion.
 *
 * The agent lives in somebody else's process: an answer from a captive portal, a half-upgraded
 * region or an attacker must end in `null` or a short text, never in an exception or a wild timer.
 */
import type { Epoch, SiteRole } from './role.ts';

export interface HeartbeatAnswer extends SiteRole {
  /** When the region would like the next beat, in milliseconds from now; above 0. */
  readonly nextBeatMs: number;
  /** How long the role may be believed without a further answer; 0 = nobody vouches for it; null = none is said. */
  readonly leaseMs: number | null;
}

/** Characters of a problem text that are passed on. */
const DETAIL_LENGTH_MAX = 200;

/** null when the body is not the answer that the API promises. Unknown members are ignored. */
export function parseAnswer(body: string): HeartbeatAnswer | null {
  const value = parseObject(body);
  if (value === null) {
    return null;
  }
  const { role, epoch: claimed, nextBeatMs, leaseMs = null } = value;
  const epoch = parseEpoch(claimed);
  if (role !== 'active' && role !== 'standby' && role !== 'unknown') {
    return null;
  }
  if (
    epoch === undefined ||
    !isSpan(nextBeatMs) ||
    !(leaseMs === null || leaseMs === 0 || isSpan(leaseMs))
  ) {
    return null;
  }
  return { role, epoch, nextBeatMs, leaseMs };
}

/** The most telling text of a problem+json body, or its first line, cut to 200 characters. */
export function describeProblem(body: string): string {
  const value = parseObject(body);
  for (const text of [value?.['detail'], value?.['title'], body.split('\n', 1)[0]]) {
    if (typeof text === 'string' && text !== '') {
      return text.slice(0, DETAIL_LENGTH_MAX);
    }
  }
  return 'no reason given';
}

/** undefined = malformed; null = the region has none. */
function parseEpoch(claimed: unknown): Epoch | null | undefined {
  if (claimed === null) {
    return null;
  }
  if (!isRecord(claimed)) {
    return undefined;
  }
  const { term, index } = claimed;
  return isCounter(term) && isCounter(index) ? { term, index } : undefined;
}

/** JSON has no Infinity, but `1e999` reads as one. */
function isSpan(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isCounter(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
