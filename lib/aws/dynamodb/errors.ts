/**
 * What an SDK error says about a write: not applied, or nothing known.
 *
 * `refused` is a claim (this write was not and will never be applied) and needs proof: the request
 * did not leave this machine, or the service answered with an error that it gives before it writes.
 * Everything else, also an HTTP 500, is `unknown`: the service's own guide says that such a write
 * may have been applied. A wrong `unknown` costs one read; a wrong `refused` costs an acknowledged
 * command. So the lists below name what is proven, and the default is `unknown`.
 */
import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { describeError } from '../../base/errors.ts';

export type WriteFailure =
  /** The condition did not hold. `item` as it stood then; null = absent, or not told. */
  | { readonly kind: 'conflict'; readonly item: Record<string, AttributeValue> | null }
  | {
      readonly kind: 'refused';
      readonly code: 'unreachable' | 'throttled' | 'too-large';
      readonly cause: string;
    }
  | { readonly kind: 'unknown'; readonly cause: string };

/** Answered by the service before it touches the item, and worth another try. */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
]);

/** Answered before any item is touched: this table, or these credentials, cannot be written to. */
const NOT_SERVED: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'ValidationException',
  // Raised by the SDK itself while it looks for credentials, before a request exists.
  'CredentialsProviderError',
]);

/** The socket was never connected, so no byte of the request left. */
const NEVER_CONNECTED_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const NEVER_CONNECTED_CALLS: ReadonlySet<string> = new Set(['connect', 'getaddrinfo']);

/** The two texts in which the service says that an item is over 400 KB. */
const TOO_LARGE = /item size.*exceeded/i;

export function classifyWriteFailure(error: unknown): WriteFailure {
  if (error instanceof ConditionalCheckFailedException) {
    return { kind: 'conflict', item: error.Item ?? null };
  }
  const cause = describeError(error);
  const name = error instanceof Error ? error.name : '';
  if (THROTTLED.has(name)) {
    return { kind: 'refused', code: 'throttled', cause };
  }
  if (name === 'ValidationException' && TOO_LARGE.test(cause)) {
    return { kind: 'refused', code: 'too-large', cause };
  }
  if (NOT_SERVED.has(name) || neverConnected(error)) {
    return { kind: 'refused', code: 'unreachable', cause };
  }
  return { kind: 'unknown', cause };
}

function neverConnected(error: unknown): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  return NEVER_CONNECTED_CODES.has(code ?? '') || NEVER_CONNECTED_CALLS.has(syscall ?? '');
}
