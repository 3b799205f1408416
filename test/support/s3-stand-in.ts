/**
 * A strict stand-in for S3 that the real SDK talks to over real HTTP.
 *
 * It knows the four calls that Tripoint makes and refuses everything else, and it checks what S3
 * checks: signature header, payload hash, SHA-256, conditional put, bucket, page size. It has no
 * mercy for a client that leaves something out: a call without `If-None-Match` fails here although
 * S3 would take it, because here it would be a defect.
 *
 * Faults are queued by `fail` and used up one a request, so a test says exactly which call is hit.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type S3Fault =
  /** This request is served well; the fault queued after it hits the next one. */
  | 'none'
  /** The object is stored; the connection breaks before the reply. */
  | 'drop-reply'
  /** The connection breaks before anything is done. */
  | 'drop-request'
  /** The request is read and never answered. */
  | 'hang'
  | 'slow-down'
  | 'internal-error'
  | 'access-denied'
  | 'conditional-conflict'
  /** One bit of the body is flipped on the way out. */
  | 'corrupt-byte'
  /** The body ends before its announced length. */
  | 'cut-body';

export interface S3StandIn {
  readonly url: string;
  readonly bucket: string;
  readonly fail: (...faults: readonly S3Fault[]) => void;
  /** `METHOD key` of each request so far, with the headers that came. */
  readonly requests: readonly SeenRequest[];
  /** Writes around the API, as a disk would rot or another program would write. */
  readonly plant: (key: string, object: PlantedObject) => void;
  readonly close: () => Promise<void>;
}

export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
}

