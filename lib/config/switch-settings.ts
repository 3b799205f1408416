/**
 * Which DNS moves the traffic, from the environment: Route 53, or a server that takes signed dynamic
 * updates (RFC 2136).
 *
 * The server is an address and not a name: on the way of a recovery nothing is looked up. The
 * secret is given out by a function, so that settings which end up in a log or an error carry none.
 */
import { isIP } from 'node:net';
import { isDnsName } from '../recovery/record-set.ts';
import type { Variables } from './expansion.ts';
import { ENVIRONMENT } from './names.ts';
import { NAME_PATTERN } from './schema.ts';

/** Where settings come from, and where their problems go. */
export interface EnvironmentReader {
  /** The trimmed value; empty when it is not set. */
  readonly text: (name: string) => string;
  readonly refuse: (name: string, message: string, fix: string) => void;
}

export interface NameServer {
  /** IP address. */
  readonly host: string;
  readonly port: number;
}

export interface DynamicDnsSettings {
  /** The zone's primary. */
  readonly server: NameServer;
  /** Apex of the zone. */
  readonly zone: string;
  readonly keyName: string;
  readonly algorithm: TsigAlgorithmName;
  readonly secret: () => Uint8Array;
  /** Every server that answers for the zone; the primary alone where none are named. */
  readonly nameServers: readonly NameServer[];
}

export type TsigAlgorithmName = 'hmac-sha256' | 'hmac-sha512';

const ALGORITHMS: readonly TsigAlgorithmName[] = ['hmac-sha256', 'hmac-sha512'];
const DNS_PORT = 53;
/** RFC 8945, section 6: a secret as long as the digest, and not much shorter. */
const SECRET_BYTES_MIN = 16;
const SECRET_PATTERN = /^[A-Za-z0-9+/]+={0,2}$/;

/** null = Route 53, or no switch at all: a function that takes up no step needs no secret. */
export function readDynamicDns(reader: EnvironmentReader): DynamicDnsSettings | null {
  const kind = reader.text(ENVIRONMENT.switch);
  if (kind !== 'rfc2136') {
    if (!['', 'route53', 'none'].includes(kind)) {
      reader.refuse(ENVIRONMENT.switch, 'is no switch', 'set it to route53, rfc2136 or none');
    }
    return null;
  }
  const server = readServer(reader);
  return {
    server,
    zone: readName(reader, ENVIRONMENT.dnsZone, 'the apex of the zone, e.g. example.com'),
    keyName: readName(reader, ENVIRONMENT.tsigKeyName, 'the name of the TSIG key'),
    algorithm: readAlgorithm(reader),
    secret: readSecret(reader),
    nameServers: readNameServers(reader, server),
  };
}

/** Whether switches are made through Route 53, so that its zone must be known. */
export function isRoute53(reader: EnvironmentReader): boolean {
  return ['', 'route53'].includes(reader.text(ENVIRONMENT.switch));
}

/** The same for a process that is no Lambda function; null = no outside DNS is named. Total. */
export function parseDynamicDns(variables: Variables): {
  readonly settings: DynamicDnsSettings | null;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const settings = readDynamicDns({
    text: (name) => variables[name]?.trim() ?? '',
    refuse: (name, message, fix) => problems.push(`${name} ${message}; ${fix}`),
  });
  return { settings, problems };
}

/** As `node:dns` takes it. */
export function serverText({ host, port }: NameServer): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Name that path A steers, by service: `service=name,…`. */
export function readDataPlaneNames(reader: EnvironmentReader): ReadonlyMap<string, string> {
  const name = ENVIRONMENT.dataPlaneNames;
  const names = new Map<string, string>();
  for (const pair of listOf(reader.text(name))) {
    const [service = '', dnsName = '', ...rest] = pair.split('=');
    if (!NAME_PATTERN.test(service) || !isDnsName(dnsName) || rest.length > 0) {
      const fix = 'set it to service=name, separated by commas';
      reader.refuse(name, `${JSON.stringify(pair)} is no service with its name`, fix);
    }
    names.set(service, dnsName);
  }
  return names;
}

function readServer(reader: EnvironmentReader): NameServer {
  const text = reader.text(ENVIRONMENT.dnsServer);
  const server = serverOf(text);
  if (server === null) {
    const message = text === '' ? 'is not set' : 'is no address of a name server';
    const fix = 'set it to the IP address of the primary, with :port where it is not 53';
    reader.refuse(ENVIRONMENT.dnsServer, message, fix);
  }
  return server ?? { host: '', port: DNS_PORT };
}

function readNameServers(reader: EnvironmentReader, server: NameServer): readonly NameServer[] {
  const texts = listOf(reader.text(ENVIRONMENT.nameServers));
  const servers = texts.map(serverOf);
  const known = servers.filter((one) => one !== null);
  if (known.length < servers.length) {
    const fix = 'set it to the IP addresses of the name servers of the zone, with commas';
    reader.refuse(ENVIRONMENT.nameServers, 'holds what is no address of a name server', fix);
  }
  return texts.length === 0 ? [server] : known;
}

const WITH_PORT = /^(?:\[(?<six>[0-9A-Fa-f:.]+)\]|(?<four>[0-9.]+))(?::(?<port>\d{1,5}))?$/;

function serverOf(text: string): NameServer | null {
  if (isIP(text) === 6) {
    return { host: text, port: DNS_PORT };
  }
  const { six, four, port } = WITH_PORT.exec(text)?.groups ?? {};
  const host = six ?? four ?? '';
  const number = port === undefined ? DNS_PORT : Number(port);
  return isIP(host) === 0 || number < 1 || number > 65_535 ? null : { host, port: number };
}

function readName(reader: EnvironmentReader, name: string, form: string): string {
  const text = reader.text(name).toLowerCase();
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  if (!isDnsName(bare)) {
    const message = text === '' ? 'is not set' : 'is no DNS name';
    reader.refuse(name, message, `set it to ${form}`);
  }
  return bare;
}

function readAlgorithm(reader: EnvironmentReader): TsigAlgorithmName {
  const text = reader.text(ENVIRONMENT.tsigAlgorithm);
  const known = ALGORITHMS.find((algorithm) => algorithm === text.toLowerCase());
  if (known === undefined && text !== '') {
    const fix = `set it to ${ALGORITHMS.join(' or ')}`;
    reader.refuse(ENVIRONMENT.tsigAlgorithm, 'is no algorithm that is taken', fix);
  }
  return known ?? 'hmac-sha256';
}

/** What is wrong with it is said, never what it is. */
function readSecret(reader: EnvironmentReader): () => Uint8Array {
  const text = reader.text(ENVIRONMENT.tsigSecret);
  const isBase64 = SECRET_PATTERN.test(text);
  const secret = new Uint8Array(Buffer.from(isBase64 ? text : '', 'base64'));
  if (secret.length < SECRET_BYTES_MIN) {
    const short = isBase64 ? `is shorter than ${SECRET_BYTES_MIN} bytes` : 'is not base64';
    const message = text === '' ? 'is not set' : short;
    reader.refuse(ENVIRONMENT.tsigSecret, message, 'set it to what `tsig-keygen` prints');
  }
  return () => secret;
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
