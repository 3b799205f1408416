/** One page about the control regions and the sites: is there a quorum, who works, who fails. */
import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type GraphWidgetProps,
  Metric,
  SingleValueWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { HealthCheck } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import {
  functionName,
  METRIC_DIMENSION,
  METRIC_NAMESPACE,
  METRICS,
  tableNames,
} from '../../lib/config/names.ts';
import type { Settings } from '../settings.ts';

export interface ControlDashboardProps {
  readonly settings: Settings;
  /** Calculated check of each site, by `service@site`. */
  readonly checks: ReadonlyMap<string, HealthCheck>;
}

/** Route 53 writes its metrics there, wherever the stack is. */
const HEALTH_CHECK_METRIC_REGION = 'us-east-1';
const FULL_WIDTH = 24;
const HALF_WIDTH = 12;
const MINUTE = Duration.minutes(1);

interface Series {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensionsMap: { [name: string]: string };
  readonly statistic: string;
}

export class ControlDashboard extends Construct {
  constructor(scope: Construct, id: string, { settings, checks }: ControlDashboardProps) {
    super(scope, id);
    const { clusterId, regions } = settings;
    const perRegion = (series: Series) =>
      regions.map((region) => new Metric({ ...series, region, period: MINUTE, label: region }));
    const own = (metricName: string, statistic: string) =>
      perRegion({
        namespace: METRIC_NAMESPACE,
        metricName,
        dimensionsMap: { [METRIC_DIMENSION]: clusterId },
        statistic,
      });
    const lambda = (role: 'api' | 'controller', metricName: string, statistic: string) =>
      perRegion({
        namespace: 'AWS/Lambda',
        metricName,
        dimensionsMap: { FunctionName: functionName(clusterId, role) },
        statistic,
      });
    const puts = perRegion({
      namespace: 'AWS/DynamoDB',
      metricName: 'SuccessfulRequestLatency',
      dimensionsMap: { TableName: tableNames(clusterId).consensus, Operation: 'PutItem' },
      statistic: 'p99',
    });
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: clusterId });
    dashboard.addWidgets(
      new SingleValueWidget({
        title: 'Quorum, as each region sees it',
        width: HALF_WIDTH,
        metrics: own(METRICS.quorum, 'Minimum'),
      }),
      new SingleValueWidget({
        title: 'Services that are not steady',
        width: HALF_WIDTH,
        metrics: own(METRICS.unsettledServices, 'Maximum'),
      }),
    );
    dashboard.addWidgets(siteWidget(checks));
    dashboard.addWidgets(
      graph('Applied index', own(METRICS.appliedIndex, 'Maximum')),
      graph('Register write latency, p99, ms', puts),
    );
    dashboard.addWidgets(
      graph('Controller crashes', lambda('controller', 'Errors', 'Sum')),
      graph('API requests', lambda('api', 'UrlRequestCount', 'Sum')),
    );
    dashboard.addWidgets(
      graph('API crashes', lambda('api', 'Errors', 'Sum')),
      graph('API latency, p99, ms', lambda('api', 'UrlRequestLatency', 'p99')),
    );
  }
}

function siteWidget(checks: ReadonlyMap<string, HealthCheck>): GraphWidget {
  return new GraphWidget({
    title: 'Records that path A answers with (1 = active; a primary is while its secondary is not)',
    width: FULL_WIDTH,
    left: [...checks].map(
      ([label, check]) =>
        new Metric({
          namespace: 'AWS/Route53',
          metricName: 'HealthCheckStatus',
          dimensionsMap: { HealthCheckId: check.healthCheckId },
          statistic: 'Minimum',
          period: MINUTE,
          region: HEALTH_CHECK_METRIC_REGION,
          label,
        }),
    ),
  });
}

function graph(title: string, left: NonNullable<GraphWidgetProps['left']>): GraphWidget {
  return new GraphWidget({ title, left, width: HALF_WIDTH });
}
