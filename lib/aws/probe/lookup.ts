/**
 * Looks up the host of a probe without the pool of threads.
 *
 * `dns.lookup` blocks one of four threads until the resolver answers. A resolver that hangs would
 * let a handful of probes starve every other lookup of the process, those of the stores included.
 * So names are asked for over the network first, with a time limit; only one that DNS does not know
 * is looked for in this machine's own files, and that answer does not wait for anybody.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { codeOf } from './answer.ts';

const NOT_IN_DNS: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

export function probeLookup(timeoutMs: number): LookupFunction {
  return (hostname, options, callback) => {
    if (!hostname.includes('.')) {
      // `localhost` and the like stand in the files of the machine.
      lookup(hostname, options, callback);
      return;
    }
    void ask(hostname, timeoutMs).then((found) => {
      const [first] = found.addresses;
      if (first !== undefined && options.all === true) {
        callback(null, [...found.addresses]);
      } else if (first !== undefined) {
        callback(null, first.address, first.family);
      } else if (found.isUnknownToDns) {
        lookup(hostname, options, callback);
      } else {
        const error = new Error(`no resolver answered for ${hostname}`);
        callback(Object.assign(error, { code: 'EAI_AGAIN' }), '', 0);
      }
    });
  };
}

interface Found {
  readonly addresses: readonly LookupAddress[];
  readonly isUnknownToDns: boolean;
}

async function ask(hostname: string, timeoutMs: number): Promise<Found> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  // Before the probe itself is over, so that a resolver that hangs is not taken for a site that does.
  const timer = setTimeout(() => resolver.cancel(), timeoutMs / 2);
  const answers = await Promise.allSettled([
    resolver.resolve4(hostname).then((list) => list.map((address) => ({ address, family: 4 }))),
    resolver.resolve6(hostname).then((list) => list.map((address) => ({ address, family: 6 }))),
  ]);
  clearTimeout(timer);
  return {
    addresses: answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])),
    isUnknownToDns: answers.every(
      (answer) => answer.status === 'rejected' && NOT_IN_DNS.has(codeOf(answer.reason) ?? ''),
    ),
  };
}
