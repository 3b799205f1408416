/** Which processes a local cluster has, and what each is told. */
import type { ChildPlan } from './child.ts';
import type { DnsSettings, RegionPeer, RegionSettings, SiteSettings } from './child-settings.ts';
import type { ClusterRecord } from './cluster-file.ts';
import type { LocalSite } from './local-configuration.ts';
import {
  DNS_PROCESS,
  type Layout,
  LOCAL_ZONE,
  logFileOf,
  type RegionPlace,
} from './local-layout.ts';
import { sha256 } from './system-clock.ts';

interface Cluster {
  readonly layout: Layout;
  readonly record: ClusterRecord;
  readonly sites: readonly LocalSite[];
}

const REGION_SCRIPT = new URL('./region-process.ts', import.meta.url);
const DNS_SCRIPT = new URL('./dns-process.ts', import.meta.url);
const SITE_SCRIPT = new URL('./site-process.ts', import.meta.url);

/** Regions, DNS, then sites. Each name occurs once. */
export function planChildren(cluster: Cluster): readonly ChildPlan[] {
  const { layout, sites } = cluster;
  const plan = (child: Omit<ChildPlan, 'logFile' | 'cacheDir'>): ChildPlan => ({
    ...child,
    logFile: logFileOf(layout, child.name),
    cacheDir: layout.cacheDir,
  });
  const regions = layout.regions.map((place) => {
    const settings = regionSettings(cluster, place);
    return plan({ name: place.region, kind: 'region', script: REGION_SCRIPT, settings });
  });
  const settings = dnsSettings(cluster);
  const dns = plan({ name: DNS_PROCESS, kind: 'dns', script: DNS_SCRIPT, settings });
  return [
    ...regions,
    ...(layout.dns.isOutside ? [] : [dns]),
    ...sites.map((site) =>
      plan({
        name: site.name,
        kind: 'site',
        script: SITE_SCRIPT,
        settings: siteSettings(cluster, site),
      }),
    ),
  ];
}

function regionSettings({ layout, record }: Cluster, place: RegionPlace): RegionSettings {
  const { region, apiPort, databasePort, databaseDir } = place;
  const { isOutside, host, port, controlUrl } = layout.dns;
  return {
    clusterId: record.clusterId,
    region,
    peers: layout.regions.map(
      (peer): RegionPeer => ({
        region: peer.region,
        databaseUrl: peer.databaseUrl,
        snapshotDir: peer.snapshotDir,
      }),
    ),
    apiPort,
    databasePort,
    databaseDir,
    operatorTokenHash: sha256(record.operatorToken),
    isBootstrapped: record.bootstrapped,
    dns: { isOutside, host, port, controlUrl, token: record.dnsToken },
  };
}

function dnsSettings({ layout, record }: Cluster): DnsSettings {
  const { host, port, controlPort, zoneFile } = layout.dns;
  return {
    zoneFile,
    origin: LOCAL_ZONE,
    host,
    port,
    controlPort,
    token: record.dnsToken,
    isBootstrapped: record.bootstrapped,
  };
}

function siteSettings({ layout }: Cluster, site: LocalSite): SiteSettings {
  return {
    service: site.service,
    site: site.site,
    host: site.host,
    port: site.port,
    token: site.token,
    intervalMs: site.intervalMs,
    endpoints: layout.regions.map(({ apiUrl }) => apiUrl),
  };
}
