/**
 * A scaling hook as its owner would write it: `PUT {desired}` is taken at once, what is ready follows
 * slowly, one unit after the other. Its own process; prints the port that it listens on.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Time that one unit takes to be ready. */
const GROW_MS = 400;

const [standby = 1] = process.argv.slice(2).map(Number);
const capacity = { desired: standby, ready: standby, changes: 0 };

setInterval(() => {
  const { desired, ready } = capacity;
  // What is taken away goes at once.
  capacity.ready = Math.min(ready + (ready < desired ? 1 : 0), desired);
}, GROW_MS);

const server = createServer(async (request, response) => {
  if (request.method === 'PUT') {
    const { desired } = JSON.parse(await text(request)) as { readonly desired: number };
    capacity.changes += desired === capacity.desired ? 0 : 1;
    capacity.desired = desired;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(capacity));
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
