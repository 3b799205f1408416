import { describe, expect, test } from 'vitest';
import { classifyFailure } from '../../../../lib/aws/route53/errors.ts';

describe('an error of Route 53', () => {
  test.each([
    ['PriorRequestNotComplete', 400, 'busy'],
    ['Throttling', 400, 'busy'],
    ['ThrottlingException', 400, 'busy'],
    ['NoSuchHostedZone', 404, 'refused'],
    ['AccessDenied', 403, 'refused'],
    ['ExpiredToken', 403, 'refused'],
    ['InvalidInput', 400, 'refused'],
    ['SomethingNew', 400, 'refused'],
    ['InternalFailure', 500, 'unknown'],
    ['ServiceUnavailable', 503, 'unknown'],
    ['RequestTimeout', 408, 'unknown'],
  ])('%s with HTTP %i is %s', (name, status, kind) => {
    expect(classifyFailure(failure({ name, $metadata: { httpStatusCode: status } })).kind).toBe(
      kind,
    );
  });

  test('that the operator can mend says how', () => {
    const outcome = classifyFailure(failure({ name: 'AccessDenied' }));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'access-denied' });
    expect(JSON.stringify(outcome)).toContain('route53:ChangeResourceRecordSets');
  });
});

describe('a bad batch', () => {
  test.each([
    "Tried to delete resource record set [name='a.test.', type='A'] but it was not found",
    "Tried to delete resource record set [name='a.test.', type='A'] but the values provided do not match the current values",
    "Tried to create resource record set [name='a.test.', type='A'] but it already exists",
    'RRSet of type CNAME with DNS name a.test. is not permitted as it conflicts with other records with the same DNS name in zone test.',
    'RRSet of type A with DNS name a.test. is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone test.',
  ])('that another writer caused is a conflict: %s', (message) => {
    expect(classifyFailure(failure({ name: 'InvalidChangeBatch', message })).kind).toBe('conflict');
  });

  test.each([
    "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '999.0.2.1''",
    'RRSet with DNS name a.org. is not permitted in zone test.',
    'RRSet of type CNAME with DNS name test. is not permitted at apex in zone test.',
    "The request contains an invalid set of changes for a resource record set 'A a.test.'",
  ])('that could never apply is refused: %s', (message) => {
    expect(classifyFailure(failure({ name: 'InvalidChangeBatch', message }))).toMatchObject({
      kind: 'refused',
      code: 'invalid-change-batch',
    });
  });

  test('is refused when one of its messages can never change', () => {
    const messages = ['Tried to delete … but it was not found', 'FATAL problem: …'];
    expect(classifyFailure(failure({ name: 'InvalidChangeBatch', messages })).kind).toBe('refused');
  });

  test.each([
    ['one message', { Message: 'it already exists' }],
    ['a list of messages', { Message: ['it was not found', 'it already exists'] }],
  ])('is known in the form with %s, for which the SDK has no name', (_, list) => {
    const error = failure({ name: 'Unknown', Messages: list, $metadata: { httpStatusCode: 400 } });
    expect(classifyFailure(error).kind).toBe('conflict');
  });
});

describe('an error of the network', () => {
  test.each([
    ['ECONNREFUSED', 'busy'],
    ['ENOTFOUND', 'busy'],
    ['EAI_AGAIN', 'busy'],
    ['ECONNRESET', 'unknown'],
    ['EPIPE', 'unknown'],
    ['ETIMEDOUT', 'unknown'],
  ])('%s is %s', (code, kind) => {
    expect(classifyFailure(failure({ code })).kind).toBe(kind);
  });

  test.each([failure({ name: 'TimeoutError' }), 'a text', null, undefined])(
    '%s is unknown',
    (thrown) => {
      expect(classifyFailure(thrown).kind).toBe('unknown');
    },
  );
});

function failure(fields: { readonly message?: string; readonly [field: string]: unknown }): Error {
  return Object.assign(new Error(fields.message ?? 'for a test'), fields);
}
