/**
 * What the API is made of: one control plane, who may ask what, and the ports for time and chance.
 *
 * The app that comes out is a web-standard function from Request to Response. The same one runs in
 * a Lambda function, behind a local server and in tests; none of them is visible from here.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Clock } from '../base/clock.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import type { TokenBucketPolicy } from '../resilience/token-bucket.ts';

export interface ApiAuth {
  /** SHA-256 (64 lower-case hex digits) of each accepted operator token; none = no commands. */
  readonly operatorTokenHashes: readonly string[];
}

export interface EventSettings {
  /** Time between two events of a stream when nothing changes, at least 100. */
  readonly intervalMs: number;
  /**
   * A stream ends after this and the browser connects again. 0 = one event for each request, which
   * turns the stream into polling where a host cannot stream (a buffering Lambda function).
   */
  readonly durationMsMax: number;
  /** Open streams of this process; more are refused. */
  readonly streamsMax: number;
}

export interface ApiSettings {
  /** Shown on the page and in the status. `local` means: nothing here is a real cloud. */
  readonly mode: 'local' | 'aws';
  readonly version: string;
  /** Whether reading needs no token. Commands always need one. */
  readonly openReads: boolean;
  /** For each site and token. */
  readonly heartbeatRate: TokenBucketPolicy;
  readonly events: EventSettings;
}

export interface ApiDependencies {
  readonly plane: ControlPlane;
  readonly auth: ApiAuth;
  readonly settings: ApiSettings;
  readonly clock: Clock;
  /**
   * When the request that a heartbeat came in with reached this region, by the region's clock: on AWS
   * the stamp of the ingress, which stands before a cold start. All beats of a site are stamped by
   * one kind of clock, so that a slow start of ours never looks like a late beat of theirs.
   *
   * @param bindings what the host gave along with the request (`c.env`)
   */
  readonly arrivedAt: (bindings: unknown) => EpochMillis;
  /** A new random UUID: request ids, and command ids where the caller names none. */
  readonly randomId: () => string;
  readonly log: LogEvent;
}

export interface ApiEnvironment {
  readonly Variables: { readonly requestId: string };
}

export type ApiApp = OpenAPIHono<ApiEnvironment>;
export type ApiContext = Context<ApiEnvironment>;

/**
 * Of one token, in one process. A site beats ten times a second at most; twice that leaves room for a
 * repeat of each beat.
 */
export const HEARTBEAT_RATE_DEFAULT: TokenBucketPolicy = { capacity: 60, refillPerSecond: 20 };

export const LOCAL_EVENTS: EventSettings = {
  intervalMs: 1000,
  durationMsMax: 3_600_000,
  streamsMax: 100,
};

/** Each event costs an invocation; the page is still never older than a few seconds. */
export const BUFFERED_EVENTS: EventSettings = {
  intervalMs: 5000,
  durationMsMax: 0,
  streamsMax: 100,
};
