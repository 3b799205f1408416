/**
 * The API function: the Hono app behind a function URL.
 *
 * The answer is buffered, so the live page polls instead of streaming. Reading needs the operator
 * token: a function URL is open to the world, and the names of sites are nobody's business.
 */
import { randomUUID } from 'node:crypto';
import { handle } from 'hono/aws-lambda';
import packageJson from '../../package.json' with { type: 'json' };
import { createApi } from '../api/app.ts';
import { BUFFERED_EVENTS, HEARTBEAT_RATE_DEFAULT } from '../api/dependencies.ts';
import { commandId } from '../base/identifiers.ts';
import type { ControlRegion } from '../control/control-region.ts';
import { type Composition, composeRegion } from './compose.ts';
import { createFreshness } from './freshness.ts';
import { ingressTime } from './ingress-time.ts';

/** What is younger answers as it is. Half of it is added to a switch on average; reads cost money. */
const STATE_AGE_MS_MAX = 2000;
/** Route 53 gives an endpoint two seconds to answer; half of one is spent here at most. */
const PATIENCE_MS = 500;

/** The event of a function URL in, its answer out. */
export type ApiHandler = ReturnType<typeof handle>;

export function composeApi(composition: Composition = composeRegion()): ApiHandler {
  const { settings, region, clock, log } = composition;
  const answer = handle(
    createApi({
      plane: region.plane,
      auth: { operatorTokenHashes: settings.operatorTokenHashes },
      settings: {
        mode: 'aws',
        version: packageJson.version,
        openReads: false,
        heartbeatRate: HEARTBEAT_RATE_DEFAULT,
        events: BUFFERED_EVENTS,
      },
      clock,
      arrivedAt: (bindings) => ingressTime(bindings, clock.wallNow()),
      randomId: randomUUID,
      log,
    }),
  );
  const freshen = createFreshness({
    refresh: () => catchUp(region),
    hasState: () => hasState(region),
    clock,
    ageMsMax: () => STATE_AGE_MS_MAX,
    patienceMs: PATIENCE_MS,
  });
  const { confirmation } = region;
  const confirm = createFreshness({
    refresh: () => confirmation.renew(),
    hasState: () => hasState(region),
    clock,
    ageMsMax: () => confirmation.pauseMs(),
    patienceMs: PATIENCE_MS,
  });
  return async (event, context) => {
    await freshen();
    await confirm();
    return answer(event, context);
  };
}

/** From the own register; a function without any state asks the majority when that does not help. */
async function catchUp(region: ControlRegion): Promise<void> {
  await region.refresh();
  if (!hasState(region)) {
    await region.plane.lookUp(BARRIER);
  }
}

/** An id that no command has: looking it up reads a majority and applies what is committed. */
const BARRIER = commandId('barrier');

function hasState({ plane }: ControlRegion): boolean {
  return plane.status().position.appliedIndex > 0;
}
