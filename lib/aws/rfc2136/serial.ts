/**
 * The serial of a zone as one of its name servers has it, and which of two serials is later.
 *
 * Asked without a signature: a secondary need not know the key, and an answer that lies can only
 * make a run wait, or look too early for what it then verifies by the records themselves.
 */
import { randomInt } from 'node:crypto';
import { decode } from 'dns-packet';
import { describeError } from '../../base/errors.ts';
import { type ClientOptions, openConnection, type ServerAddress } from './client.ts';
import { encodeQuery, TYPE } from './wire.ts';

export interface Silence {
  readonly kind: 'unknown';
  readonly cause: string;
}

export async function askSerial(
  { zone, ...options }: ClientOptions & { readonly zone: string },
  server: ServerAddress,
): Promise<number | Silence> {
  const opened = await openConnection(server, options);
  if (opened.kind === 'never-connected') {
    return { kind: 'unknown', cause: opened.cause };
  }
  try {
    const id = randomInt(0x10000);
    const reply = await opened.connection.ask(encodeQuery({ id, name: zone, type: TYPE.SOA }));
    if (reply.kind === 'lost') {
      return { kind: 'unknown', cause: `${server.host}: ${reply.cause}` };
    }
    return serialIn(reply.packet) ?? { kind: 'unknown', cause: `${server.host} has no such zone` };
  } finally {
    opened.connection.close();
  }
}

function serialIn(packet: Buffer): number | Silence | null {
  try {
    const message = decode(packet);
    const { flag_aa: isAuthoritative } = message as { readonly flag_aa?: boolean };
    const soa = message.answers?.find(({ type }) => type === 'SOA');
    return isAuthoritative === true && soa?.type === 'SOA' ? (soa.data.serial ?? null) : null;
  } catch (thrown) {
    return { kind: 'unknown', cause: `the answer cannot be read: ${describeError(thrown)}` };
  }
}

const HALF = 0x8000_0000;

/** Whether a server at `standing` has what the zone had at `wanted` (RFC 1982, section 3.2). */
export function hasReached(standing: number, wanted: number): boolean {
  const ahead = (standing - wanted) >>> 0;
  return ahead < HALF;
}
