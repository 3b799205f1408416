/** From settings to the ports over an outside name server, for Lambda functions and for local mode. */
import { type DynamicDnsSettings, serverText } from '../../config/switch-settings.ts';
import type { SwitchPort, VerifyPort } from '../../recovery/switch-port.ts';
import { authoritativeResolver } from '../route53/resolver.ts';
import { rfc2136SwitchPort } from './switch-port.ts';

const SERVER_TIMEOUTS = { connectionTimeoutMs: 2000, requestTimeoutMs: 5000 } as const;
const NAME_SERVER_TIMEOUT_MS = 1000;
const NAME_SERVER_TRIES = 2;

/** `wallMs`: milliseconds since 1970. */
export function dynamicDnsPorts(
  settings: DynamicDnsSettings,
  wallMs: () => number,
): { readonly switchPort: SwitchPort; readonly resolve: VerifyPort['resolve'] } {
  const { server, zone, keyName, algorithm, secret, nameServers } = settings;
  return {
    switchPort: rfc2136SwitchPort({
      server,
      zone,
      key: { name: keyName, algorithm, secret: secret() },
      nameServers,
      wallSeconds: () => Math.floor(wallMs() / 1000),
      ...SERVER_TIMEOUTS,
    }),
    resolve: authoritativeResolver({
      nameServers: nameServers.map(serverText),
      timeoutMs: NAME_SERVER_TIMEOUT_MS,
      tries: NAME_SERVER_TRIES,
    }),
  };
}
