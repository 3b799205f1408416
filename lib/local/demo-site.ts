/**
 * One site of the demo service: a real HTTP server that beats to every region with the same client
 * that users get, and that a user can make sick.
 *
 * ```text
 * GET  /                            which site answered, its role and epoch
 * GET  /health, /healthz            200 while it serves, 503 while it is failing
 * POST /admin/health?state=failing  ok | degraded | failing; from this machine only
 * ```
 *
 * A failing site answers 503 to its clients as well: it is meant to look sick from every side.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HeartbeatProblem } from '../agent/endpoint.ts';
import { type HeartbeatClient, startHeartbeats } from '../agent/heartbeat-client.ts';
import type { HeartbeatStatus, RoleReason } from '../agent/heartbeat-options.ts';
import type { SiteRole } from '../agent/role.ts';
import { AppError } from '../base/errors.ts';
import type { JsonValue } from '../base/json.ts';

export interface DemoSiteOptions {
  readonly service: string;
  readonly site: string;
  /** Address to listen on, e.g. `127.0.0.11`. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Base URLs of all control regions. */
  readonly endpoints: readonly string[];
  readonly token: string;
  readonly intervalMs: number;
  readonly onRole?: (role: SiteRole, reason: RoleReason) => void;
  readonly onProblem?: (problem: HeartbeatProblem) => void;
}

export interface DemoSite {
  /** Base URL with the port in force, without a trailing slash. */
  readonly url: string;
  /** Ends the beats, then the server. A site that is killed does neither. */
  readonly close: () => Promise<void>;
}

interface Site {
  readonly options: DemoSiteOptions;
  readonly heartbeats: HeartbeatClient;
  status: HeartbeatStatus;
}

interface Reply {
  readonly status: number;
  readonly body: JsonValue;
  readonly allow?: string;
}

/**
 * Resolves when the site serves and beats.
 *
 * @throws AppError `address-unavailable` or `port-in-use` when it cannot listen.
 */
export async function startDemoSite(options: DemoSiteOptions): Promise<DemoSite> {
  const { service, site: name, endpoints, token, intervalMs, onRole, onProblem } = options;
  const server = createServer();
  await listen(server, options);
  const heartbeats = startHeartbeats({
    service,
    site: name,
    endpoints,
    token,
    intervalMs,
    status: () => site.status,
    ...(onRole === undefined ? {} : { onRole }),
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  const site: Site = { options, heartbeats, status: 'ok' };
  server.on('request', (request, response) => send(response, answer(site, request)));
  return {
    url: urlOf(server, options.host),
    close: async () => {
      await heartbeats.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(site: Site, request: IncomingMessage): Reply {
  // Split by hand: a request target such as `//` is no URL, and a client may send anything.
  const [path, query] = (request.url ?? '/').split('?', 2);
  switch (path) {
    case '/':
      return isRead(request) ? { status: statusCode(site), body: describeSite(site) } : only('GET');
    case '/health':
    case '/healthz':
      return isRead(request)
        ? { status: statusCode(site), body: { status: site.status } }
        : only('GET');
    case '/admin/health':
      return request.method === 'POST' ? setStatus(site, request, query) : only('POST');
    default:
      return problem(404, 'The demo site has /, /health and /admin/health.');
  }
}

function describeSite(site: Site): JsonValue {
  const { service, site: name } = site.options;
  const { role, epoch } = site.heartbeats.snapshot().role;
  return {
    service,
    site: name,
    role,
    epoch: epoch === null ? null : { term: epoch.term, index: epoch.index },
    status: site.status,
  };
}

function setStatus(site: Site, request: IncomingMessage, query: string | undefined): Reply {
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    return problem(403, 'Only this machine may change the health of the demo site.');
  }
  const state = new URLSearchParams(query).get('state');
  if (state !== 'ok' && state !== 'degraded' && state !== 'failing') {
    return problem(400, 'Give ?state=ok, ?state=degraded or ?state=failing.');
  }
  site.status = state;
  return { status: 200, body: { status: state } };
}

function statusCode(site: Site): number {
  return site.status === 'failing' ? 503 : 200;
}

function isRead(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** All of 127.0.0.0/8, also when it comes mapped into IPv6. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function only(method: string): Reply {
  return { ...problem(405, `This path answers ${method} only.`), allow: method };
}

function problem(status: number, detail: string): Reply {
  return { status, body: { type: 'about:blank', status, detail } };
}

function send(response: ServerResponse, reply: Reply): void {
  const isProblem = reply.status >= 400 && reply.status !== 503;
  response.writeHead(reply.status, {
    'content-type': isProblem ? 'application/problem+json' : 'application/json',
    'cache-control': 'no-store',
    ...(reply.allow === undefined ? {} : { allow: reply.allow }),
  });
  response.end(`${JSON.stringify(reply.body)}\n`);
}

function listen(server: Server, options: DemoSiteOptions): Promise<void> {
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(describeListenFailure(options, cause)));
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function describeListenFailure(
  { host, port, service, site }: DemoSiteOptions,
  cause: NodeJS.ErrnoException,
): AppError {
  const message = `${service}@${site} cannot listen on ${host}:${port}`;
  if (cause.code === 'EADDRNOTAVAIL') {
    const hint = `On macOS run \`sudo ifconfig lo0 alias ${host}\`; Linux needs nothing.`;
    return new AppError(message, { code: 'address-unavailable', hint, retryable: false, cause });
  }
  const hint = 'Stop the program that holds the port, or choose another port.';
  return new AppError(`${message} (${cause.code})`, {
    code: 'port-in-use',
    hint,
    retryable: cause.code === 'EADDRINUSE',
    cause,
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
