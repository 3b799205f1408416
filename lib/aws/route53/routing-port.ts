/**
 * Path A as its clients see it: asks the zone's own name servers for the steered name.
 *
 * Not GetHealthCheckStatus: it tells what checkers think, one request a second for the whole account,
 * from the one region whose loss may be the reason for the run. The answer of the name servers is what
 * the checks and the records together come to, and it is served by the same data plane that clients
 * depend on.
 */
import type { RoutingPort, VerifyPort } from '../../recovery/switch-port.ts';

export interface RoutingPortOptions {
  /** Name that path A steers, by service. */
  readonly names: ReadonlyMap<string, string>;
  readonly resolve: VerifyPort['resolve'];
}

export function dataPlaneRouting({ names, resolve }: RoutingPortOptions): RoutingPort {
  return {
    status: async (service, type) => {
      const name = names.get(service);
      if (name === undefined) {
        return { kind: 'not-wired' };
      }
      const seen = await resolve(name, type);
      return seen.kind === 'resolved' ? { kind: 'routed', values: seen.values } : seen;
    },
  };
}
