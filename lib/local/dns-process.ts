/**
 * The process that is the local DNS: authoritative server and zone in one, nothing else.
 *
 * A zone that is missing although the cluster was made before is refused: starting over would send
 * clients to a primary that may have failed long ago.
 */
import { AppError } from '../base/errors.ts';
import { type ChildContext, type ChildParts, runChild } from './child-main.ts';
import type { DnsSettings } from './child-settings.ts';
import { startDnsServer } from './dns/start-dns-server.ts';
import { pathExists } from './durable-file.ts';

runChild<DnsSettings>('dns', startDns);

async function startDns(
  { zoneFile, isBootstrapped, ...settings }: DnsSettings,
  { log, prepared }: ChildContext,
): Promise<ChildParts> {
  if (isBootstrapped && !(await pathExists(zoneFile))) {
    throw new AppError(`the DNS zone is gone: ${zoneFile}`, {
      code: 'zone-lost',
      hint: 'Restore the file, or remove the whole folder to begin anew.',
      retryable: false,
    });
  }
  const service = await startDnsServer({
    zoneFile,
    origin: settings.origin,
    host: settings.host,
    dnsPort: settings.port,
    httpPort: settings.controlPort,
    token: settings.token,
    log,
  });
  await prepared();
  return { stop: service.close };
}
