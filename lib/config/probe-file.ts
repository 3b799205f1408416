/**
 * A probe as people write it: one URL, and what differs from the defaults.
 *
 * The scheme of the URL decides which other keys make sense; one that does not is an error, because
 * a `contains` on a TCP probe would be believed to check something.
 */
import type { ProbePolicy } from '../recovery/probe-policy.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { type ProbeTarget, parseProbeTarget } from './probe-target.ts';

/** After the file schema: durations are milliseconds already. */
export interface ProbeEntry {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | undefined;
  readonly status?: string | number | undefined;
  readonly maxLatency?: number | undefined;
  readonly contains?: string | undefined;
  readonly serverName?: string | undefined;
  readonly certificateDays?: number | undefined;
  readonly expect?: readonly string[] | undefined;
  readonly interval: number;
  readonly timeout?: number | undefined;
  readonly rise: number;
  readonly fall: number;
}

const HTTP_KEYS = ['method', 'status', 'maxLatency', 'contains'];
const CERTIFICATE_KEYS = ['serverName', 'certificateDays'];
const DNS_KEYS = ['expect'];

/** `200` or `200-299`. */
export const STATUS_PATTERN: RegExp = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/;

/** Keys of the entry that its URL has no use for. Pure; total. */
export function misplacedKeys(entry: ProbeEntry): readonly string[] {
  const target = parseProbeTarget(entry.url);
  if (target === null) {
    return [];
  }
  const allowed = new Set(keysFor(target));
  const written = Object.entries(entry).filter(([, value]) => value !== undefined);
  return written
    .map(([key]) => key)
    .filter((key) => [...HTTP_KEYS, ...CERTIFICATE_KEYS, ...DNS_KEYS].includes(key))
    .filter((key) => !allowed.has(key));
}

function keysFor(target: ProbeTarget): readonly string[] {
  switch (target.kind) {
    case 'http':
      // Without TLS there is still a Host header to name.
      return target.isSecure ? [...HTTP_KEYS, ...CERTIFICATE_KEYS] : [...HTTP_KEYS, 'serverName'];
    case 'tls':
      return CERTIFICATE_KEYS;
    case 'dns':
      return DNS_KEYS;
    case 'tcp':
      return [];
  }
}

/** The policy of an entry; null when its URL is none of a probe. */
export function probePolicyOf(entry: ProbeEntry): ProbePolicy | null {
  const target = parseProbeTarget(entry.url);
  if (target === null) {
    return null;
  }
  const { probeTimeoutMsDefault, certificateDaysDefault } = CONFIG_LIMITS;
  const pace = {
    intervalMs: entry.interval,
    timeoutMs: entry.timeout ?? Math.min(probeTimeoutMsDefault, Math.floor(entry.interval / 2)),
    rise: entry.rise,
    fall: entry.fall,
  };
  const certificate = {
    serverName: entry.serverName ?? null,
    certificateDaysMin: entry.certificateDays ?? certificateDaysDefault,
  };
  switch (target.kind) {
    case 'http':
      return {
        ...{ kind: 'http', url: target.url, method: entry.method ?? 'GET' },
        ...statusesOf(String(entry.status ?? '200-299')),
        latencyMsMax: entry.maxLatency ?? null,
        bodyContains: entry.contains ?? null,
        ...certificate,
        certificateDaysMin: target.isSecure ? certificate.certificateDaysMin : 0,
        ...pace,
      };
    case 'tcp':
      return { kind: 'tcp', host: target.host, port: target.port, ...pace };
    case 'tls':
      return { kind: 'tls', host: target.host, port: target.port, ...certificate, ...pace };
    case 'dns': {
      const { name, recordType, server } = target;
      return { kind: 'dns', name, recordType, expected: entry.expect ?? [], server, ...pace };
    }
  }
}

function statusesOf(text: string): { readonly statusMin: number; readonly statusMax: number } {
  const [, lower = '200', upper = lower] = STATUS_PATTERN.exec(text) ?? [];
  return { statusMin: Number(lower), statusMax: Number(upper) };
}

/** What `probe: URL` stands for: a GET that must answer 2xx, at the usual pace. */
export function plainProbe(url: string): ProbePolicy | null {
  const { probeIntervalMsDefault, probeRiseDefault, probeFallDefault } = CONFIG_LIMITS;
  return probePolicyOf({
    url,
    interval: probeIntervalMsDefault,
    rise: probeRiseDefault,
    fall: probeFallDefault,
  });
}
