/**
 * A stand-in on loopback for the AWS services that steps act on, in their own protocols: query and XML
 * (Auto Scaling, RDS, SNS), JSON 1.1 (ECS, Application Auto Scaling), REST and JSON (Lambda). The real SDK
 * clients talk to it by an endpoint override.
 *
 * What it enforces: signed requests, known actions, resources that exist, limits of each resource, and
 * states in which a service would refuse. Faults are queued and used up by the next request of their
 * action: a lost answer (the change is made, the connection cut), a throttle, a denial, an error.
 *
 * What it cannot prove: that AWS itself behaves so; only a run against AWS can.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActionWorld } from './action-world.ts';
import { answerJson } from './actions-stand-in-json.ts';
import { answerLambda } from './actions-stand-in-lambda.ts';
import { answerQuery } from './actions-stand-in-query.ts';

export interface StandInRequest {
  readonly action: string;
  readonly region: string;
  /** Parameters of a query, or the members of a JSON body. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly path: string;
}

export type StandInAnswer =
  | { readonly kind: 'ok'; readonly body: string; readonly headers?: Record<string, string> }
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message: string;
    };

export interface ActionFault {
  /** Action, e.g. `SetDesiredCapacity`. */
  readonly on: string;
  readonly kind: 'drop-reply' | 'throttle' | 'deny' | 'fail-before';
}

export interface ActionsStandIn {
  readonly url: string;
  readonly world: ActionWorld;
  /** `region action`, one for each request. */
  readonly requests: readonly string[];
  readonly inject: (...faults: readonly ActionFault[]) => void;
  readonly close: () => Promise<void>;
}

const SCOPE = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/[a-z0-9-]+\/aws4_request/;

export async function startActionsStandIn(): Promise<ActionsStandIn> {
  const world = new ActionWorld();
  const faults: ActionFault[] = [];
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const handling = handle({ world, faults, requests }, request, response);
    handling.catch((thrown: unknown) => {
      response.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    world,
    requests,
    inject: (...more) => {
      faults.push(...more);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface State {
  readonly world: ActionWorld;
  readonly faults: ActionFault[];
  readonly requests: string[];
}

type Protocol = 'query' | 'json' | 'lambda';

async function handle(
  { world, faults, requests }: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, region] = SCOPE.exec(request.headers.authorization ?? '') ?? [];
  if (region === undefined) {
    throw new Error('the request is not signed');
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { protocol, ...call } = readCall(request, text);
  requests.push(`${region} ${call.action}`);
  const place = faults.findIndex(({ on }) => on === call.action);
  const fault = place < 0 ? null : (faults.splice(place, 1)[0]?.kind ?? null);
  const refusal = fault === null ? null : refusalOf(fault);
  const answer = refusal ?? answerTo(protocol, world, { ...call, region });
  if (fault === 'drop-reply') {
    response.destroy();
    return;
  }
  send(protocol, answer, response);
}

function refusalOf(fault: ActionFault['kind']): StandInAnswer | null {
  switch (fault) {
    case 'throttle':
      return { kind: 'error', status: 400, code: 'ThrottlingException', message: 'Rate exceeded' };
    case 'deny':
      return { kind: 'error', status: 403, code: 'AccessDeniedException', message: 'no right' };
    case 'fail-before':
      return { kind: 'error', status: 500, code: 'InternalFailure', message: 'try again' };
    default:
      return null;
  }
}

function readCall(
  request: IncomingMessage,
  text: string,
): Omit<StandInRequest, 'region'> & { readonly protocol: Protocol } {
  const path = request.url ?? '/';
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const action = target.split('.').at(-1) ?? '';
    return { protocol: 'json', action, path, input: JSON.parse(text) };
  }
  if (text.startsWith('Action=')) {
    const input = Object.fromEntries(new URLSearchParams(text));
    return { protocol: 'query', action: input['Action'] ?? '', path, input };
  }
  const method = request.method ?? 'GET';
  const verb = path.includes('/invocations') ? 'Invoke' : `${method} concurrency`;
  const input = text === '' ? {} : JSON.parse(text);
  return { protocol: 'lambda', action: verb, path, input };
}

function answerTo(protocol: Protocol, world: ActionWorld, call: StandInRequest): StandInAnswer {
  switch (protocol) {
    case 'query':
      return answerQuery(world, call);
    case 'json':
      return answerJson(world, call);
    case 'lambda':
      return answerLambda(world, call);
  }
}

function send(protocol: Protocol, answer: StandInAnswer, response: ServerResponse): void {
  const type = {
    query: 'text/xml',
    json: 'application/x-amz-json-1.1',
    lambda: 'application/json',
  };
  const headers = { 'content-type': type[protocol], 'x-amzn-requestid': 'stand-in' };
  if (answer.kind === 'ok') {
    response.writeHead(200, { ...headers, ...answer.headers }).end(answer.body);
    return;
  }
  const { status, code, message } = answer;
  if (protocol === 'query') {
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
    const body = `<ErrorResponse>${error}<RequestId>stand-in</RequestId></ErrorResponse>`;
    response.writeHead(status, headers).end(body);
    return;
  }
  const body = JSON.stringify({ __type: code, Type: 'User', message, Message: message });
  response.writeHead(status, { ...headers, 'x-amzn-errortype': code }).end(body);
}
