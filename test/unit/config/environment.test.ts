import { describe, expect, test } from 'vitest';
import { AppError } from '../../../lib/base/errors.ts';
import {
  parseCliSettings,
  parseLambdaSettings,
  requireLambdaSettings,
} from '../../../lib/config/environment.ts';

const HASH = 'ab'.repeat(32);
const VALID = {
  TRIPOINT_CLUSTER_ID: 'tripoint',
  TRIPOINT_REGIONS: 'us-east-1, us-east-2,us-west-2',
  AWS_REGION: 'us-east-2',
  TRIPOINT_CONSENSUS_TABLE: 'tripoint-consensus',
  TRIPOINT_HEALTH_TABLE: 'tripoint-health',
  TRIPOINT_BUCKETS: 'us-east-1=bucket-a,us-east-2=bucket-b,us-west-2=bucket-c',
  TRIPOINT_HOSTED_ZONE_ID: 'Z0123456789ABC',
  TRIPOINT_NAME_SERVERS: '192.0.2.53, 2001:db8::53',
  TRIPOINT_OPERATOR_TOKEN_SHA256: HASH,
};

function problemsOf(change: { readonly [name: string]: string | undefined }) {
  const outcome = parseLambdaSettings({ ...VALID, ...change });
  return outcome.kind === 'valid'
    ? []
    : outcome.problems.map(({ name, message }) => [name, message]);
}

describe('parseLambdaSettings', () => {
  test('gives frozen, typed settings for a complete environment', () => {
    const outcome = parseLambdaSettings(VALID);
    expect(outcome).toMatchObject({
      kind: 'valid',
      settings: {
        clusterId: 'tripoint',
        regions: ['us-east-1', 'us-east-2', 'us-west-2'],
        region: 'us-east-2',
        operatorTokenHashes: [HASH],
        logLevel: 'info',
      },
    });
    const settings = outcome.kind === 'valid' ? outcome.settings : null;
    expect(Object.isFrozen(settings)).toBe(true);
    expect([...(settings?.buckets ?? [])]).toEqual([
      ['us-east-1', 'bucket-a'],
      ['us-east-2', 'bucket-b'],
      ['us-west-2', 'bucket-c'],
    ]);
  });

  test('asks who made a cluster with four regions, one of which replaces another', () => {
    const regions = 'us-east-1,us-east-2,us-west-2,eu-west-1';
    const buckets = regions
      .split(',')
      .map((region) => `${region}=bucket-${region}`)
      .join();
    const four = { ...VALID, TRIPOINT_REGIONS: regions, TRIPOINT_BUCKETS: buckets };
    expect(parseLambdaSettings(four)).toMatchObject({
      kind: 'invalid',
      problems: [{ name: 'TRIPOINT_FOUNDERS' }],
    });
    const founders = 'us-east-1,us-east-2,us-west-2';
    expect(parseLambdaSettings({ ...four, TRIPOINT_FOUNDERS: founders })).toMatchObject({
      kind: 'valid',
      settings: { founders: founders.split(','), regions: regions.split(',') },
    });
  });

  test('lists every missing variable of an empty environment at once', () => {
    const outcome = parseLambdaSettings({});
    const names = outcome.kind === 'invalid' ? outcome.problems.map(({ name }) => name) : [];
    expect(new Set(names)).toEqual(new Set([...Object.keys(VALID)]));
  });

  test('accepts no token when the hash is all zeros', () => {
    const outcome = parseLambdaSettings({
      ...VALID,
      TRIPOINT_OPERATOR_TOKEN_SHA256: '0'.repeat(64),
    });
    expect(outcome).toMatchObject({ kind: 'valid', settings: { operatorTokenHashes: [] } });
  });

  test.each([
    [{ TRIPOINT_REGIONS: 'a,b' }, 'TRIPOINT_REGIONS'],
    [{ TRIPOINT_REGIONS: 'us-east-1,us-east-2,us-east-2' }, 'TRIPOINT_REGIONS'],
    [{ TRIPOINT_REGIONS: 'us-east-1,us-east-2,US' }, 'TRIPOINT_REGIONS'],
    [{ AWS_REGION: 'eu-west-1' }, 'AWS_REGION'],
    [{ TRIPOINT_NAME_SERVERS: 'ns-1.example.com' }, 'TRIPOINT_NAME_SERVERS'],
    [{ TRIPOINT_BUCKETS: 'us-east-1=bucket-a' }, 'TRIPOINT_BUCKETS'],
    [{ TRIPOINT_BUCKETS: `${VALID.TRIPOINT_BUCKETS},us-east-1=bucket-a` }, 'TRIPOINT_BUCKETS'],
    [{ TRIPOINT_BUCKETS: `${VALID.TRIPOINT_BUCKETS},eu-west-1=bucket-d` }, 'TRIPOINT_BUCKETS'],
    [{ TRIPOINT_BUCKETS: VALID.TRIPOINT_BUCKETS.replace('bucket-a', 'A') }, 'TRIPOINT_BUCKETS'],
    [{ TRIPOINT_HOSTED_ZONE_ID: '/hostedzone/Z1' }, 'TRIPOINT_HOSTED_ZONE_ID'],
    [{ TRIPOINT_OPERATOR_TOKEN_SHA256: HASH.toUpperCase() }, 'TRIPOINT_OPERATOR_TOKEN_SHA256'],
    [{ TRIPOINT_LOG_LEVEL: 'loud' }, 'TRIPOINT_LOG_LEVEL'],
    [{ TRIPOINT_CLUSTER_ID: 'My Cluster' }, 'TRIPOINT_CLUSTER_ID'],
    [{ TRIPOINT_HEALTH_TABLE: 'tripoint-consensus' }, 'TRIPOINT_HEALTH_TABLE'],
    [{ TRIPOINT_CONSENSUS_TABLE: 'no spaces' }, 'TRIPOINT_CONSENSUS_TABLE'],
  ])('refuses %j', (change, name) => {
    expect(problemsOf(change).map(([problem]) => problem)).toContain(name);
  });

  test('never quotes the value of the token variable', () => {
    const outcome = parseLambdaSettings({ ...VALID, TRIPOINT_OPERATOR_TOKEN_SHA256: 'hunter2' });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });
});

