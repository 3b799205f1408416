/**
 * What a site must answer to count as serving, beside its heartbeats.
 *
 * One type for each kind of probe, with every value in its final unit. `lib/config` makes these
 * from URLs; `lib/aws/probe` performs them. Nothing here is a secret: policies stand in the log.
 */
import type { ProbePace } from '../detection/probe-state.ts';

export interface HttpProbePolicy extends ProbePace {
  readonly kind: 'http';
  /** http or https, without credentials or fragment. */
  readonly url: string;
  readonly method: 'GET' | 'HEAD';
  /** Statuses that pass, both ends included. A redirect is an answer and is not followed. */
  readonly statusMin: number;
  readonly statusMax: number;
  /** A later answer fails although it is right; null = any within the time limit. */
  readonly latencyMsMax: number | null;
  /** Text that the first part of the body holds, byte for byte; null = the body is not read. */
  readonly bodyContains: string | null;
  /** Host to ask for (Host header, SNI, certificate) in place of the one in the URL. */
  readonly serverName: string | null;
  /** Days before a certificate expires from which it is warned of; 0 = never. */
  readonly certificateDaysMin: number;
}

export interface TcpProbePolicy extends ProbePace {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface TlsProbePolicy extends ProbePace {
  readonly kind: 'tls';
  readonly host: string;
  readonly port: number;
  readonly serverName: string | null;
  readonly certificateDaysMin: number;
}

export interface DnsProbePolicy extends ProbePace {
  readonly kind: 'dns';
  readonly name: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME' | 'TXT';
  /** Values that must be among the answers; empty = any answer will do. */
  readonly expected: readonly string[];
  /** Name server to ask, `address` or `address:port`; null = the one of this machine. */
  readonly server: string | null;
}

export type ProbePolicy = HttpProbePolicy | TcpProbePolicy | TlsProbePolicy | DnsProbePolicy;

/** A configuration that was applied before there were probes has none. */
export function probesOf(site: {
  readonly probes?: readonly ProbePolicy[];
}): readonly ProbePolicy[] {
  return site.probes ?? [];
}

/** Where a probe goes, in few words, e.g. `GET https://…/healthz` or `tcp 192.0.2.10:5432`. */
export function probeTarget(probe: ProbePolicy): string {
  switch (probe.kind) {
    case 'http':
      return `${probe.method} ${probe.url}`;
    case 'tcp':
    case 'tls':
      return `${probe.kind} ${probe.host.includes(':') ? `[${probe.host}]` : probe.host}:${probe.port}`;
    case 'dns':
      return `${probe.recordType} ${probe.name}${probe.server === null ? '' : ` at ${probe.server}`}`;
  }
}

/** What it must find there, e.g. `status 200 to 299, body with "ok"`. */
export function probeExpectation(probe: ProbePolicy): string {
  switch (probe.kind) {
    case 'http':
      return [
        `status ${probe.statusMin} to ${probe.statusMax}`,
        ...(probe.latencyMsMax === null ? [] : [`within ${probe.latencyMsMax} ms`]),
        ...(probe.bodyContains === null ? [] : [`body with ${JSON.stringify(probe.bodyContains)}`]),
        ...certificateExpectation(probe),
      ].join(', ');
    case 'tcp':
      return 'a connection';
    case 'tls':
      return ['a handshake', ...certificateExpectation(probe)].join(', ');
    case 'dns':
      return probe.expected.length === 0 ? 'any answer' : probe.expected.join(', ');
  }
}

function certificateExpectation({
  serverName,
  certificateDaysMin,
}: HttpProbePolicy | TlsProbePolicy): readonly string[] {
  return [
    ...(serverName === null ? [] : [`as ${serverName}`]),
    ...(certificateDaysMin === 0 ? [] : [`certificate for ${certificateDaysMin} days`]),
  ];
}
