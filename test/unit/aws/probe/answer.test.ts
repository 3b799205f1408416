import { expect, test } from 'vitest';
import { answerOfError } from '../../../../lib/aws/probe/answer.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test.each(['EMFILE', 'ENFILE', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EAI_AGAIN', 'EACCES'])(
  '%s is a fault of this side and says nothing about the site',
  (code) => {
    expect(answerOfError(systemError(code))).toMatchObject({ outcome: 'not-probed' });
  },
);

test.each([
  ['ECONNREFUSED', 'connection-refused'],
  ['ETIMEDOUT', 'timed-out'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENOTFOUND', 'name-unresolved'],
  ['ECONNRESET', 'answer-unexpected'],
  ['HPE_INVALID_CONSTANT', 'answer-unexpected'],
  ['CERT_HAS_EXPIRED', 'certificate-invalid'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate-invalid'],
])('%s is a finding: %s', (code, finding) => {
  expect(answerOfError(systemError(code))).toMatchObject({ outcome: 'failed', code: finding });
});

test('what one address did outweighs that there was no way to another', () => {
  const both = new AggregateError([systemError('ENETUNREACH'), systemError('ECONNREFUSED')]);
  expect(answerOfError(both)).toMatchObject({ code: 'connection-refused' });
  const none = new AggregateError([systemError('ENETUNREACH'), systemError('EAFNOSUPPORT')]);
  expect(answerOfError(none)).toMatchObject({ outcome: 'not-probed' });
});

test('a mistake of ours is not blamed on the site', () => {
  expect(answerOfError(new TypeError('x is not a function'))).toMatchObject({
    outcome: 'not-probed',
  });
  expect(answerOfError('thrown text')).toMatchObject({ outcome: 'not-probed' });
});
