/**
 * What a function tells CloudWatch about itself, in the embedded metric format: one line on standard
 * output, no API call, no permission.
 *
 * One dimension, the cluster id. Neither services nor sites become dimensions: each combination is
 * a metric that is billed on its own.
 *
 * Source: CloudWatch user guide, "Embedding metrics within logs".
 */
import { Metrics } from '@aws-lambda-powertools/metrics';
import { METRIC_NAMESPACE, METRICS } from '../config/names.ts';
import type { StatusView } from '../control/control-plane.ts';
import { standingRisk } from '../recovery/replication.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';

export interface LambdaMetrics {
  /** The state of the control plane as this region sees it. */
  readonly publishStatus: (view: StatusView) => void;
  readonly count: (name: (typeof METRICS)[keyof typeof METRICS]) => void;
}

export function createLambdaMetrics(clusterId: string): LambdaMetrics {
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: clusterId });
  return {
    publishStatus: ({ position, state }) => {
      const services = Object.values(state.services);
      const unsettled = services.filter(({ phase }) => phase.kind !== 'steady');
      metrics.addMetric(METRICS.quorum, 'Count', position.quorum ? 1 : 0);
      metrics.addMetric(METRICS.reachableRegisters, 'Count', position.reachable.length);
      metrics.addMetric(METRICS.unsettledServices, 'Count', unsettled.length);
      metrics.addMetric(METRICS.earlyWarnings, 'Count', warnedSites(state));
      metrics.addMetric(METRICS.rposAtRisk, 'Count', laggingSites(state));
      metrics.addMetric(METRICS.unreadyServices, 'Count', services.filter(isUnready).length);
      metrics.addMetric(METRICS.appliedIndex, 'Count', position.appliedIndex);
      metrics.publishStoredMetrics();
    },
    count: (name) => {
      metrics.addMetric(name, 'Count', 1);
      metrics.publishStoredMetrics();
    },
  };
}

function isUnready({ readiness }: ServiceState): boolean {
  return readiness?.findings.some(({ severity }) => severity === 'failing') ?? false;
}

function laggingSites({ services }: RecoveryState): number {
  const risks = Object.values(services).flatMap((service) =>
    Object.keys(service.sites).map((site) => standingRisk(service, site)),
  );
  return risks.filter(({ kind }) => kind !== 'none').length;
}

/** A region that observes no more may have left a warning behind: it does not count. */
function warnedSites({ observers, services, monitors }: RecoveryState): number {
  const owners = [...Object.values(services), ...Object.values(monitors)];
  const sites = owners.flatMap((owner) => Object.values(owner.sites));
  return sites.filter(({ warnings = {} }) => observers.some((observer) => observer in warnings))
    .length;
}
