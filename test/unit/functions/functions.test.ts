/**
 * The four functions as they are deployed: bundled, each in a process of its own, with the environment
 * that the stack sets, over three embedded stores that stand for the tables of three regions.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUNDLE_BYTES_MAX, CONTROLLER_BYTES_MAX } from '../../../infra/bundling.ts';
import { functionEnvironment } from '../../../infra/regional-stack.ts';
import { createDynamoClient } from '../../../lib/aws/dynamodb/client.ts';
import { createTables } from '../../../lib/aws/dynamodb/tables.ts';
import { regionId } from '../../../lib/base/identifiers.ts';
import { bucketName, type FunctionRole, tableNames } from '../../../lib/config/names.ts';
import { startEmbeddedDynamoDb } from '../../../lib/local/embedded-dynamodb.ts';
import { startAwsRouter } from '../../support/aws-router.ts';
import {
  hashOf,
  OPERATOR_TOKEN,
  policyOf,
  SITE_TOKEN,
} from '../../support/control-plane-fixture.ts';
import { bundleFunction, type FunctionBundle } from '../../support/function-bundle.ts';
import { committedSettings, ROOT } from '../../support/infra.ts';
import { type LambdaProcess, startLambdaProcess } from '../../support/lambda-process.ts';
import { type StandIn, startRoute53StandIn } from '../../support/route53-stand-in.ts';
import { startS3StandIn } from '../../support/s3-stand-in.ts';

const ROLES: readonly FunctionRole[] = ['api', 'controller', 'snapshot', 'alarm'];
const SETTINGS = committedSettings({ 'tripoint:operatorTokenSha256': hashOf(OPERATOR_TOKEN) });
const REGIONS = SETTINGS.regions.map(regionId);
const TABLES = tableNames(SETTINGS.clusterId);
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const BEAT_PATH = '/v1/services/checkout/sites/us-east-1/heartbeats';
const WAIT_MS_MAX = 25_000;
/** Without probes: the addresses are not ours to ask. */
const POLICY = {
  ...policyOf('checkout'),
  sites: policyOf('checkout').sites.map((site) => ({ ...site, probeUrl: null })),
};

const folder = mkdtempSync(`${tmpdir()}/tripoint-functions-`);
const bundles = new Map<FunctionRole, FunctionBundle>();
const closers: (() => Promise<void>)[] = [];
let environment: { readonly [name: string]: string };
let zone: StandIn;
let api: LambdaProcess;
let controller: LambdaProcess;
let alarm: LambdaProcess;

beforeAll(async () => {
  for (const role of ROLES) {
    bundles.set(role, await bundleFunction(role, folder));
  }
  const url = await startCluster();
  environment = {
    ...functionEnvironment(SETTINGS),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: 'session',
    AWS_ENDPOINT_URL: url,
    TRIPOINT_HOSTED_ZONE_ID: zone.hostedZoneId,
    TRIPOINT_NAME_SERVERS: '127.0.0.1',
  };
}, 60_000);

afterAll(async () => {
  for (const close of closers.toReversed()) {
    await close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Three stores with empty tables, three buckets, a zone, and one address for all of them. */
async function startCluster(): Promise<string> {
  const upstreams = new Map<string, string>();
  for (const region of REGIONS) {
    const store = await startEmbeddedDynamoDb({ path: null, port: 0 });
    const bucket = bucketName(SETTINGS.clusterId, SETTINGS.account, region);
    const objects = await startS3StandIn({ bucket });
    const client = createDynamoClient({
      region,
      endpoint: store.url,
      credentials: CREDENTIALS,
      requestTimeoutMs: 10_000,
      connectionTimeoutMs: 10_000,
    });
    closers.push(store.close, objects.close, async () => client.destroy());
    await createTables(client, Object.values(TABLES));
    upstreams.set(`dynamodb ${region}`, store.url).set(`s3 ${region}`, objects.url);
  }
  zone = await startRoute53StandIn('example.test');
  closers.push(zone.close);
  upstreams.set('route53 us-east-1', zone.url);
  const router = await startAwsRouter(upstreams);
  closers.push(router.close);
  return router.url;
}

/** The command of the deployment guide, in a process of its own. */
async function bootstrap(): Promise<unknown> {
  const words = ['lib/cli/main.ts', 'bootstrap', '--json', '--regions', REGIONS.join(',')];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    cwd: ROOT,
    env: { ...environment },
  });
  return JSON.parse(stdout);
}

async function start(role: FunctionRole): Promise<LambdaProcess> {
  const lambda = await startLambdaProcess(bundles.get(role)?.path ?? '', environment);
  closers.push(lambda.kill);
  return lambda;
}

interface Answer {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: string };
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of every route.
  readonly body: any;
}

