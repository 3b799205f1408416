import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  ProvisionedThroughputExceededException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { classifyWriteFailure } from '../../../../lib/aws/dynamodb/errors.ts';

const $metadata = { httpStatusCode: 400 };

function serviceError(name: string, message = ''): DynamoDBServiceException {
  return new DynamoDBServiceException({ name, message, $fault: 'client', $metadata });
}

function socketError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

describe('a failed condition', () => {
  test('is a conflict that carries the item the service sent', () => {
    const item = { pk: { S: 'register' } };
    const error = new ConditionalCheckFailedException({ message: '', $metadata, Item: item });
    expect(classifyWriteFailure(error)).toEqual({ kind: 'conflict', item });
  });

  test('is a conflict without an item when the store sent none', () => {
    const error = new ConditionalCheckFailedException({ message: '', $metadata });
    expect(classifyWriteFailure(error)).toEqual({ kind: 'conflict', item: null });
  });
});

describe('a write is refused', () => {
  test.each([
    ['throttled', new ProvisionedThroughputExceededException({ message: '', $metadata })],
    ['throttled', serviceError('ThrottlingException')],
    ['throttled', serviceError('RequestLimitExceeded')],
    [
      'too-large',
      serviceError('ValidationException', 'Item size has exceeded the maximum allowed size'),
    ],
    [
      'too-large',
      serviceError(
        'ValidationException',
        'Item size to update has exceeded the maximum allowed size',
      ),
    ],
    ['unreachable', serviceError('ValidationException', 'The provided key element does not match')],
    ['unreachable', new ResourceNotFoundException({ message: '', $metadata })],
    ['unreachable', serviceError('AccessDeniedException')],
    ['unreachable', serviceError('UnrecognizedClientException')],
    ['unreachable', serviceError('ExpiredTokenException')],
    [
      'unreachable',
      Object.assign(new Error('no credentials'), { name: 'CredentialsProviderError' }),
    ],
    ['unreachable', socketError('ECONNREFUSED', 'connect')],
    ['unreachable', socketError('ETIMEDOUT', 'connect')],
    ['unreachable', socketError('EHOSTUNREACH', 'connect')],
    ['unreachable', socketError('ENOTFOUND', 'getaddrinfo')],
    ['unreachable', socketError('EAI_AGAIN', 'getaddrinfo')],
    // Both families of `localhost` were tried in vain: the aggregate has a code but no syscall.
    ['unreachable', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })],
  ])('as %s by %s', (code, error) => {
    expect(classifyWriteFailure(error)).toMatchObject({
      kind: 'refused',
      code,
      cause: expect.stringContaining(error.message),
    });
  });
});

describe('the outcome is unknown', () => {
  test.each([
    ['an internal error', serviceError('InternalServerError')],
    ['an unavailable service', serviceError('ServiceUnavailable')],
    ['an error of another name', serviceError('SomethingNewException')],
    ['a conflict with a transaction', serviceError('TransactionConflictException')],
    [
      'a timeout',
      Object.assign(new Error('timed out'), { name: 'TimeoutError', code: 'ETIMEDOUT' }),
    ],
    ['a reset while reading', socketError('ECONNRESET', 'read')],
    ['an unreachable host while writing', socketError('EHOSTUNREACH', 'write')],
    ['a broken pipe', socketError('EPIPE', 'write')],
    ['an abort', Object.assign(new Error('aborted'), { name: 'AbortError' })],
    ['an answer that is not JSON', new SyntaxError('Unexpected token')],
    ['a thrown text', 'boom'],
  ])('after %s', (_, error) => {
    expect(classifyWriteFailure(error)).toMatchObject({ kind: 'unknown' });
  });
});
