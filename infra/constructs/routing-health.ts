/**
 * Path A: traffic follows health checks that ask Tripoint's own routing answer in every region.
 *
 *     checkers ──▶ /v1/routing/checkout/us-west-2 in region 1 ─┐
 *     checkers ──▶ … in region 2 ──────────────────────────────┼─▶ 2 of 3 say yes ─▶ NOT ─▶ PRIMARY record
 *     checkers ──▶ … in region 3 ──────────────────────────────┘
 *
 * All of it exists before the event. A switch is a committed entry; the regions' answers change, and
 * Route 53's data plane follows without one call to its control plane. A region that fails, or answers
 * wrongly, is outvoted.
 *
 * Of a failover pair the checks ask for the secondary site, and the PRIMARY record is healthy as long as
 * they are not. Route 53 calls an endpoint healthy as soon as more than 18 % of its checkers do, and
 * unhealthy only when 82 % do: so the quick direction is the failover. The SECONDARY record has no
 * check: it is what is left when the PRIMARY is not healthy, and one signal cannot contradict itself. When
 * no majority of regions answers, the PRIMARY is served: one site, never both. It may not be the one
 * that is active (`docs/guarantees.md`, "Path A falls back to the primary"), which costs availability and no
 * fence: what makes a site serve is its lease, and no DNS answer renews one.
 *
 * An active-active service has a positive check for each site, and Route 53 answers with all sites when
 * none is healthy; each of them may serve.
 *
 * Source: "standby takes over primary", Creating Disaster Recovery Mechanisms Using Amazon Route 53
 * (AWS Networking & Content Delivery blog).
 */
import { Duration } from 'aws-cdk-lib';
import { CfnRecordSet, HealthCheck, HealthCheckType } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { ProtectedService } from '../protected-services.ts';
import type { Settings } from '../settings.ts';

export interface RoutingHealthProps {
  readonly settings: Settings;
  readonly service: ProtectedService;
  /** Host of each region's API, perhaps a token that is resolved at deployment. */
  readonly hosts: ReadonlyMap<string, string>;
}

/**
 * Answers in a row until a checker changes its mind. One is enough: a lost packet never makes a yes, and
 * a no takes 82 % of the checkers in two regions at once. The vote damps, not the single checker.
 */
const FAILURE_THRESHOLD = 1;
/**
 * What resolvers may keep. The health check decides in about five seconds, so a longer TTL would be most of
 * what clients wait for; a shorter one is raised by many resolvers. A busy resolver costs about 20 cents a month.
 */
const TTL_SECONDS = 5;

export class RoutingHealth extends Construct {
  /** Healthy while the log gives the site traffic; of a failover pair the secondary's is turned round for the primary. */
  readonly checks: ReadonlyMap<string, HealthCheck>;

  constructor(scope: Construct, id: string, props: RoutingHealthProps) {
    super(scope, id);
    const { settings, service } = props;
    this.checks = new Map(
      service.strategy === 'active-active'
        ? service.sites.map(({ site }) => [site, this.#check(site, props)] as const)
        : this.#primaryCheck(props),
    );
    const dataPlaneName = settings.dataPlaneNames[service.service];
    if (dataPlaneName !== undefined) {
      this.#records(dataPlaneName, props);
    }
  }

  /** Of more than two sites none is the one that takes over, so there is nothing to turn round. */
  #primaryCheck(props: RoutingHealthProps): readonly (readonly [string, HealthCheck])[] {
    const { primary, sites } = props.service;
    const others = sites.filter(({ site }) => site !== primary);
    const [secondary] = others;
    return secondary === undefined || others.length > 1
      ? sites.map(({ site }) => [site, this.#check(site, props)] as const)
      : [[primary, this.#check(primary, props, secondary.site)]];
  }

  /** @param standIn a site whose being active means that the first one is not */
  #check(
    site: string,
    { settings, service, hosts }: RoutingHealthProps,
    standIn: string | null = null,
  ): HealthCheck {
    const asked = standIn ?? site;
    const children = [...hosts].map(
      ([region, fqdn]) =>
        new HealthCheck(this, `${asked}-from-${region}`, {
          type: HealthCheckType.HTTPS,
          fqdn,
          port: 443,
          resourcePath: `/v1/routing/${service.service}/${asked}`,
          requestInterval: Duration.seconds(settings.healthCheckIntervalSeconds),
          failureThreshold: FAILURE_THRESHOLD,
          enableSNI: true,
        }),
    );
    return new HealthCheck(this, site, {
      type: HealthCheckType.CALCULATED,
      childHealthChecks: children,
      healthThreshold: Math.floor(children.length / 2) + 1,
      inverted: standIn !== null,
    });
  }

  /**
   * One PRIMARY and one SECONDARY record; the primary is the service's primary site. Where every site
   * serves, a weighted record for each: the weight is its share while all is well, its check takes it
   * out when the log does.
   */
  #records(name: string, { settings, service }: RoutingHealthProps): void {
    for (const { site, address, weight } of service.sites) {
      const check = this.checks.get(site);
      const record = new CfnRecordSet(this, `Record-${site}`, {
        hostedZoneId: settings.hostedZoneId,
        name: `${name}.`,
        type: service.recordType,
        ttl: String(TTL_SECONDS),
        resourceRecords: [address],
        setIdentifier: site,
        ...(service.strategy === 'active-active'
          ? { weight }
          : { failover: site === service.primary ? 'PRIMARY' : 'SECONDARY' }),
      });
      if (check !== undefined) {
        record.healthCheckId = check.healthCheckId;
      }
    }
  }
}
