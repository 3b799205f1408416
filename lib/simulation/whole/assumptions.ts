/**
 * What the simulated world takes for granted about the real one: distances, latencies, caches.
 *
 * Each figure is either published by whoever runs the thing, or an assumption; `docs/simulation.md`
 * lists them with their sources, because a simulated availability is worth no more than these. The
 * code under test is told none of them.
 */
import type { Random } from '../../base/clock.ts';

/** One way, milliseconds, between AWS regions; half of the usual round trips. */
const DISTANCES_MS: { readonly [pair: string]: number | undefined } = {
  'us-east-1 us-east-2': 6,
  'us-east-1 us-west-2': 31,
  'us-east-2 us-west-2': 25,
  'eu-west-1 us-east-1': 34,
};
const UNKNOWN_DISTANCE_MS = 45;
const WITHIN_REGION_MS = 0.6;

/** Median one-way delay between two places. */
function distanceMs(from: string, to: string): number {
  if (from === to) {
    return WITHIN_REGION_MS;
  }
  return DISTANCES_MS[[from, to].toSorted().join(' ')] ?? UNKNOWN_DISTANCE_MS;
}

export const ASSUMED = {
  /** Delays vary by up to this share; one in a hundred packets waits for a retransmission. */
  jitterShare: 0.25,
  retransmissionChance: 0.01,
  retransmissionMs: 200,
  /** Requests that are lost on an ordinary day, between regions. */
  lossChance: 0.0005,
  /** What a table adds to each request. */
  tableMs: 4,
  /** Limits of one call, as `lib/aws` gives them to the SDK. */
  callTimeoutMs: 1500,
  /** Share of the interval that an agent waits for an answer (`lib/agent/limits.ts`). */
  beatTimeoutShare: 0.9,
  /** Least and most that Route 53's control plane takes for one call. */
  route53CallMsMin: 80,
  route53CallMsMax: 600,
  /** While it works on a change of the zone it refuses the next one (PriorRequestNotComplete). */
  route53BusyMs: 400,
  route53ThrottleChance: 0.002,
  route53LostAnswerChance: 0.001,
  /** Name servers that answer for the zone, each told of a change on its own. */
  nameServers: 24,
  /**
   * Until one name server knows of a change: log-normal, and never above the published 60 s.
   * Median and spread are assumptions; all of 24 then know after 15 s in the median.
   */
  propagationMedianMs: 2500,
  propagationSigma: 0.85,
  propagationMsMax: 60_000,
  /** Health checkers of each check; each asks on its own each 10 s (published: 10 or 30 s). */
  checkers: 16,
  checkerIntervalMs: 10_000,
  /** More healthy checkers than this make a check healthy (published). */
  healthyShare: 0.18,
  /** From a check's change until one name server answers by it. */
  checkPropagationMsMin: 500,
  checkPropagationMsMax: 2500,
  /** Of a path A record (`infra/constructs/routing-health.ts`). */
  pathATtlSeconds: 5,
  pathAFailureThreshold: 1,
  /** Median of the replication lag and its spread, log-normal, drawn anew each second. */
  lagMedianMs: 300,
  lagSigma: 0.6,
  /** What all clients send, and which part of it writes. */
  requestsPerSecond: 1000,
  writeShare: 0.1,
} as const;

/** Clients behind resolvers of one kind. Shares add up to 1. */
export interface ResolverKind {
  readonly share: number;
  /** Resolvers of the kind that are simulated, each with a cache of its own. */
  readonly count: number;
  /** A lower TTL is raised to this. */
  readonly ttlSecondsMin: number;
}

/** Most obey a TTL, some raise it. */
export const RESOLVER_KINDS: readonly ResolverKind[] = [
  { share: 0.92, count: 16, ttlSecondsMin: 0 },
  { share: 0.05, count: 4, ttlSecondsMin: 30 },
  { share: 0.03, count: 4, ttlSecondsMin: 60 },
];

/** One way, drawn: jitter on the usual delay, and now and then a retransmission. */
export function usualDelayMs(
  random: Random,
  {
    from,
    to,
    slowness = 1,
  }: { readonly from: string; readonly to: string; readonly slowness?: number },
): number {
  const { jitterShare, retransmissionChance, retransmissionMs } = ASSUMED;
  const delayMs = distanceMs(from, to) * slowness * (1 + random() * jitterShare);
  const isAgain = from !== to && random() < retransmissionChance;
  return isAgain ? delayMs + retransmissionMs : delayMs;
}

/** A draw from a log-normal distribution (Box and Muller). */
export function logNormal(random: Random, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}

export function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}
