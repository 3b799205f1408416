/**
 * Path A: traffic follows health checks that ask Tripoint's own routing answer in every region.
 *
 *     checkers ──▶ /v1/routing/checkout/us-east-1 in region 1 ─┐
 *     checkers ──▶ … in region 2 ──────────────────────────────┼─▶ 2 of 3 healthy = site is active
 *     checkers ──▶ … in region 3 ──────────────────────────────┘
 *
 * All of it exists before the event. A switch is a committed entry; the regions' answers change, and
 * Route 53's data plane follows without one call to its control plane. A region that fails is
 * outvoted. When no majority of regions answers at all, both checks are unhealthy and Route 53
 * answers with the PRIMARY record: one site, never both.
 */
import { Duration } from 'aws-cdk-lib';
import { CfnRecordSet, HealthCheck, HealthCheckType } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { ProtectedService, ProtectedSite } from '../protected-services.ts';
import type { Settings } from '../settings.ts';

export interface RoutingHealthProps {
  readonly settings: Settings;
  readonly service: ProtectedService;
  /** Host of each region's API, perhaps a token that is resolved at deployment. */
  readonly hosts: ReadonlyMap<string, string>;
}

/** Consecutive answers until a checker changes its mind: a single lost packet does not count. */
const FAILURE_THRESHOLD = 2;
/** What resolvers may keep; the health check and not the record decides how fast a switch is. */
const TTL_SECONDS = 10;

export class RoutingHealth extends Construct {
  /** Calculated check of each site, by site. */
  readonly checks: ReadonlyMap<string, HealthCheck>;

  constructor(scope: Construct, id: string, props: RoutingHealthProps) {
    super(scope, id);
    const { settings, service } = props;
    this.checks = new Map(
      service.sites.map((site) => [site.site, this.#siteCheck(site, props)] as const),
    );
    const dataPlaneName = settings.dataPlaneNames[service.service];
    if (dataPlaneName !== undefined) {
      this.#records(dataPlaneName, props);
    }
  }

  #siteCheck({ site }: ProtectedSite, { settings, service, hosts }: RoutingHealthProps) {
    const children = [...hosts].map(
      ([region, fqdn]) =>
        new HealthCheck(this, `${site}-from-${region}`, {
          type: HealthCheckType.HTTPS,
          fqdn,
          port: 443,
          resourcePath: `/v1/routing/${service.service}/${site}`,
          requestInterval: Duration.seconds(settings.healthCheckIntervalSeconds),
          failureThreshold: FAILURE_THRESHOLD,
          enableSNI: true,
        }),
    );
    return new HealthCheck(this, site, {
      type: HealthCheckType.CALCULATED,
      childHealthChecks: children,
      healthThreshold: Math.floor(children.length / 2) + 1,
    });
  }

  /** One PRIMARY and one SECONDARY record; the primary is the service's primary site. */
  #records(name: string, { settings, service }: RoutingHealthProps): void {
    for (const { site, address } of service.sites) {
      const check = this.checks.get(site);
      const record = new CfnRecordSet(this, `Record-${site}`, {
        hostedZoneId: settings.hostedZoneId,
        name: `${name}.`,
        type: service.recordType,
        ttl: String(TTL_SECONDS),
        resourceRecords: [address],
        setIdentifier: site,
        failover: site === service.primary ? 'PRIMARY' : 'SECONDARY',
      });
      record.healthCheckId = check?.healthCheckId;
    }
  }
}