export interface PlantedObject {
  readonly bytes: Uint8Array;
  /** Base64; null = the object was written without one. */
  readonly sha256: string | null;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

interface Call {
  readonly method: string;
  /** '' = the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface State {
  readonly bucket: string;
  readonly pageKeysMax: number;
  readonly objects: Map<string, PlantedObject>;
  readonly faults: S3Fault[];
  readonly requests: SeenRequest[];
}

/** `pageKeysMax`: S3 gives at most 1,000 keys a page, and may give fewer; default 1,000. */
export async function startS3StandIn(
  options: { readonly bucket?: string; readonly pageKeysMax?: number } = {},
): Promise<S3StandIn> {
  const state: State = {
    bucket: options.bucket ?? 'tripoint-test',
    pageKeysMax: options.pageKeysMax ?? 1000,
    objects: new Map(),
    faults: [],
    requests: [],
  };
  const server = createServer((request, response) => {
    serve(state, request, response).catch((cause: Error) => response.destroy(cause));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket: state.bucket,
    fail: (...faults) => state.faults.push(...faults),
    requests: state.requests,
    plant: (key, object) => state.objects.set(key, object),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = await readCall(request);
  state.requests.push({ line: `${call.method} ${call.key}`, headers: call.headers });
  const fault = state.faults.shift();
  if (fault === 'drop-request') {
    request.socket.destroy();
    return;
  }
  if (fault === 'hang') {
    return;
  }
  const answer = refusalOf(fault) ?? answerCall(state, call);
  if (fault === 'drop-reply') {
    request.socket.destroy();
    return;
  }
  send(response, call.method, spoil(answer, fault));
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const [, bucket = '', ...key] = decodeURIComponent(url.pathname).split('/');
  return {
    method: request.method ?? '',
    key: key.join('/'),
    query: url.searchParams,
    headers: { ...request.headers, 'x-stand-in-bucket': bucket },
    body: Buffer.concat(chunks),
  };
}

function answerCall(state: State, call: Call): Answer {
  const refusal = checkRequest(state, call);
  if (refusal !== null) {
    return refusal;
  }
  switch (`${call.method} ${call.key === '' ? 'bucket' : 'object'}`) {
    case 'PUT object':
      return putObject(state, call);
    case 'GET object':
    case 'HEAD object':
      return getObject(state, call);
    case 'GET bucket':
      return listObjects(state, call);
    default:
      return errorAnswer(501, 'NotImplemented', 'The stand-in does not know this call.');
  }
}

function checkRequest(state: State, call: Call): Answer | null {
  const { headers, body } = call;
  if (!/^AWS4-HMAC-SHA256 Credential=.+Signature=[0-9a-f]{64}$/.test(headers.authorization ?? '')) {
    return errorAnswer(403, 'AccessDenied', 'The request is not signed.');
  }
  const announced = headers['x-amz-content-sha256'];
  const actual = createHash('sha256').update(body).digest('hex');
  if (announced !== actual && announced !== 'UNSIGNED-PAYLOAD') {
    return errorAnswer(400, 'XAmzContentSHA256Mismatch', 'The payload is not what was signed.');
  }
  if (headers['x-stand-in-bucket'] !== state.bucket) {
    return errorAnswer(404, 'NoSuchBucket', 'The specified bucket does not exist');
  }
  return null;
}

function putObject(state: State, call: Call): Answer {
  const { headers, body, key } = call;
  if (headers['if-none-match'] !== '*') {
    return errorAnswer(400, 'InvalidRequest', 'The stand-in takes conditional puts only.');
  }
  if (headers['content-encoding'] !== undefined || headers['content-length'] === undefined) {
    return errorAnswer(501, 'NotImplemented', 'The stand-in takes whole bodies only.');
  }
  const sha256 = createHash('sha256').update(body).digest('base64');
  if (headers['x-amz-checksum-sha256'] !== sha256) {
    return errorAnswer(400, 'BadDigest', 'The SHA-256 you specified did not match.');
  }
  if (state.objects.has(key)) {
    return errorAnswer(412, 'PreconditionFailed', 'At least one of the pre-conditions failed');
  }
  state.objects.set(key, { bytes: new Uint8Array(body), sha256 });
  return { status: 200, headers: { etag: '"0123"', 'x-amz-checksum-sha256': sha256 } };
}

function getObject(state: State, call: Call): Answer {
  const object = state.objects.get(call.key);
  if (object === undefined) {
    return errorAnswer(404, 'NoSuchKey', 'The specified key does not exist.');
  }
  const isAsked = call.headers['x-amz-checksum-mode'] === 'ENABLED' && object.sha256 !== null;
  const checksum = isAsked ? { 'x-amz-checksum-sha256': object.sha256 ?? '' } : {};
  const headers = { 'content-type': 'application/octet-stream', etag: '"0123"', ...checksum };
  return { status: 200, headers, body: object.bytes };
}

function listObjects(state: State, call: Call): Answer {
  const { query } = call;
  const prefix = query.get('prefix') ?? '';
  const maxKeys = Math.min(Number(query.get('max-keys') ?? 1000), state.pageKeysMax);
  if (query.get('list-type') !== '2' || !(maxKeys >= 1)) {
    return errorAnswer(400, 'InvalidArgument', 'ListObjectsV2 with a positive max-keys only.');
  }
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString();
  const matching = [...state.objects.keys()]
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort();
  const page = matching.slice(0, maxKeys);
  const isTruncated = matching.length > page.length;
  const token = Buffer.from(page.at(-1) ?? '').toString('base64url');
  const contents = page.map((key) => {
    const size = state.objects.get(key)?.bytes.length ?? 0;
    return `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`;
  });
  const more = isTruncated ? `<NextContinuationToken>${token}</NextContinuationToken>` : '';
  const counts = `<KeyCount>${page.length}</KeyCount><MaxKeys>${maxKeys}</MaxKeys>`;
  return xmlAnswer(
    200,
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${state.bucket}</Name>` +
      `<Prefix>${prefix}</Prefix>${counts}<IsTruncated>${isTruncated}</IsTruncated>` +
      `${more}${contents.join('')}</ListBucketResult>`,
  );
}

function refusalOf(fault: S3Fault | undefined): Answer | null {
  switch (fault) {
    case 'slow-down':
      return errorAnswer(503, 'SlowDown', 'Please reduce your request rate.');
    case 'internal-error':
      return errorAnswer(500, 'InternalError', 'We encountered an internal error.');
    case 'access-denied':
      return errorAnswer(403, 'AccessDenied', 'Access Denied');
    case 'conditional-conflict':
      return errorAnswer(409, 'ConditionalRequestConflict', 'A conflicting operation occurred.');
    default:
      return null;
  }
}

function spoil(answer: Answer, fault: S3Fault | undefined): Answer {
  const bytes = Buffer.from(answer.body ?? '');
  if (fault === 'corrupt-byte' && bytes.length > 0) {
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    return { ...answer, body: bytes };
  }
  if (fault === 'cut-body') {
    const headers = { ...answer.headers, 'content-length': String(bytes.length) };
    return { ...answer, headers, body: bytes.subarray(0, bytes.length - 1) };
  }
  return answer;
}

function send(response: ServerResponse, method: string, answer: Answer): void {
  const body = Buffer.from(answer.body ?? '');
  const announced = String(body.length);
  const headers = {
    'content-length': announced,
    'x-amz-request-id': 'stand-in',
    ...answer.headers,
  };
  response.writeHead(answer.status, headers);
  // A HEAD answer never has a body, so an error of it has no name: as with S3 itself.
  if (method === 'HEAD') {
    response.end();
    return;
  }
  response.write(body, () => {
    if (headers['content-length'] === announced) {
      response.end();
    } else {
      response.socket?.destroy();
    }
  });
}

function errorAnswer(status: number, code: string, message: string): Answer {
  return xmlAnswer(
    status,
    `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>0</RequestId></Error>`,
  );
}

function xmlAnswer(status: number, body: string): Answer {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `${declaration}\n${body}`,
  };
}