/** What the function URL sends for one request, and what it would answer. */
async function call(request: string, options: { token?: string; body?: unknown } = {}) {
  const [method = 'GET', path = '/'] = request.split(' ');
  const answer = (await api.invoke({
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: {
      host: 'abc.lambda-url.us-east-1.on.aws',
      'content-type': 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    },
    requestContext: { http: { method, path }, domainName: 'abc.lambda-url.us-east-1.on.aws' },
    body: options.body === undefined ? null : JSON.stringify(options.body),
    isBase64Encoded: false,
  })) as Answer;
  return { ...answer, body: JSON.parse(answer.body || 'null') } as Answer;
}

function status(): Promise<Answer> {
  return call('GET /v1/status', { token: OPERATOR_TOKEN });
}

/** The first answer that is not null, asked for a few times a second. */
async function eventually<Value>(ask: () => Promise<Value | null>): Promise<Value | null> {
  const deadline = performance.now() + WAIT_MS_MAX;
  let answer = await ask();
  while (answer === null && performance.now() < deadline) {
    await sleep(200);
    answer = await ask();
  }
  return answer;
}

/** The first line of the function's log with these members. Pipes are slower than answers. */
function line(lambda: LambdaProcess, members: { readonly [key: string]: unknown }) {
  const isWanted = (candidate: { readonly [key: string]: unknown }) =>
    Object.entries(members).every(([key, value]) => candidate[key] === value);
  return eventually(async () => lambda.lines().find(isWanted) ?? null);
}

interface Delivery {
  readonly id: string;
  readonly outcome: string;
}

function alarmEvent(state: string, name = 'tripoint/checkout/us-east-1/5xx') {
  const message = {
    AlarmName: name,
    AlarmArn: `arn:aws:cloudwatch:us-east-1:111122223333:alarm:${name}`,
    NewStateValue: state,
    StateChangeTime: '2026-11-23T10:00:00.123+0000',
  };
  return { Records: [{ messageId: 'm-1', body: JSON.stringify(message) }] };
}

/** The same change of the same alarm, as the event bus tells of it. */
function alarmFromEventBus(state: string, name = 'tripoint/checkout/us-east-1/5xx') {
  const message = {
    version: '0',
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: '111122223333',
    region: 'us-east-1',
    resources: [`arn:aws:cloudwatch:us-east-1:111122223333:alarm:${name}`],
    detail: {
      alarmName: name,
      configuration: { metrics: [] },
      previousState: { value: 'OK', timestamp: '2026-11-23T09:56:40.987+0000' },
      state: { value: state, timestamp: '2026-11-23T10:00:00.123+0000', reason: 'a test' },
    },
  };
  return { Records: [{ messageId: 'm-2', body: JSON.stringify(message) }] };
}

