/**
 * X.509 certificates for tests, made on the spot: no tool, no file that expires in a year.
 *
 * DER by hand, as little of it as a self-signed certificate takes (RFC 5280, section 4.1), signed
 * with ECDSA P-256. Each one is its own authority: trust it by passing it as `authorities`.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Host names and IPv4 addresses that it stands for. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export function makeCertificate({
  names,
  notBefore,
  notAfter,
}: CertificateOptions): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = randomBytes(15);
  // A name of its own: two authorities of one name would be taken for each other.
  const name = `${names[0] ?? 'test'} ${serial.toString('hex')}`;
  const subject = sequence(set(sequence(oid([2, 5, 4, 3]), text(name))));
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), serial])),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(authority(), alternativeNames(names))),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, ECDSA_WITH_SHA256, bits(signature));
  return {
    cert: pem(certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const DAY_MS = 86_400_000;

/** For 127.0.0.1 and localhost, from yesterday to `days` from now (negative: it has expired). */
export function loopbackCertificate(days: number, names = ['localhost', '127.0.0.1']) {
  const now = Date.now();
  const notBefore = new Date(now - 400 * DAY_MS);
  return makeCertificate({ names, notBefore, notAfter: new Date(now + days * DAY_MS) });
}

function authority(): Buffer {
  const isAuthority = sequence(tagged(0x01, Buffer.from([0xff])));
  return sequence(oid([2, 5, 29, 19]), tagged(0x01, Buffer.from([0xff])), octets(isAuthority));
}

function alternativeNames(names: readonly string[]): Buffer {
  const parts = names.map((name) =>
    /^\d+(\.\d+){3}$/.test(name)
      ? tagged(0x87, Buffer.from(name.split('.').map(Number)))
      : tagged(0x82, Buffer.from(name, 'ascii')),
  );
  return sequence(oid([2, 5, 29, 17]), octets(sequence(...parts)));
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}

function bits(content: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), content);
}

function text(value: string): Buffer {
  return tagged(0x0c, Buffer.from(value, 'utf8'));
}

/** UTCTime until 2049, as the profile asks. */
function time(instant: Date): Buffer {
  const digits = instant.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(0x17, Buffer.from(digits.slice(2), 'ascii'));
}

function oid([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const parts = rest.flatMap((part) =>
    part < 128 ? [part] : part < 16_384 ? [0x80 | (part >> 7), part & 0x7f] : [],
  );
  return tagged(0x06, Buffer.from([first * 40 + second, ...parts]));
}

const ECDSA_WITH_SHA256 = sequence(oid([1, 2, 840, 10_045, 4, 3, 2]));

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
