/** The heartbeats of one site as this region keeps them: what a back-test can begin with. */
import { createRoute } from '@hono/zod-openapi';
import type { SiteRecord } from '../../control/health-store.ts';
import { watchedSite } from '../../control/watched-sites.ts';
import { quantumMs } from '../../detection/arrival-window.ts';
import { type Guards, guarded } from '../access.ts';
import { type BeatHistoryJson, beatHistorySchema } from '../beat-history-schemas.ts';
import type { ApiApp, ApiDependencies } from '../dependencies.ts';
import { problem } from '../errors.ts';
import { rfc3339 } from '../present-parts.ts';
import { siteParams } from '../requests.ts';
import { unknownSite } from '../site-gate.ts';
import { jsonResponse, PROBLEM_RESPONSE, READ_SECURITY } from './definition.ts';

const beatHistoryRoute = createRoute({
  method: 'get',
  path: '/v1/services/{service}/sites/{site}/beats',
  summary: 'The newest intervals between heartbeats, as this region keeps them.',
  security: READ_SECURITY,
  tags: ['reads'],
  request: { params: siteParams },
  responses: { 200: jsonResponse('The history.', beatHistorySchema), default: PROBLEM_RESPONSE },
});

export function registerBeatHistory(app: ApiApp, { plane }: ApiDependencies, guards: Guards): void {
  app.openapi(guarded(app, guards.reader, beatHistoryRoute), async (c) => {
    const { service, site } = c.req.valid('param');
    const { state } = plane.status();
    if (watchedSite(state, service, site) === null) {
      return unknownSite(c, state);
    }
    const read = await plane.readSite(service, site);
    if (read.kind === 'unknown' || read.kind === 'damaged') {
      return problem(c, 'health-store-unavailable', { detail: read.cause });
    }
    const record = read.kind === 'found' ? read.record : null;
    return c.json({ service, site, observer: plane.region, ...historyOf(record) }, 200);
  });
}

function historyOf(
  record: SiteRecord | null,
): Omit<BeatHistoryJson, 'service' | 'site' | 'observer'> {
  if (record === null) {
    const nothing = { bootId: null, lastSequence: null, lastBeatAt: null };
    return { ...nothing, intervalsMs: [], received: 0, lost: 0 };
  }
  const { window } = record;
  const quantum = quantumMs(window);
  return {
    bootId: window.bootId,
    lastSequence: window.lastSequence,
    lastBeatAt: rfc3339(window.lastArrivalAt),
    intervalsMs: Array.from(window.intervals.view(), (quanta) => quanta * quantum),
    received: window.received,
    lost: window.lost,
  };
}
