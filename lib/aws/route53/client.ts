/**
 * Makes the Route 53 client. Repeating a change is the business of `lib/recovery/switch-once.ts`,
 * which reads before it repeats.
 */
import { Route53Client } from '@aws-sdk/client-route-53';
import { type SdkClientOptions, sdkOptions } from '../sdk-options.ts';

/** All that the switch port uses of the SDK's client. */
export type ChangeClient = Pick<Route53Client, 'send'>;

/** For whoever made the client: `destroy` closes its connections. */
export type OwnedChangeClient = Pick<Route53Client, 'send' | 'destroy'>;

/** A zone takes one change at a time; more connections than this only wait for each other. */
const SOCKETS_MAX = 8;

/** `region` is the one whose endpoint and credentials are used; Route 53 itself is global. */
export function createRoute53Client(options: SdkClientOptions): OwnedChangeClient {
  return new Route53Client(sdkOptions(options, SOCKETS_MAX));
}
