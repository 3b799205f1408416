import { describe, expect, test } from 'vitest';
import { addGlobalStack, addRegionalStack } from '../../../infra/app.ts';
import { committedSettings, resourcesOf, templateJson, testApp } from '../../support/infra.ts';

const HOSTS = {
  'us-east-1': 'aaa.lambda-url.us-east-1.on.aws',
  'us-east-2': 'bbb.lambda-url.us-east-2.on.aws',
  'us-west-2': 'ccc.lambda-url.us-west-2.on.aws',
};

function templateOf(change: { readonly [key: string]: unknown } = {}) {
  return templateJson(addGlobalStack(testApp(), committedSettings(change)));
}

interface CheckConfig {
  readonly Type: string;
  readonly ResourcePath: string;
  readonly FullyQualifiedDomainName: unknown;
  readonly HealthThreshold: number;
  readonly ChildHealthChecks: readonly unknown[];
  readonly RequestInterval: number;
  readonly FailureThreshold: number;
  readonly Inverted: boolean;
}

function checksOf(template: ReturnType<typeof templateOf>): readonly CheckConfig[] {
  return resourcesOf(template, 'AWS::Route53::HealthCheck').map(
    ({ Properties }) => Properties['HealthCheckConfig'] as CheckConfig,
  );
}

describe('the global stack', () => {
  test('asks each region whether the secondary is active, and turns two yeses of three round', () => {
    const checks = checksOf(templateOf());
    const endpoints = checks.filter(({ Type }) => Type === 'HTTPS');
    expect(endpoints.map((check) => check.ResourcePath)).toEqual(
      Array(3).fill('/v1/routing/checkout/us-west-2'),
    );
    expect(endpoints.map((check) => check.FailureThreshold)).toEqual([1, 1, 1]);
    const calculated = checks.filter(({ Type }) => Type === 'CALCULATED');
    expect(calculated).toMatchObject([{ HealthThreshold: 2, Inverted: true }]);
    const children = calculated[0]?.ChildHealthChecks.map((child) => JSON.stringify(child));
    expect(new Set(children).size).toBe(3);
  });

  test('gives the PRIMARY record of path A that check, and the SECONDARY one none', () => {
    const records = resourcesOf(templateOf(), 'AWS::Route53::RecordSet').map(
      (one) => one.Properties,
    );
    const common = { Name: 'checkout.path-a.example.com.', Type: 'A', TTL: '5' };
    const HealthCheckId = { Ref: expect.stringMatching(/^Routingcheckout/) };
    const [east, west] = [['192.0.2.10'], ['198.51.100.20']];
    expect(records).toMatchObject([
      { ...common, Failover: 'PRIMARY', ResourceRecords: east, HealthCheckId },
      { ...common, Failover: 'SECONDARY', ResourceRecords: west },
    ]);
    expect(records[1]).not.toHaveProperty('HealthCheckId');
  });

  test('steers an active-active service by one weighted record for each site', () => {
    const settings = committedSettings();
    const services = settings.services.map((service) => ({
      ...service,
      strategy: 'active-active' as const,
      sites: service.sites.map((site, place) => ({ ...site, weight: place === 0 ? 60 : 40 })),
    }));
    const template = templateJson(addGlobalStack(testApp(), { ...settings, services }));
    const records = resourcesOf(template, 'AWS::Route53::RecordSet').map((one) => one.Properties);
    expect(records).toMatchObject([
      { SetIdentifier: 'us-east-1', Weight: 60, HealthCheckId: {} },
      { SetIdentifier: 'us-west-2', Weight: 40, HealthCheckId: {} },
    ]);
    expect(JSON.stringify(records)).not.toContain('Failover');
    const calculated = checksOf(template).filter(({ Type }) => Type === 'CALCULATED');
    expect(calculated.map(({ Inverted }) => Inverted ?? false)).toEqual([false, false]);
    expect(checksOf(template)).toHaveLength(8);
  });

  test('makes no record when no service has a path A name', () => {
    const template = templateOf({ 'tripoint:dataPlaneNames': {} });
    expect(resourcesOf(template, 'AWS::Route53::RecordSet')).toEqual([]);
    expect(checksOf(template)).toHaveLength(4);
  });

  test('reads the hosts from the outputs of the regions at deployment', () => {
    const [first] = checksOf(templateOf());
    expect(first?.FullyQualifiedDomainName).toEqual({
      'Fn::GetStackOutput': {
        StackName: 'tripoint-us-east-1',
        OutputName: 'ApiHost',
        Region: 'us-east-1',
      },
    });
  });

  test('takes literal hosts instead, so that it can change while a region is gone', () => {
    const template = templateOf({ 'tripoint:apiHosts': HOSTS });
    expect(JSON.stringify(template)).not.toContain('Fn::GetStackOutput');
    const hosts = checksOf(template).flatMap(({ FullyQualifiedDomainName: host }) => host ?? []);
    expect(new Set(hosts)).toEqual(new Set(Object.values(HOSTS)));
  });

  test('reads an output that the regional stack has', () => {
    const stack = addRegionalStack(testApp(), committedSettings(), 'us-west-2');
    expect(stack.stackName).toBe('tripoint-us-west-2');
    expect(Object.keys(templateJson(stack).Outputs ?? {})).toContain('ApiHost');
  });

  test('asks every ten seconds when it is told to', () => {
    const checks = checksOf(templateOf({ 'tripoint:healthCheckIntervalSeconds': 10 }));
    const intervals = checks.flatMap(({ RequestInterval }) => RequestInterval ?? []);
    expect(new Set(intervals)).toEqual(new Set([10]));
  });

  test('has a dashboard of all three regions', () => {
    const [dashboard] = resourcesOf(templateOf(), 'AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.Properties['DashboardBody']);
    for (const text of ['Quorum', 'us-east-1', 'us-east-2', 'us-west-2', 'HealthCheckStatus']) {
      expect(body).toContain(text);
    }
  });
});
