import { expect, test } from 'vitest';
import { classifyActionFailure, classifyReadFailure } from '../../../../lib/aws/actions/errors.ts';

function errorOf(name: string, status?: number): Error {
  const error = Object.assign(new Error('as the service says it'), { name });
  return Object.assign(error, { $metadata: { httpStatusCode: status } });
}

test.each([
  ['ThrottlingException', 400, { kind: 'pending', code: 'throttled' }],
  ['TooManyRequestsException', 429, { kind: 'pending', code: 'throttled' }],
  ['ScalingActivityInProgressFault', 400, { kind: 'pending', code: 'throttled' }],
  ['AccessDeniedException', 403, { kind: 'refused', code: 'not-permitted' }],
  ['AuthorizationErrorException', 403, { kind: 'refused', code: 'not-permitted' }],
  ['ServiceNotFoundException', 400, { kind: 'refused', code: 'resource-absent' }],
  ['GlobalClusterNotFoundFault', 404, { kind: 'refused', code: 'resource-absent' }],
  ['NotFoundException', 404, { kind: 'refused', code: 'resource-absent' }],
  ['ValidationError', 400, { kind: 'refused', code: 'request-refused' }],
  // Another region may have better ones.
  ['ExpiredTokenException', 403, { kind: 'unknown' }],
  ['CredentialsProviderError', undefined, { kind: 'unknown' }],
  // The change may have been made.
  ['InternalFailure', 500, { kind: 'unknown' }],
  ['RequestTimeout', 408, { kind: 'unknown' }],
  ['TimeoutError', undefined, { kind: 'unknown' }],
])('%s (HTTP %s) says of a change %o', (name, status, expected) => {
  expect(classifyActionFailure(errorOf(name, status), 'group web')).toMatchObject(expected);
});

test('a reading that was throttled is nothing known: it has no way to wait', () => {
  expect(classifyReadFailure(errorOf('Throttling', 400), 'group web')).toMatchObject({
    kind: 'unknown',
    cause: expect.stringContaining('group web'),
  });
});

test('what is thrown and is no error is nothing known', () => {
  expect(classifyActionFailure('half a reply', 'group web').kind).toBe('unknown');
});

test('what is said of it fits the log, however long the service speaks', () => {
  const error = Object.assign(new Error('x'.repeat(5000)), { $metadata: { httpStatusCode: 400 } });
  expect(JSON.stringify(classifyActionFailure(error, 'group web')).length).toBeLessThan(600);
});
