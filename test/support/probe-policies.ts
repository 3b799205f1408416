/** Probe policies for tests, with a pace of a second and short time limits. */
import type {
  DnsProbePolicy,
  HttpProbePolicy,
  TcpProbePolicy,
  TlsProbePolicy,
} from '../../lib/recovery/probe-policy.ts';

const PACE = { intervalMs: 10_000, timeoutMs: 2000, rise: 2, fall: 3 };

export function httpPolicy(url: string, changes: Partial<HttpProbePolicy> = {}): HttpProbePolicy {
  return {
    kind: 'http',
    url,
    method: 'GET',
    statusMin: 200,
    statusMax: 299,
    latencyMsMax: null,
    bodyContains: null,
    serverName: null,
    certificateDaysMin: 0,
    ...PACE,
    ...changes,
  };
}

export function tcpPolicy(port: number, changes: Partial<TcpProbePolicy> = {}): TcpProbePolicy {
  return { kind: 'tcp', host: '127.0.0.1', port, ...PACE, ...changes };
}

export function tlsPolicy(port: number, changes: Partial<TlsProbePolicy> = {}): TlsProbePolicy {
  return {
    kind: 'tls',
    host: '127.0.0.1',
    port,
    serverName: null,
    certificateDaysMin: 0,
    ...PACE,
    ...changes,
  };
}

export function dnsPolicy(changes: Partial<DnsProbePolicy> = {}): DnsProbePolicy {
  return {
    kind: 'dns',
    name: 'checkout.example.test',
    recordType: 'A',
    expected: [],
    server: null,
    ...PACE,
    ...changes,
  };
}
