/** The status page, its assets, and the event stream that keeps it up to date. */
import { createHash } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import { type Guards, guarded } from '../access.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { problem } from '../errors.ts';
import { createEventStreams } from '../event-stream.ts';
import { freshStatus } from '../fresh-status.ts';
import { SCRIPT } from '../page/script.ts';
import { statusPage } from '../page/status-page.ts';
import { ICON, STYLESHEET } from '../page/stylesheet.ts';
import { presentStatus } from '../present.ts';
import { PROBLEM_RESPONSE, READ_SECURITY } from './definition.ts';

const COMMON = { method: 'get' as const, security: READ_SECURITY, tags: ['page'] };

const pageRoute = createRoute({
  ...COMMON,
  path: '/',
  summary: 'The status page. A browser logs in with the operator token as password.',
  responses: {
    200: { description: 'HTML.', content: { 'text/html': { schema: z.string() } } },
    default: PROBLEM_RESPONSE,
  },
});

const eventsRoute = createRoute({
  ...COMMON,
  path: '/v1/events',
  summary: 'Server-sent events: `status` at each change, and at least once in an interval.',
  description: 'An event carries where the log stands; fetch /v1/status for the rest.',
  responses: {
    200: { description: 'A stream.', content: { 'text/event-stream': { schema: z.string() } } },
    default: PROBLEM_RESPONSE,
  },
});

const ASSETS = [
  { path: '/assets/tripoint.css', type: 'text/css; charset=utf-8', text: STYLESHEET },
  { path: '/assets/status.js', type: 'text/javascript; charset=utf-8', text: SCRIPT },
  { path: '/assets/icon.svg', type: 'image/svg+xml', text: ICON },
] as const;

export function registerPage(app: ApiApp, dependencies: ApiDependencies, guards: Guards): void {
  const { plane, settings, clock } = dependencies;
  const streams = createEventStreams({ plane, clock, settings: settings.events });
  app.openapi(guarded(app, guards.reader, pageRoute), async (c) =>
    c.html(statusPage(presentStatus(await freshStatus(dependencies), settings)), 200),
  );
  app.openapi(guarded(app, guards.reader, eventsRoute), (c) => {
    const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    if (c.req.method === 'HEAD') {
      return c.body(null, 200, headers);
    }
    const stream = streams.open(c.req.raw.signal);
    return stream === null
      ? problem(c, 'too-many-streams', {
          detail: `${settings.events.streamsMax} streams are open in this process`,
          retryAfterSeconds: 10,
        })
      : c.body(stream, 200, headers);
  });
  registerAssets(app, guards);
}

/** Checked against their hash at each load: small, and never stale after an upgrade. */
function registerAssets(app: ApiApp, guards: Guards): void {
  for (const { path, type, text } of ASSETS) {
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`;
    app.get(path, guards.reader, (c) => {
      const headers = { 'content-type': type, etag, 'cache-control': 'no-cache' };
      return c.req.header('if-none-match') === etag
        ? c.body(null, 304, headers)
        : c.body(text, 200, headers);
    });
  }
}
