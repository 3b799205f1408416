/**
 * Asks one DNS server what a client would see: UDP first, TCP when the answer did not fit.
 *
 * An answer counts only when it comes from the server that was asked, carries the id that was sent
 * and repeats the question. A name or type that does not exist is a known answer of no values;
 * silence, SERVFAIL and REFUSED are unknown.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type DecodedPacket, decode, encode } from 'dns-packet';
import { describeError } from '../../base/errors.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import type { RecordType, VerifyPort } from '../../recovery/switch-port.ts';
import { DNS_LIMITS } from './limits.ts';

export interface DnsResolverOptions {
  /** Address of the server, not a name. */
  readonly host: string;
  readonly port: number;
  /** For UDP, and again for TCP, in milliseconds. */
  readonly timeoutMs: number;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
}

/** One question, one attempt by UDP and, on a truncated answer, one by TCP. */
export function dnsResolver(options: DnsResolverOptions): VerifyPort['resolve'] {
  return async (name, type) => {
    const question: Question = { id: randomInt(0x1_0000), name: canonicalName(name), type };
    try {
      const short = await askUdp(options, question);
      const answer = short.flag_tc ? await askTcp(options, question) : short;
      return valuesOf(answer, type);
    } catch (thrown) {
      return { kind: 'unknown', cause: describeError(thrown) };
    }
  };
}

async function askUdp(options: DnsResolverOptions, question: Question): Promise<DecodedPacket> {
  const { host, port, timeoutMs } = options;
  const end = new AbortController();
  const signal = AbortSignal.any([end.signal, AbortSignal.timeout(timeoutMs)]);
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', signal });
  try {
    return await new Promise<DecodedPacket>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`no answer by UDP within ${timeoutMs} ms`)));
      socket.on('message', (packet) => {
        const answer = decodeAnswer(packet, question);
        if (answer !== null) {
          resolve(answer);
        }
      });
      socket.on('connect', () => socket.send(encodeQuery(question)));
      socket.connect(port, host);
    });
  } finally {
    end.abort();
  }
}

async function askTcp(options: DnsResolverOptions, question: Question): Promise<DecodedPacket> {
  const { host, port, timeoutMs } = options;
  const query = encodeQuery(question);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
  try {
    socket.write(Buffer.concat([length, query]));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        break;
      }
    }
    const answer = decodeAnswer(received.subarray(2), question);
    if (answer === null) {
      throw new Error('the TCP answer is not one to our question');
    }
    return answer;
  } finally {
    socket.destroy();
  }
}

function encodeQuery({ id, name, type }: Question): Buffer {
  return encode({
    type: 'query',
    id,
    questions: [{ name, type }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: DNS_LIMITS.udpBytesMax,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** Null for a packet that does not answer this question: a late one, a forged one, or garbage. */
function decodeAnswer(packet: Buffer, { id, name, type }: Question): DecodedPacket | null {
  let answer: DecodedPacket;
  try {
    answer = decode(packet);
  } catch {
    return null;
  }
  const [question, ...others] = answer.questions ?? [];
  return answer.flag_qr &&
    answer.id === id &&
    others.length === 0 &&
    question !== undefined &&
    question.type === type &&
    canonicalName(question.name) === name
    ? answer
    : null;
}

const RESPONSE_CODE_MASK = 0xf;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

function valuesOf(
  answer: DecodedPacket,
  type: RecordType,
): Awaited<ReturnType<VerifyPort['resolve']>> {
  const code = (answer.flags ?? 0) & RESPONSE_CODE_MASK;
  if (code !== NO_ERROR && code !== NO_SUCH_NAME) {
    return { kind: 'unknown', cause: `the server answered with response code ${code}` };
  }
  const values = (answer.answers ?? []).flatMap((record): readonly string[] => {
    if (record.type !== type) {
      return [];
    }
    return record.type === 'TXT'
      ? [textOf(record.data)]
      : typeof record.data === 'string'
        ? [record.data]
        : [];
  });
  return { kind: 'resolved', values };
}

function textOf(data: string | Buffer | readonly (string | Buffer)[]): string {
  const chunks = typeof data === 'string' || Buffer.isBuffer(data) ? [data] : data;
  return Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString('utf8');
}
