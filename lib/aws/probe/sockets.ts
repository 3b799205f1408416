/**
 * TCP and TLS probes: does somebody take the connection, and can he prove who he is?
 *
 * A TCP connection is taken by the kernel before the process looks at it, so a hung process may
 * still pass; a TLS handshake needs the process.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TcpProbePolicy, TlsProbePolicy } from '../../recovery/probe-policy.ts';
import { type ProbeAnswer, passed } from './answer.ts';
import { withExpiry } from './certificate.ts';
import type { ProbeContext } from './context.ts';
import { probeLookup } from './lookup.ts';

/** Rejects with whatever the socket throws, and when the signal aborts. */
export function probeTcp(
  { host, port, timeoutMs }: TcpProbePolicy,
  { signal }: ProbeContext,
): Promise<ProbeAnswer> {
  const socket = connectTcp({ host, port, lookup: probeLookup(timeoutMs) });
  return whenReady(socket, { ready: 'connect', signal }, () => passed('a connection was taken'));
}

/** As above; a certificate that is not valid is thrown by the handshake. */
export function probeTls(
  { host, port, serverName, certificateDaysMin, timeoutMs }: TlsProbePolicy,
  { signal, clock, authorities }: ProbeContext,
): Promise<ProbeAnswer> {
  const name = serverName ?? host;
  const socket: TLSSocket = connectTls({
    host,
    port,
    lookup: probeLookup(timeoutMs),
    // An address is no name to ask for (RFC 6066, section 3); it is still checked against.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(authorities === null ? {} : { ca: [...authorities] }),
  });
  return whenReady(socket, { ready: 'secureConnect', signal }, () => {
    const answer = passed(`a handshake by ${socket.getProtocol() ?? 'TLS'}`);
    const chain = socket.getPeerCertificate(true);
    return withExpiry(answer, chain, { daysMin: certificateDaysMin, now: clock.wallNow() });
  });
}

function whenReady(
  socket: Socket,
  { ready, signal }: { readonly ready: string; readonly signal: AbortSignal },
  answer: () => ProbeAnswer,
): Promise<ProbeAnswer> {
  const stop = () => socket.destroy(new Error('the probe was ended'));
  return new Promise<ProbeAnswer>((resolve, reject) => {
    // Stays for good: what a destroyed socket still has to say must not end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    socket.once(ready, () => resolve(answer()));
    if (signal.aborted) {
      stop();
    }
    signal.addEventListener('abort', stop, { once: true });
  }).finally(() => {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  });
}
