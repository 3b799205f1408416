/**
 * A strict stand-in for Route 53 on loopback, speaking its REST-XML protocol (2013-04-01), so that
 * the real SDK client talks to it by an endpoint override.
 *
 * What it enforces: signed requests, schema order of the XML, atomic batches, exact-match DELETE,
 * one change at a time per zone (PriorRequestNotComplete), a token bucket (Throttling), PENDING
 * before INSYNC, listing by reversed labels with paging. Time is a number that the test moves; no
 * timer runs. Faults are queued and used up one by one.
 *
 * What it cannot prove: that Route 53 itself behaves so; only a run against AWS can.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Answer,
  failure,
  readChanges,
  setNodes,
  success,
  wireName,
} from './route53-stand-in-protocol.ts';
import { parseXml, writeXml, XmlFault, type XmlNode } from './route53-stand-in-xml.ts';
import {
  applyStandInBatch,
  listSets,
  newStandInZone,
  type StandInChange,
  type StandInSet,
  seedZone,
} from './route53-stand-in-zone.ts';

type StandInFault =
  /** Apply, then cut the connection without an answer. */
  | { readonly on: Operation; readonly kind: 'drop-reply' }
  /** Answer an error without applying. */
  | { readonly on: Operation; readonly kind: 'fail-before'; readonly status: 500 | 503 }
  /** Apply, then answer 500. */
  | { readonly on: Operation; readonly kind: 'fail-after' }
  /** Apply only once the promise resolves. */
  | { readonly on: Operation; readonly kind: 'hold'; readonly until: Promise<void> };

type Operation = 'change' | 'list' | 'get-change';

interface StandInSettings {
  /** How long after a change the zone answers PriorRequestNotComplete. */
  changeWindowMs: number;
  /** How long a change is PENDING. */
  propagationMs: number;
  /** Token bucket of all requests; null = no throttling. */
  bucket: { readonly capacity: number; readonly refillPerSecond: number } | null;
  /** The two forms in which Route 53 answers a bad batch. */
  batchErrorForm: 'error-response' | 'invalid-change-batch';
  /** Answers AccessDenied to everything. */
  isDenied: boolean;
}

