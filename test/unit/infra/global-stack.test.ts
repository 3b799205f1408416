import { Match, Template } from 'aws-cdk-lib/assertions';
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
}

function checksOf(template: ReturnType<typeof templateOf>): readonly CheckConfig[] {
  return resourcesOf(template, 'AWS::Route53::HealthCheck').map(
    ({ Properties }) => Properties['HealthCheckConfig'] as CheckConfig,
  );
}

describe('the global stack', () => {
  test('asks each region for the routing of each site, and counts two of three as a yes', () => {
    const checks = checksOf(templateOf());
    const paths = checks.filter(({ Type }) => Type === 'HTTPS').map((check) => check.ResourcePath);
    expect(paths).toEqual([
      ...Array(3).fill('/v1/routing/checkout/us-east-1'),
      ...Array(3).fill('/v1/routing/checkout/us-west-2'),
    ]);
    const calculated = checks.filter(({ Type }) => Type === 'CALCULATED');
    expect(calculated).toHaveLength(2);
    for (const { HealthThreshold, ChildHealthChecks } of calculated) {
      expect(HealthThreshold).toBe(2);
      expect(new Set(ChildHealthChecks.map((child) => JSON.stringify(child))).size).toBe(3);
    }
  });

  test('steers the path A name by one PRIMARY and one SECONDARY record with those checks', () => {
    const template = Template.fromJSON(templateOf());
    for (const [site, failover, address] of [
      ['us-east-1', 'PRIMARY', '192.0.2.10'],
      ['us-west-2', 'SECONDARY', '198.51.100.20'],
    ] as const) {
      template.hasResourceProperties('AWS::Route53::RecordSet', {
        Name: 'checkout.path-a.example.com.',
        Type: 'A',
        SetIdentifier: site,
        Failover: failover,
        ResourceRecords: [address],
        HealthCheckId: { Ref: Match.stringLikeRegexp('^Routingcheckout') },
      });
    }
  });

  test('makes no record when no service has a path A name', () => {
    const template = templateOf({ 'tripoint:dataPlaneNames': {} });
    expect(resourcesOf(template, 'AWS::Route53::RecordSet')).toEqual([]);
    expect(checksOf(template)).toHaveLength(8);
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
