/**
 * What the controller acts through on AWS: Route 53 for the switch, the zone's own name servers and
 * plain HTTP for the verification. In a file of its own, so that no other function carries it.
 */
import type { Clock } from '../base/clock.ts';
import type { LambdaSettings } from '../config/environment.ts';
import type { EffectPorts } from './compose.ts';
import { httpProbe } from './http-probe.ts';
import { createProbePort } from './probe/probe-port.ts';
import { createRoute53Client } from './route53/client.ts';
import { authoritativeResolver } from './route53/resolver.ts';
import { route53SwitchPort } from './route53/switch-port.ts';

const ZONE_TIMEOUTS = { requestTimeoutMs: 5000, connectionTimeoutMs: 2000 } as const;
const NAME_SERVER_TIMEOUT_MS = 1000;
const NAME_SERVER_TRIES = 2;
const PROBE_TIMEOUT_MS = 4000;

export function awsEffects(
  { region, hostedZoneId, nameServers }: LambdaSettings,
  clock: Clock,
): EffectPorts {
  return {
    switchPort: route53SwitchPort({
      client: createRoute53Client({ region, ...ZONE_TIMEOUTS }),
      hostedZoneId,
    }),
    probePort: createProbePort({ clock }),
    verifyPort: {
      resolve: authoritativeResolver({
        nameServers,
        timeoutMs: NAME_SERVER_TIMEOUT_MS,
        tries: NAME_SERVER_TRIES,
      }),
      probe: httpProbe({ timeoutMs: PROBE_TIMEOUT_MS, clock }),
    },
  };
}
