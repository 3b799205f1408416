/**
 * A worker in a process of its own that makes one switch and freezes itself (SIGSTOP) between its
 * read and its first write. Woken, it goes on as if nothing had happened. Tells what the first write
 * and the whole switch came to, as one line of JSON.
 */

import { rfc2136SwitchPort } from '../../lib/aws/rfc2136/switch-port.ts';
import { createRoute53Client } from '../../lib/aws/route53/client.ts';
import { route53SwitchPort } from '../../lib/aws/route53/switch-port.ts';
import { zoneClient } from '../../lib/local/dns/zone-client.ts';
import { switchOnce } from '../../lib/recovery/switch-once.ts';
import type { ChangeOutcome, SwitchPort } from '../../lib/recovery/switch-port.ts';
import type { LateWorkerTask, ZonePlace } from './late-worker.ts';

const task = JSON.parse(process.argv[2] ?? '') as LateWorkerTask;
const port = portTo(task.place);
let first: ChangeOutcome | null = null;
const outcome = await switchOnce(
  {
    ...port,
    change: async (batch, comment) => {
      if (first !== null) {
        return port.change(batch, comment);
      }
      process.kill(process.pid, 'SIGSTOP');
      first = await port.change(batch, comment);
      return first;
    },
  },
  task.intent,
  { clock: { sleep: async () => undefined }, random: () => 0 },
);
process.stdout.write(`${JSON.stringify({ first, outcome })}\n`);

function portTo(place: ZonePlace): SwitchPort {
  switch (place.kind) {
    case 'embedded':
      return zoneClient({ url: place.url, token: place.token, timeoutMs: 5000 });
    case 'route53':
      return route53SwitchPort({
        client: createRoute53Client({
          region: 'us-east-1',
          endpoint: place.url,
          requestTimeoutMs: 5000,
          connectionTimeoutMs: 1000,
          credentials: { accessKeyId: 'stand-in', secretAccessKey: 'stand-in' },
        }),
        hostedZoneId: place.hostedZoneId,
      });
    case 'rfc2136': {
      const server = { host: '127.0.0.1', port: place.port };
      return rfc2136SwitchPort({
        server,
        zone: place.zone,
        key: {
          name: place.keyName,
          algorithm: place.algorithm,
          secret: Buffer.from(place.secret, 'base64'),
        },
        nameServers: [server],
        wallSeconds: () => Math.floor(Date.now() / 1000),
        connectionTimeoutMs: 1000,
        requestTimeoutMs: 5000,
      });
    }
  }
}
