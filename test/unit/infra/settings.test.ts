import { describe, expect, test } from 'vitest';
import { readSettings, SETTING_FIXES, type SettingsProblem } from '../../../infra/settings.ts';
import { AppError } from '../../../lib/base/errors.ts';
import { cdkJson, committedSettings, readText } from '../../support/infra.ts';

const COMMITTED = cdkJson().context;

function problemsOf(change: { readonly [key: string]: unknown }): readonly SettingsProblem[] {
  const reading = readSettings({ context: { ...COMMITTED, ...change }, readText });
  return reading.kind === 'valid' ? [] : reading.problems;
}

function keysOf(change: { readonly [key: string]: unknown }): readonly string[] {
  return problemsOf(change).map(({ key }) => key);
}

describe('readSettings', () => {
  test('takes the committed settings, so that a fresh clone can be synthesised', () => {
    expect(committedSettings()).toMatchObject({
      clusterId: 'tripoint',
      regions: ['us-east-1', 'us-east-2', 'us-west-2'],
      services: [{ service: 'checkout', dnsName: 'checkout.example.com', recordType: 'A' }],
      reserveConcurrency: true,
      disposable: false,
    });
  });

  test('commits no token hash that some token fits', () => {
    expect(committedSettings().operatorTokenSha256).toBe('0'.repeat(64));
  });

  test('reads what -c key=value gives, where everything is a text', () => {
    const settings = committedSettings({
      'tripoint:regions': 'eu-west-1, eu-central-1,eu-north-1',
      'tripoint:account': '210987654321',
      'tripoint:nameServers': '192.0.2.1,2001:db8::1',
      'tripoint:reserveConcurrency': 'false',
      'tripoint:disposable': 'true',
      'tripoint:healthCheckIntervalSeconds': '10',
      'tripoint:apiHosts': '{"eu-west-1":"abc123.lambda-url.eu-west-1.on.aws"}',
    });
    expect(settings).toMatchObject({
      regions: ['eu-west-1', 'eu-central-1', 'eu-north-1'],
      account: '210987654321',
      nameServers: ['192.0.2.1', '2001:db8::1'],
      reserveConcurrency: false,
      disposable: true,
      healthCheckIntervalSeconds: 10,
      apiHosts: { 'eu-west-1': 'abc123.lambda-url.eu-west-1.on.aws' },
    });
  });

  test('takes a name server with dynamic updates in place of a hosted zone', () => {
    const dynamicDns = {
      server: '192.0.2.53:5353',
      zone: 'example.com',
      keyName: 'tripoint',
      secretName: 'dns/key',
    };
    const change = {
      'tripoint:hostedZoneId': '',
      'tripoint:dataPlaneNames': {},
      'tripoint:dynamicDns': JSON.stringify(dynamicDns),
    };
    expect(committedSettings(change)).toMatchObject({
      hostedZoneId: '',
      dynamicDns: { ...dynamicDns, algorithm: 'hmac-sha256' },
    });
    for (const without of [
      { 'tripoint:dynamicDns': null },
      { 'tripoint:dataPlaneNames': { checkout: 'a.b' } },
    ]) {
      expect(problemsOf({ ...change, ...without }).map(({ key }) => key)).toEqual([
        'tripoint:hostedZoneId',
      ]);
    }
  });

  test('lists every problem at once, each with what to do', () => {
    const problems = problemsOf({
      'tripoint:clusterId': 'T',
      'tripoint:account': '42',
      'tripoint:hostedZoneId': '/hostedzone/Z1',
      'tripoint:config': 'no-such-file.yaml',
    });
    expect(problems.map(({ key }) => key)).toEqual([
      'tripoint:clusterId',
      'tripoint:account',
      'tripoint:hostedZoneId',
      'tripoint:config',
    ]);
    expect(problems.map(({ fix }) => fix)).toEqual([
      SETTING_FIXES.clusterId,
      SETTING_FIXES.account,
      SETTING_FIXES.hostedZoneId,
      SETTING_FIXES.config,
    ]);
  });

  test.each([
    ['tripoint:regions', ['us-east-1', 'us-east-2']],
    ['tripoint:regions', ['us-east-1', 'us-east-2', 'us-east-2']],
    ['tripoint:regions', ['us-east-1', 'us-east-2', 'cn-north-1']],
    ['tripoint:regions', ['us-east-1', 'us-east-2', 'us-gov-west-1']],
    ['tripoint:account', 'abc'],
    ['tripoint:nameServers', []],
    ['tripoint:nameServers', ['ns-1.example.com']],
    ['tripoint:operatorTokenSha256', 'secret'],
    ['tripoint:operatorEmail', 'nobody'],
    ['tripoint:healthCheckIntervalSeconds', 20],
    ['tripoint:disposable', 'yes'],
    ['tripoint:logLevel', 'loud'],
    ['tripoint:runbook', ''],
    ['tripoint:apiHosts', { 'us-east-1': 'https://abc.lambda-url.us-east-1.on.aws/' }],
    ['tripoint:apiHosts', { 'eu-west-1': 'abc.lambda-url.eu-west-1.on.aws' }],
    ['tripoint:apiHosts', '{not json'],
    ['tripoint:dataPlaneNames', { nothing: 'a.example.com' }],
    ['tripoint:dataPlaneNames', { checkout: 'checkout.example.com' }],
    ['tripoint:hostedZoneID', 'Z0123456789'],
  ])('refuses %s = %j and names it', (key, value) => {
    const [first, ...others] = keysOf({ [key]: value });
    expect(first).toMatch(new RegExp(`^${key}`));
    expect(others).toEqual([]);
  });

  test('refuses a missing setting that has no default', () => {
    const { 'tripoint:account': _account, ...context } = COMMITTED;
    const reading = readSettings({ context, readText });
    expect(reading).toMatchObject({ kind: 'invalid', problems: [{ key: 'tripoint:account' }] });
  });

  test('takes the names of path A from the file too, and the context before it', () => {
    const readPlane = (path: string) =>
      readText(path)?.replace('      type: A', '      type: A\n      dataPlane: a.example.com') ??
      null;
    const { 'tripoint:dataPlaneNames': names, ...context } = COMMITTED;
    const plane = (given: { readonly [key: string]: unknown }) => {
      const reading = readSettings({ context: { ...context, ...given }, readText: readPlane });
      return reading.kind === 'valid' ? reading.settings.dataPlaneNames : reading.problems;
    };
    expect(plane({})).toEqual({ checkout: 'a.example.com' });
    expect(plane({ 'tripoint:dataPlaneNames': names })).toEqual(names);
  });

  test('leaves context that is not ours alone', () => {
    expect(keysOf({ 'availability-zones:account=1': ['a'], other: 1 })).toEqual([]);
  });

  test('puts every problem into the error that ends a synthesis', () => {
    const change = { 'tripoint:account': '42', 'tripoint:regions': 'us-east-1' };
    const attempt = () => committedSettings(change);
    expect(attempt).toThrow(AppError);
    expect(attempt).toThrow(/tripoint:account: .*12 digits[\s\S]*tripoint:regions: .*three to six/);
  });
});
