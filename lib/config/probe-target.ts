/**
 * Where a probe goes, written as one URL whose scheme says what kind of probe it is.
 *
 * ```text
 * https://host/path   http://host/path
 * tcp://host:port     tls://host:port
 * dns:name?type=A     dns://server:port/name?type=A        (RFC 4501)
 * ```
 */
import { CONFIG_LIMITS } from './limits.ts';

const DNS_TYPES = ['A', 'AAAA', 'CNAME', 'TXT'] as const;
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i;
/** An address and perhaps a port: a server that must itself be looked up is no independent judge. */
const DNS_SERVER = /^(\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?)$/i;

export type ProbeTarget =
  | { readonly kind: 'http'; readonly isSecure: boolean; readonly url: string }
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'dns';
      readonly name: string;
      readonly recordType: (typeof DNS_TYPES)[number];
      readonly server: string | null;
    };

/** null when the text is no such URL. Pure; total. */
export function parseProbeTarget(text: string): ProbeTarget | null {
  const url = text.length <= CONFIG_LIMITS.probeUrlCharactersMax ? URL.parse(text) : null;
  if (url === null || text.includes('#') || url.username !== '' || url.password !== '') {
    return null;
  }
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return { kind: 'http', isSecure: url.protocol === 'https:', url: text };
    case 'tcp:':
    case 'tls:':
      return socketTarget(url);
    case 'dns:':
      return dnsTarget(url);
    default:
      return null;
  }
}

function socketTarget(url: URL): ProbeTarget | null {
  const { protocol, hostname, port, pathname, search } = url;
  const isBare = pathname === '' && search === '';
  return hostname === '' || port === '' || port === '0' || !isBare
    ? null
    : {
        kind: protocol === 'tcp:' ? 'tcp' : 'tls',
        host: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: Number(port),
      };
}

/** Types and keys in any case, as RFC 4501 has them; a trailing dot is dropped. */
function dnsTarget({ host, pathname, searchParams }: URL): ProbeTarget | null {
  const keys = [...searchParams.keys()].map((key) => key.toLowerCase());
  const [, value = 'A'] = [...searchParams].find(([key]) => key.toLowerCase() === 'type') ?? [];
  const recordType = DNS_TYPES.find((type) => type === value.toUpperCase());
  const name = pathname.replace(/^\//, '').replace(/\.$/, '').toLowerCase();
  const isSound =
    DNS_NAME.test(name) &&
    (host === '' || DNS_SERVER.test(host)) &&
    keys.every((key) => key === 'type') &&
    keys.length <= 1;
  return recordType === undefined || !isSound
    ? null
    : { kind: 'dns', name, recordType, server: host === '' ? null : host };
}