export interface StandIn {
  readonly url: string;
  readonly hostedZoneId: string;
  readonly settings: StandInSettings;
  /** Lets time pass; starts at 0. */
  readonly advance: (byMs: number) => void;
  readonly inject: (...faults: readonly StandInFault[]) => void;
  readonly seed: (sets: readonly StandInSet[]) => void;
  readonly sets: () => readonly StandInSet[];
  /** One line for each request: operation and HTTP status (0 = no answer). */
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

export async function startRoute53StandIn(origin: string): Promise<StandIn> {
  const state = newState(origin);
  const server = createServer((request, response) => {
    handle(state, request, response).catch((thrown: unknown) => {
      response.destroy(thrown instanceof Error ? thrown : undefined);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hostedZoneId: HOSTED_ZONE_ID,
    settings: state.settings,
    advance: (byMs) => {
      state.nowMs += byMs;
    },
    inject: (...faults) => state.faults.push(...faults),
    seed: (sets) => {
      state.zone = seedZone(state.zone, sets);
    },
    sets: () => [...state.zone.sets.values()],
    requests: state.requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const HOSTED_ZONE_ID = 'Z0STANDIN00000000001';

function newState(origin: string) {
  const settings: StandInSettings = {
    changeWindowMs: 0,
    propagationMs: 0,
    bucket: null,
    batchErrorForm: 'error-response',
    isDenied: false,
  };
  return {
    zone: newStandInZone(origin),
    settings,
    nowMs: 0,
    busyUntilMs: 0,
    tokens: Number.POSITIVE_INFINITY,
    refilledAtMs: 0,
    submittedAtMs: new Map<string, number>(),
    faults: [] as StandInFault[],
    requests: [] as string[],
  };
}

type State = ReturnType<typeof newState>;

async function handle(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString('utf8');
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const operation = operationOf(request.method ?? '', url);
  const position = state.faults.findIndex(({ on }) => on === operation);
  const [fault] = position < 0 ? [] : state.faults.splice(position, 1);
  if (fault?.kind === 'hold') {
    await fault.until;
  }
  const answer =
    fault?.kind === 'fail-before'
      ? failure(
          fault.status,
          fault.status === 503 ? 'ServiceUnavailable' : 'InternalFailure',
          'injected',
        )
      : (guard(state, request) ?? serve(state, url, { operation, body }));
  if (fault?.kind === 'drop-reply') {
    state.requests.push(`${operation} 0`);
    response.destroy();
    return;
  }
  send(state, response, {
    operation,
    answer: fault?.kind === 'fail-after' ? failure(500, 'InternalFailure', 'injected') : answer,
  });
}

function send(
  state: State,
  response: ServerResponse,
  { operation, answer }: { readonly operation: Operation | null; readonly answer: Answer },
): void {
  state.requests.push(`${operation} ${answer.status}`);
  response.writeHead(answer.status, {
    'content-type': 'text/xml',
    'x-amzn-requestid': `stand-in-${state.requests.length}`,
  });
  response.end(writeXml(answer.document));
}

const RRSET_PATH = /^\/2013-04-01\/hostedzone\/([A-Z0-9]{1,32})\/rrset\/?$/;
const CHANGE_PATH = /^\/2013-04-01\/change\/([A-Z0-9]{1,32})$/;

function operationOf(method: string, url: URL): Operation | null {
  if (RRSET_PATH.test(url.pathname)) {
    return method === 'POST' ? 'change' : method === 'GET' ? 'list' : null;
  }
  return method === 'GET' && CHANGE_PATH.test(url.pathname) ? 'get-change' : null;
}

/** What Route 53 refuses before it looks at the request: signature, rights, rate. */
function guard(state: State, request: IncomingMessage): Answer | null {
  const authorization = request.headers.authorization ?? '';
  if (!/^AWS4-HMAC-SHA256 Credential=\S+\/route53\/aws4_request, /.test(authorization)) {
    return failure(403, 'MissingAuthenticationToken', 'Missing Authentication Token');
  }
  if (state.settings.isDenied) {
    return failure(403, 'AccessDenied', 'User: stand-in is not authorized to perform this action');
  }
  return takeToken(state) ? null : failure(400, 'Throttling', 'Rate exceeded');
}

function takeToken(state: State): boolean {
  const { bucket } = state.settings;
  if (bucket === null) {
    return true;
  }
  const refilled = ((state.nowMs - state.refilledAtMs) / 1000) * bucket.refillPerSecond;
  state.tokens = Math.min(bucket.capacity, state.tokens + refilled);
  state.refilledAtMs = state.nowMs;
  if (state.tokens < 1) {
    return false;
  }
  state.tokens -= 1;
  return true;
}

interface Asked {
  readonly operation: Operation | null;
  readonly body: string;
}

function serve(state: State, url: URL, { operation, body }: Asked): Answer {
  const zoneId = RRSET_PATH.exec(url.pathname)?.[1];
  if (operation !== 'get-change' && operation !== null && zoneId !== HOSTED_ZONE_ID) {
    return failure(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${zoneId}`);
  }
  switch (operation) {
    case 'change':
      return changeSets(state, body);
    case 'list':
      return list(state, url.searchParams);
    case 'get-change':
      return getChange(state, CHANGE_PATH.exec(url.pathname)?.[1] ?? '');
    case null:
      return failure(404, 'UnknownOperationException', 'no such operation');
  }
}

function changeSets(state: State, body: string): Answer {
  let changes: readonly StandInChange[];
  try {
    changes = readChanges(parseXml(body));
  } catch (thrown) {
    if (thrown instanceof XmlFault) {
      return failure(400, 'InvalidInput', `Invalid XML ; ${thrown.message}`);
    }
    throw thrown;
  }
  if (state.nowMs < state.busyUntilMs) {
    const message =
      'The request was rejected because Route 53 was still processing a prior request.';
    return failure(400, 'PriorRequestNotComplete', message);
  }
  const result = applyStandInBatch(state.zone, changes);
  if (result.kind === 'invalid') {
    return batchFailure(state, result.messages);
  }
  state.zone = result.zone;
  state.busyUntilMs = state.nowMs + state.settings.changeWindowMs;
  const id = `C0STANDIN${String(state.submittedAtMs.size + 1).padStart(8, '0')}`;
  state.submittedAtMs.set(id, state.nowMs);
  return success('ChangeResourceRecordSetsResponse', [changeInfo(state, id)]);
}

function batchFailure(state: State, messages: readonly string[]): Answer {
  if (state.settings.batchErrorForm === 'error-response') {
    const text = messages.length === 1 ? messages[0] : undefined;
    return failure(
      400,
      'InvalidChangeBatch',
      text === undefined ? `[${messages.join(', ')}]` : `[${text}]`,
    );
  }
  const listed = messages.map((message): XmlNode => ['Message', message]);
  return {
    status: 400,
    document: [
      'InvalidChangeBatch',
      [
        ['Messages', listed],
        ['RequestId', 'r'],
      ],
    ],
  };
}

function getChange(state: State, id: string): Answer {
  return state.submittedAtMs.has(id)
    ? success('GetChangeResponse', [changeInfo(state, id)])
    : failure(404, 'NoSuchChange', `A change with id ${id} was not found`);
}

function changeInfo(state: State, id: string): XmlNode {
  const ageMs = state.nowMs - (state.submittedAtMs.get(id) ?? 0);
  const status = ageMs >= state.settings.propagationMs ? 'INSYNC' : 'PENDING';
  return [
    'ChangeInfo',
    [
      ['Id', `/change/${id}`],
      ['Status', status],
      ['SubmittedAt', '2026-11-01T00:00:00.000Z'],
    ],
  ];
}

const ITEMS_MAX = 300;

function list(state: State, query: URLSearchParams): Answer {
  const name = wireName(query.get('name') ?? '');
  const type = query.get('type') ?? '';
  const identifier = query.get('identifier') ?? '';
  if (type !== '' && name === '.') {
    return failure(400, 'InvalidInput', 'a type needs a name');
  }
  const itemsMax = Math.min(ITEMS_MAX, Number(query.get('maxitems') ?? ITEMS_MAX));
  const { sets, next } = listSets(state.zone, { name, type, identifier }, itemsMax);
  const nextNodes: readonly XmlNode[] =
    next === null
      ? []
      : [
          ['NextRecordName', next.name],
          ['NextRecordType', next.type],
          ...(next.setIdentifier === undefined
            ? []
            : [['NextRecordIdentifier', next.setIdentifier] as const]),
        ];
  return success('ListResourceRecordSetsResponse', [
    ['ResourceRecordSets', sets.map((set): XmlNode => ['ResourceRecordSet', setNodes(set)])],
    ['IsTruncated', next !== null],
    ...nextNodes,
    ['MaxItems', itemsMax],
  ]);
}
