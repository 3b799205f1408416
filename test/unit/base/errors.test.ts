import { describe, expect, it } from 'vitest';
import { AppError, describeError } from '../../../lib/base/errors.ts';

describe('AppError', () => {
  it('carries what an operator and a script need', () => {
    const cause = new TypeError('socket closed');
    const error = new AppError('cannot listen', {
      code: 'port-in-use',
      hint: 'Stop the other process.',
      retryable: true,
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect({ ...error }).toMatchObject({
      code: 'port-in-use',
      hint: 'Stop the other process.',
      retryable: true,
    });
    expect([error.name, error.message, error.cause]).toEqual(['AppError', 'cannot listen', cause]);
  });
});

describe('describeError', () => {
  it.each([
    [new RangeError('too far'), 'RangeError: too far'],
    ['a bare string', 'a bare string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
  ])('gives a text for %s', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });
});
