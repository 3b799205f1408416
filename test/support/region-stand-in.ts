/**
 * A control region as an agent sees it: a real server on loopback that answers heartbeats, whose
 * answers a test chooses. For what only a whole region can do, use the API fixture.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StandInAnswer {
  readonly role: 'active' | 'standby' | 'unknown';
  readonly term: number;
  readonly nextBeatMs: number;
  readonly leaseMs: number;
}

interface StandInText {
  readonly status: number;
  /** As it is, well-formed or not; `{}` if left out. */
  readonly text?: string;
}

export interface StandInBeat {
  readonly path: string;
  readonly authorization: string;
  readonly body: {
    readonly sequence: number;
    readonly bootId: string;
    readonly status: string;
    readonly replicationLagMs?: number;
    readonly acknowledgedEpoch?: { readonly term: number; readonly index: number };
  };
}

export interface RegionStandIn {
  readonly url: string;
  readonly beats: readonly StandInBeat[];
  /** From now on; `hang` takes the request and never answers. */
  readonly reply: (answer: StandInAnswer | 'hang' | StandInText) => void;
  /** Resolves with the first beat, also an earlier one, for which the condition holds. */
  readonly until: (holds: (beat: StandInBeat) => boolean) => Promise<StandInBeat>;
  readonly close: () => Promise<void>;
}

export const ACTIVE: StandInAnswer = { role: 'active', term: 1, nextBeatMs: 500, leaseMs: 6000 };
export const STANDBY: StandInAnswer = { ...ACTIVE, role: 'standby', term: 2 };

interface Waiter {
  readonly holds: (beat: StandInBeat) => boolean;
  readonly resolve: (beat: StandInBeat) => void;
}

export async function startRegionStandIn(first: StandInAnswer = ACTIVE): Promise<RegionStandIn> {
  const beats: StandInBeat[] = [];
  const waiters = new Set<Waiter>();
  let answer: Parameters<RegionStandIn['reply']>[0] = first;
  const server = createServer(async (request, response) => {
    const beat = await readBeat(request);
    beats.push(beat);
    for (const waiter of waiters) {
      if (waiter.holds(beat)) {
        waiters.delete(waiter);
        waiter.resolve(beat);
      }
    }
    if (answer === 'hang') {
      return;
    }
    const { status, text = '{}' } =
      'status' in answer ? answer : { status: 200, text: JSON.stringify(bodyOf(answer)) };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(text);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    beats,
    reply: (next) => {
      answer = next;
    },
    until: (holds) =>
      new Promise((resolve) => {
        const known = beats.find(holds);
        if (known === undefined) {
          waiters.add({ holds, resolve });
        } else {
          resolve(known);
        }
      }),
    close: () => closeServer(server),
  };
}

async function readBeat(request: IncomingMessage): Promise<StandInBeat> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
  }
  const { authorization = '' } = request.headers;
  return { path: request.url ?? '', authorization, body: JSON.parse(text) };
}

function bodyOf({ role, term, nextBeatMs, leaseMs }: StandInAnswer) {
  const epoch = { term, index: 10 * term };
  return { role, epoch, nextBeatMs, leaseMs, receivedAt: '2026-11-23T10:00:00Z' };
}

async function closeServer(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

export interface RegionStandIns {
  readonly start: (first?: StandInAnswer) => Promise<RegionStandIn>;
  /** Ends all that were started. */
  readonly close: () => Promise<void>;
}

/** The regions of one test file. */
export function createRegionStandIns(): RegionStandIns {
  const started: RegionStandIn[] = [];
  return {
    start: async (first) => {
      const standIn = await startRegionStandIn(first);
      started.push(standIn);
      return standIn;
    },
    close: async () => {
      await Promise.all(started.map((standIn) => standIn.close()));
    },
  };
}
