/**
 * What an SDK error says about a change: refused, not now, or nothing known.
 *
 * The default is `unknown`. `busy` and `refused` are claims that nothing was applied, and stand only
 * where Route 53 says so before it changes anything, or where no byte left this machine. An HTTP 5xx
 * or a timeout may have been applied: a wrong `unknown` costs one read, a wrong `busy` could report
 * a switch as not made while it is.
 */
import { describeError } from '../../base/errors.ts';

export type ChangeFailure =
  | { readonly kind: 'busy'; readonly detail: string }
  | { readonly kind: 'conflict'; readonly detail: string }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string }
  | { readonly kind: 'unknown'; readonly cause: string };

/** One change at a time per zone, and token buckets per account: try again later. */
const BUSY: ReadonlySet<string> = new Set([
  'PriorRequestNotComplete',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
]);

/** What the operator should do about a refusal. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['NoSuchHostedZone', 'check the hosted zone id in the configuration'],
  [
    'AccessDenied',
    'grant route53:ChangeResourceRecordSets and ListResourceRecordSets on this zone',
  ],
  ['AccessDeniedException', 'grant route53:ChangeResourceRecordSets on this zone'],
  ['InvalidClientTokenId', 'check the credentials of this function or machine'],
  ['UnrecognizedClientException', 'check the credentials of this function or machine'],
  ['SignatureDoesNotMatch', 'check the secret key and the clock of this machine'],
  ['ExpiredToken', 'renew the credentials'],
  ['CredentialsProviderError', 'give this process AWS credentials'],
]);

/** Messages of InvalidChangeBatch that no other state of the zone would change. */
const NEVER_VALID =
  /Invalid Resource Record|FATAL problem|not permitted in zone|not permitted at apex|invalid set of changes|Duplicate Resource Record|invalid TTL/i;

/** The socket was never connected, so no byte of the request left. */
const NEVER_CONNECTED_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Total: any thrown value gives one of the four. */
export function classifyFailure(thrown: unknown): ChangeFailure {
  const detail = describeError(thrown);
  if (!(thrown instanceof Error)) {
    return { kind: 'unknown', cause: detail };
  }
  if (BUSY.has(thrown.name) || neverConnected(thrown)) {
    return { kind: 'busy', detail };
  }
  const messages = changeBatchMessages(thrown);
  if (messages !== null) {
    const listed = `[${messages.join(', ')}]`;
    return messages.some((message) => NEVER_VALID.test(message))
      ? { kind: 'refused', code: 'invalid-change-batch', detail: listed }
      : { kind: 'conflict', detail: listed };
  }
  const hint = HINTS.get(thrown.name);
  if (hint !== undefined || isClientFault(thrown)) {
    const code = kebab(thrown.name);
    return { kind: 'refused', code, detail: hint === undefined ? detail : `${detail}; ${hint}` };
  }
  return { kind: 'unknown', cause: detail };
}

/**
 * Route 53 answers a bad batch in two forms: the common `<ErrorResponse>` with all messages in one
 * text, and an `<InvalidChangeBatch>` with a list, for which the SDK knows no name.
 */
function changeBatchMessages(error: Error): readonly string[] | null {
  const { messages } = error as { readonly messages?: unknown };
  if (error.name === 'InvalidChangeBatch') {
    return isTexts(messages) && messages.length > 0 ? messages : [error.message];
  }
  const { Messages: list } = error as { readonly Messages?: { readonly Message?: unknown } };
  const listed = typeof list?.Message === 'string' ? [list.Message] : list?.Message;
  return isTexts(listed) && listed.length > 0 ? listed : null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

/** An HTTP 4xx that Route 53 gave on purpose; 408 is the transport's and says nothing. */
function isClientFault(error: Error): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500 && status !== 408;
}

function neverConnected(error: Error): boolean {
  return NEVER_CONNECTED_CODES.has((error as NodeJS.ErrnoException).code ?? '');
}

function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}
