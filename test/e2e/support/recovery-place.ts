/**
 * A second local Tripoint, for the cases about strategies: services with capacity, with shares, with
 * leases, and people to tell. Its services stand at other addresses than those of the demo.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { RunJson, ServiceJson, StatusJson } from '../../../lib/api/schemas.ts';
import { type CapacityHook, startCapacityHook } from './capacity-hook.ts';
import type { LocalCluster } from './cluster.ts';
import { ask } from './dns.ts';
import { freshStatus, isQuiet, levelStatus } from './situation.ts';
import { until } from './wait.ts';

export const SERVING = 4;
export const STANDBY = 1;
export const WEIGHTS = { 'us-east-1': 70, 'us-west-2': 30 } as const;

export interface Told {
  readonly subject: string;
  readonly token: string;
}

/** What stands beside the cluster: hooks that grow, and a receiver of notices. */
export interface Surroundings {
  readonly hooks: { readonly east: CapacityHook; readonly west: CapacityHook };
  readonly told: readonly Told[];
  readonly receiverUrl: string;
  readonly stop: () => void;
}

export async function startSurroundings(): Promise<Surroundings> {
  const [east, west] = await Promise.all([startCapacityHook(SERVING), startCapacityHook(STANDBY)]);
  const told: Told[] = [];
  const receiver = await startReceiver((notice) => told.push(notice));
  return {
    hooks: { east, west },
    told,
    receiverUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/notices`,
    stop: () => {
      east.stop();
      west.stop();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

async function startReceiver(take: (notice: Told) => void): Promise<Server> {
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { readonly subject?: unknown };
    const token = request.headers['idempotency-key'];
    take({ subject: String(body.subject), token: String(token) });
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export function recoveryConfiguration({ hooks, receiverUrl }: Surroundings): string {
  return `version: 1
services:
${serviceText('orders', ['127.0.0.21', '127.0.0.22'], {
  own: `strategy: warm-standby
    notify: [{ url: '${receiverUrl}' }]`,
  sites: [capacityOf(hooks.east), capacityOf(hooks.west)],
})}
${serviceText('catalog', ['127.0.0.23', '127.0.0.24'], {
  own: `strategy: active-active
    returning: { percents: [50, 100], hold: 2s }`,
  sites: [`weight: ${WEIGHTS['us-east-1']}`, `weight: ${WEIGHTS['us-west-2']}`],
})}
${serviceText('billing', ['127.0.0.25', '127.0.0.26'], {
  own: `fencing: lease
    drill: { to: us-west-2, duration: 3s }`,
  sites: ['', ''],
})}
`;
}

function capacityOf({ url }: CapacityHook): string {
  return `capacity: { hook: '${url}', serving: ${SERVING}, standby: ${STANDBY} }`;
}

function serviceText(
  name: string,
  addresses: readonly [string, string],
  { own, sites }: { readonly own: string; readonly sites: readonly [string, string] },
): string {
  const site = (place: number, region: string) => `      ${region}:
        address: ${addresses[place]}
        probe: http://${addresses[place]}:8101/healthz
        tokens: ['\${${name.toUpperCase()}_${place}_TOKEN}']
        ${sites[place]}`;
  return `  ${name}:
    dns: { name: ${name}.example.test, ttl: 1s }
    automatic: true
    primary: us-east-1
    detection: { interval: 1s, maxSilence: 8s }
    safety: { holdDown: 0s, automaticRunsPerDay: 100 }
    ${own}
    sites:
${site(0, 'us-east-1')}
${site(1, 'us-west-2')}`;
}

/** The service as all regions agree it stands; null = they do not, or it is not there. */
export async function serviceOf(
  cluster: LocalCluster,
  name: string,
): Promise<{ readonly service: ServiceJson; readonly status: StatusJson } | null> {
  const status = await levelStatus(cluster);
  const service = status?.services.find((candidate) => candidate.service === name);
  return status === null || service === undefined ? null : { service, status };
}

/** Steady, and every site healthy to every region. */
export function untilReady(cluster: LocalCluster, name: string): Promise<ServiceJson> {
  return until(
    `${name} is steady and both sites are healthy`,
    async () => {
      const service = (await serviceOf(cluster, name))?.service;
      return service !== undefined && isQuiet(service) ? service : null;
    },
    { timeoutMs: 60_000, pollMs: 100 },
  );
}

export function untilAnswered(cluster: LocalCluster, name: string, address: string): Promise<true> {
  return until(
    `${name}.example.test answers ${address}`,
    async () => {
      const values = await ask(cluster.file.dns, `${name}.example.test`);
      return values?.join() === address ? true : null;
    },
    { timeoutMs: 60_000, pollMs: 20 },
  );
}

/** The newest run of this kind, once it has ended. */
export function untilEnded(
  cluster: LocalCluster,
  name: string,
  kind: RunJson['kind'],
): Promise<RunJson> {
  return until(
    `the ${kind} of ${name} ends`,
    async () => {
      const status = await freshStatus(cluster);
      const run = status?.runs.find((found) => found.service === name && found.kind === kind);
      return run !== undefined && run.outcome.kind !== 'open' ? run : null;
    },
    { timeoutMs: 60_000, pollMs: 100 },
  );
}
