/**
 * What an SDK error says about an action: not now, never as things are, or nothing known.
 *
 * The default is `unknown`: the change may have been made, and the next attempt looks first.
 * `refused` ends a step for good, so it stands only where every worker would be told the same: a
 * resource that is not there, a permission that is not granted, a request that is not valid. Missing or
 * expired credentials are this process's own, so they are `unknown`: another region may have better ones.
 */
import { describeError } from '../../base/errors.ts';
import type { ActionOutcome, ActionRefusal, ActionRefused } from '../../recovery/action-ports.ts';
import { DETAIL_CHARACTERS_MAX } from './limits.ts';

export type ActionFailure = Exclude<ActionOutcome, { readonly kind: 'done' }>;

/** Token buckets, or another change that is being worked on: try again later. */
const THROTTLED: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'ConcurrentUpdateException',
  'ScalingActivityInProgress',
  'ScalingActivityInProgressFault',
  'ResourceConflictException',
  'ResourceContention',
  'ResourceContentionFault',
  'ResourceInUseException',
]);

const NOT_PERMITTED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationError',
  'AuthorizationErrorException',
  'UnauthorizedOperation',
]);

/** Of this process alone. */
const OWN_CREDENTIALS: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

const ABSENT = /NotFound(Exception|Fault)?$|^NotFound$/;

/** Total: any thrown value gives one of the three. `subject` names the resource in what people read. */
export function classifyActionFailure(thrown: unknown, subject: string): ActionFailure {
  const said = `${subject}: ${describeError(thrown)}`.slice(0, DETAIL_CHARACTERS_MAX);
  if (!(thrown instanceof Error) || OWN_CREDENTIALS.has(thrown.name)) {
    return { kind: 'unknown', cause: said };
  }
  if (THROTTLED.has(thrown.name)) {
    return { kind: 'pending', code: 'throttled', evidence: { said } };
  }
  if (NOT_PERMITTED.has(thrown.name)) {
    return refused('not-permitted', `${said}; deploy again with this resource in the file`);
  }
  if (ABSENT.test(thrown.name)) {
    return refused('resource-absent', `${said}; check its name and region in the file`);
  }
  return isClientFault(thrown)
    ? refused('request-refused', said)
    : { kind: 'unknown', cause: said };
}

/** The same for a reading, which has no way to wait. */
export function classifyReadFailure(
  thrown: unknown,
  subject: string,
): Exclude<ActionFailure, { readonly kind: 'pending' }> {
  const failure = classifyActionFailure(thrown, subject);
  return failure.kind === 'pending'
    ? { kind: 'unknown', cause: `${subject}: ${describeError(thrown)}` }
    : failure;
}

export function refused(code: ActionRefusal, detail: string): ActionRefused {
  return { kind: 'refused', code, detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
}

/** An HTTP 4xx that the service gave on purpose; 408 and 429 say nothing of the request. */
function isClientFault(error: Error): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
