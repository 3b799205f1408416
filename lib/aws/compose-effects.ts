/**
 * What the controller acts through on AWS: Route 53 or a server of RFC 2136 for the switch, the
 * zone's own name servers and plain HTTP for the verification, the services that plans name for everything else. In a file of its own, so that no other function carries it.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import { type LambdaSettings, secretVariable } from '../config/environment.ts';
import { createActionPorts } from './actions/action-ports.ts';
import { createActionClients } from './actions/clients.ts';
import { createMetricPort } from './cloudwatch/metric-port.ts';
import type { EffectPorts } from './compose.ts';
import { httpProbe } from './http-probe.ts';
import { createProbePort } from './probe/probe-port.ts';
import { createQuotaClients } from './readiness/clients.ts';
import { createReadinessPort } from './readiness/readiness-port.ts';
import { dynamicDnsPorts } from './rfc2136/compose.ts';
import { createRoute53Client } from './route53/client.ts';
import { authoritativeResolver } from './route53/resolver.ts';
import { dataPlaneRouting } from './route53/routing-port.ts';
import { route53SwitchPort } from './route53/switch-port.ts';

const ZONE_TIMEOUTS = { requestTimeoutMs: 5000, connectionTimeoutMs: 2000 } as const;
const NAME_SERVER_TIMEOUT_MS = 1000;
const NAME_SERVER_TRIES = 2;
const PROBE_TIMEOUT_MS = 4000;

export function awsEffects(
  settings: LambdaSettings,
  clock: Clock,
  stores: ReadonlyMap<RegionId, SnapshotStore>,
): EffectPorts {
  const { switchPort, resolve } =
    settings.dynamicDns === null
      ? route53Ports(settings)
      : dynamicDnsPorts(settings.dynamicDns, clock.wallNow);
  const clients = createActionClients();
  return {
    switchPort,
    routingPort: dataPlaneRouting({ names: settings.dataPlaneNames, resolve }),
    probePort: createProbePort({ clock }),
    metricPort: createMetricPort(),
    verifyPort: { resolve, probe: httpProbe({ timeoutMs: PROBE_TIMEOUT_MS, clock }) },
    readiness: createReadinessPort({
      clients,
      quotas: createQuotaClients(),
      secretOf: secretVariable,
    }),
    actions: createActionPorts({
      clients,
      stores,
      secretOf: secretVariable,
      clock,
    }),
  };
}

function route53Ports({ region, hostedZoneId, nameServers }: LambdaSettings) {
  return {
    switchPort: route53SwitchPort({
      client: createRoute53Client({ region, ...ZONE_TIMEOUTS }),
      hostedZoneId,
    }),
    resolve: authoritativeResolver({
      nameServers,
      timeoutMs: NAME_SERVER_TIMEOUT_MS,
      tries: NAME_SERVER_TRIES,
    }),
  };
}