describe('requireLambdaSettings', () => {
  test('throws one error that names all problems', () => {
    expect(() => requireLambdaSettings({ ...VALID, AWS_REGION: '', TRIPOINT_BUCKETS: '' })).toThrow(
      expect.objectContaining({
        code: 'environment-invalid',
        message: expect.stringMatching(/AWS_REGION[\s\S]*TRIPOINT_BUCKETS/),
      }),
    );
    expect(() => requireLambdaSettings({})).toThrow(AppError);
  });
});

describe('parseCliSettings', () => {
  test.each([
    [{}, 'tripoint'],
    [{ npm_lifecycle_event: 'npx' }, 'npx tripoint'],
    [{ npm_lifecycle_event: 'tripoint' }, 'npm run -s tripoint --'],
    [{ npm_lifecycle_event: 'constructor' }, 'tripoint'],
  ])('knows from %j that one types %s', (variables, programName) => {
    expect(parseCliSettings(variables).programName).toBe(programName);
  });

  test('reads endpoints and the token', () => {
    expect(
      parseCliSettings({
        TRIPOINT_ENDPOINTS: 'https://a.example.com, https://b.example.com,',
        TRIPOINT_TOKEN: ' secret ',
      }),
    ).toEqual({
      endpoints: ['https://a.example.com', 'https://b.example.com'],
      token: 'secret',
      colour: null,
      programName: 'tripoint',
    });
  });

  test.each([
    [{}, null],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, null],
    [{ TERM: 'dumb' }, false],
    [{ TERM: 'xterm-256color' }, null],
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '0' }, null],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('understands %j as colour %j', (variables, colour) => {
    expect(parseCliSettings(variables).colour).toBe(colour);
  });
});
