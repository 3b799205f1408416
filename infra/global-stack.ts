/**
 * What exists once: the health checks and records of path A, and the dashboard.
 *
 * It lives in the first control region, and nothing on a recovery's way touches it. The hosts of the
 * regional APIs are read from the outputs of the regional stacks at deployment (`Fn::GetStackOutput`,
 * a weak reference: it locks nothing there), or are literals from the settings, for the day on which
 * this stack must change while a region is gone.
 */
import { Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { HealthCheck } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { ControlDashboard } from './constructs/control-dashboard.ts';
import { RoutingHealth } from './constructs/routing-health.ts';
import { OUTPUTS, regionalStackName } from './regional-stack.ts';
import type { Settings } from './settings.ts';

export interface GlobalStackProps extends StackProps {
  readonly settings: Settings;
}

export class GlobalStack extends Stack {
  constructor(scope: Construct, id: string, props: GlobalStackProps) {
    super(scope, id, props);
    const { settings } = props;
    const hosts = apiHosts(settings);
    const checks = new Map<string, HealthCheck>();
    for (const service of settings.services) {
      const health = new RoutingHealth(this, `Routing-${service.service}`, {
        settings,
        service,
        hosts,
      });
      for (const [site, check] of health.checks) {
        checks.set(`${service.service}@${site}`, check);
      }
    }
    new ControlDashboard(this, 'Overview', { settings, checks });
  }
}

function apiHosts({ clusterId, regions, apiHosts: literals }: Settings) {
  return new Map(
    regions.map((region) => {
      const stack = regionalStackName(clusterId, region);
      return [region, literals[region] ?? Fn.getStackOutput(stack, OUTPUTS.apiHost, region)];
    }),
  );
}
