/**
 * Asks the local DNS server as a client does: one UDP packet, one answer.
 *
 * Its own few lines and not the resolver of `lib/local`: a test that asked with the code under test
 * would share its mistakes.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';

const TIMEOUT_MS = 500;

export interface DnsPlace {
  readonly host: string;
  readonly port: number;
}

/** Values of the records of this type; null = no answer in time, or an error code. */
export function ask(
  { host, port }: DnsPlace,
  name: string,
  type: 'A' | 'TXT' = 'A',
): Promise<readonly string[] | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const id = randomInt(0x1_0000);
    const finish = (values: readonly string[] | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(values);
    };
    const timer = setTimeout(() => finish(null), TIMEOUT_MS);
    socket.on('error', () => finish(null));
    socket.on('message', (packet) => {
      const answer = decode(packet);
      if (answer.id !== id) {
        return;
      }
      const isGood = ((answer.flags ?? 0) & 0xf) === 0;
      finish(isGood ? (answer.answers ?? []).flatMap((record) => valuesIn(record, type)) : null);
    });
    // Connected, so that a closed port is an error at once and not a timeout.
    socket.connect(port, host, () => {
      socket.send(encode({ type: 'query', id, questions: [{ name, type }] }));
    });
  });
}

function valuesIn(record: { readonly type: string }, type: 'A' | 'TXT'): readonly string[] {
  if (record.type !== type || !('data' in record)) {
    return [];
  }
  const { data } = record;
  return Array.isArray(data) ? [Buffer.concat(data).toString('utf8')] : [String(data)];
}