describe('the bundles', () => {
  test.each(ROLES)('%s is small enough for a short cold start', (role) => {
    const bundle = bundles.get(role);
    const max = role === 'controller' ? CONTROLLER_BYTES_MAX : BUNDLE_BYTES_MAX;
    expect(bundle?.bytes).toBeLessThan(max);
    expect(bundle?.output.exports).toEqual(['handler']);
  });

  test.each(ROLES)('%s carries nothing that its role does not need', (role) => {
    const inputs = Object.entries(bundles.get(role)?.output.inputs ?? {});
    const carried = inputs
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => path);
    const unwanted = [
      /zod\/v4\/locales\/(?!en\.js)/,
      /credential-provider-(ini|sso|process|web-identity|login)/,
      /dynalite|commander/,
      /lib\/(local|simulation|agent|cli)\//,
      ...(role === 'controller'
        ? []
        : [/client-route-53/, /dns-packet/, /client-(rds|ecs|sns|lambda)\//]),
      ...(role === 'api' ? [] : [/node_modules\/hono\//]),
    ];
    expect(carried.filter((path) => unwanted.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  test.each(ROLES)('%s is composed in a file of at most 25 lines', (role) => {
    const lines = readFileSync(`${ROOT}functions/${role}.ts`, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(25);
  });
});

describe('the functions', () => {
  test('refuse to start on an environment that is not complete, and say what is missing', async () => {
    const { TRIPOINT_HEALTH_TABLE: _table, ...incomplete } = environment;
    const attempt = startLambdaProcess(bundles.get('api')?.path ?? '', incomplete);
    await expect(attempt).rejects.toThrow(/TRIPOINT_HEALTH_TABLE: is not set/);
  });

  test('find the registers that the command creates, once', async () => {
    expect(await bootstrap()).toMatchObject({ outcome: 'created' });
    expect(await bootstrap()).toMatchObject({ outcome: 'already-there' });
  }, 30_000);

  test('elect a leader: the controller alone, from three registers that never voted', async () => {
    api = await start('api');
    expect((await call('GET /livez')).statusCode).toBe(200);
    controller = await start('controller');
    // An invocation lasts a minute; the test does not wait for its end.
    controller.invoke({}).catch(() => undefined);
    const leader = await eventually(async () => (await status()).body.consensus.leader);
    expect(leader).toBe('us-east-1');
  }, 30_000);

  test('take a configuration from the operator, and from nobody else', async () => {
    const body = { policies: [POLICY] };
    expect((await call('PUT /v1/config', { body })).statusCode).toBe(401);
    expect((await call('PUT /v1/config', { body, token: 'wrong' })).statusCode).toBe(401);
    const done = await call('PUT /v1/config', { body, token: OPERATOR_TOKEN });
    expect(done).toMatchObject({ statusCode: 200, body: { code: 'config-applied' } });
  });

  test('take a heartbeat, and tell the site its role', async () => {
    const body = { sequence: 1, bootId: randomUUID() };
    expect((await call(`POST ${BEAT_PATH}`, { body })).statusCode).toBe(401);
    const answer = await call(`POST ${BEAT_PATH}`, { body, token: SITE_TOKEN });
    expect(answer).toMatchObject({ statusCode: 200, body: { role: 'active' } });
  });

  test('answer routing to anyone, 200 for the active site and 503 for the standby', async () => {
    const sites = POLICY.sites.map(({ site }) => site);
    expect(sites).toHaveLength(2);
    const answers = await Promise.all(
      sites.map((site) => call(`GET /v1/routing/checkout/${site}`)),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 503]);
    expect((await call('GET /v1/routing/checkout/nowhere')).statusCode).toBe(404);
  });

  test('show the beat and the quorum in the status', async () => {
    const { statusCode, body } = await status();
    expect(statusCode).toBe(200);
    expect(body).toMatchObject({ mode: 'aws', consensus: { quorum: true } });
    expect(JSON.stringify(body)).toContain('"checkout"');
    expect((await call('GET /v1/status')).statusCode).toBe(401);
  });

  test('switch DNS from the controller and never from the API, which is frozen when it answered', async () => {
    const fence = await eventually(
      async () => zone.sets().find(({ type }) => type === 'TXT') ?? null,
    );
    expect(fence).toMatchObject({ name: '_tripoint.checkout.example.test.' });
    expect(zone.sets()).toContainEqual(
      expect.objectContaining({ name: 'checkout.example.test.', values: ['192.0.2.1'] }),
    );
    expect(await line(controller, { message: 'step' })).not.toBeNull();
    expect(api.lines().filter(({ message }) => message === 'step')).toEqual([]);
  }, 30_000);

  test('bring an alarm into the log once, however often it is delivered', async () => {
    alarm = await start('alarm');
    await alarm.invoke(alarmEvent('ALARM'));
    await alarm.invoke(alarmEvent('ALARM'));
    const outcomes = await eventually(async () => {
      const written = alarm.lines().filter(({ message }) => message === 'alarm');
      return written.length < 2 ? null : written.map(({ detail }) => (detail as Delivery).outcome);
    });
    expect(outcomes).toEqual(['alarm-recorded', 'alarm-recorded']);
  });

  test('take the word of the event bus for the same change that SNS told of, once', async () => {
    await alarm.invoke(alarmFromEventBus('ALARM'));
    const details = await eventually(async () => {
      const written = alarm.lines().filter(({ message }) => message === 'alarm');
      return written.length < 3 ? null : written.map(({ detail }) => detail as Delivery);
    });
    // Under an id of its own it would be a second entry, `alarm-known`.
    expect(details?.at(-1)?.outcome).toBe('alarm-recorded');
    expect(new Set(details?.map(({ id }) => id)).size).toBe(1);
  });

  test('drop an alarm that is about no site, and count it', async () => {
    await alarm.invoke(alarmEvent('ALARM', 'disk-full'));
    expect(await line(alarm, { AlarmsRefused: 1 })).not.toBeNull();
    expect(await line(alarm, { level: 'WARN', message: 'alarm-refused' })).not.toBeNull();
  });

  test('store a snapshot of what is in the log, and count it', async () => {
    const snapshot = await start('snapshot');
    await snapshot.invoke({});
    const stored = await line(snapshot, { message: 'snapshot' });
    expect(stored).toMatchObject({ detail: { kind: 'stored', copies: 2 } });
    expect(await line(snapshot, { SnapshotsStored: 1 })).not.toBeNull();
  });

  test('never write a token into the log', async () => {
    const text = JSON.stringify([api.lines(), alarm.lines()]);
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toContain(OPERATOR_TOKEN);
    expect(text).not.toContain(SITE_TOKEN);
  });
});
