/**
 * What one probe met, and the translation of what sockets, TLS and resolvers throw.
 *
 * The line that matters runs between what the *site* did and what happened on *this side*: a full
 * table of files, no route out of this machine or a resolver that is away say nothing about a site,
 * and must not make a whole fleet look ill to one sick observer.
 */
import { describeError } from '../../base/errors.ts';
import type { ProbeCode } from '../../detection/evidence.ts';
import type { ProbeResult } from '../../detection/probe-state.ts';

export interface ProbeAnswer {
  readonly outcome: ProbeResult['outcome'];
  readonly code: ProbeCode;
  /** What was met, without where. */
  readonly text: string;
}

export function passed(text: string): ProbeAnswer {
  return { outcome: 'passed', code: 'passed', text };
}

export function failed(code: ProbeCode, text: string): ProbeAnswer {
  return { outcome: 'failed', code, text };
}

export function notProbed(text: string): ProbeAnswer {
  return { outcome: 'not-probed', code: 'not-probed', text };
}

/** Ours to mend: descriptors, buffers, ports, routes, rights, or a resolver that is away. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EADDRINUSE'],
  ...['ENETUNREACH', 'ENETDOWN', 'EACCES', 'EPERM', 'EAFNOSUPPORT', 'EAI_AGAIN'],
]);

const CERTIFICATE_FAULT =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|ERROR_IN_CERT_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_)/;
/** The other side is there and speaks, but not as it should. */
const SPEECH_FAULT = /^(ECONNRESET|ECONNABORTED|EPIPE|EPROTO|HPE_|ERR_SSL_|ERR_TLS_|ERR_HTTP_)/;

/** What a thrown error says about the site. Never throws. */
export function answerOfError(thrown: unknown): ProbeAnswer {
  const error = mostTelling(thrown);
  const code = codeOf(error);
  if (code === null || OWN_FAULTS.has(code)) {
    return notProbed(`this observer could not probe (${code ?? describeError(error)})`);
  }
  switch (code) {
    case 'ECONNREFUSED':
      return failed('connection-refused', 'connection refused, nobody listens there');
    case 'ETIMEDOUT':
      return failed('timed-out', 'no connection in time');
    case 'ENOTFOUND':
      return failed('name-unresolved', 'the host has no address');
    default:
      break;
  }
  if (CERTIFICATE_FAULT.test(code)) {
    return failed('certificate-invalid', `the certificate is not valid (${code})`);
  }
  return SPEECH_FAULT.test(code)
    ? failed('answer-unexpected', `the connection broke (${code})`)
    : failed('unreachable', `not reachable (${code})`);
}

/**
 * A host with several addresses fails once for each. What one of them did outweighs that this side
 * had no way to another: a machine without IPv6 still hears that IPv4 was refused.
 */
function mostTelling(thrown: unknown): unknown {
  const errors: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown];
  return errors.find((error) => !OWN_FAULTS.has(codeOf(error) ?? '')) ?? errors[0] ?? thrown;
}

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
