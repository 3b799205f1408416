import { expect, test } from 'vitest';
import {
  all,
  either,
  isAbsent,
  isAtMost,
  isEqual,
} from '../../../../lib/aws/dynamodb/conditions.ts';

test('conditions compose into one expression with its names and values', () => {
  const condition = all(
    either(isAbsent(), isAtMost('term', { N: '3' })),
    isEqual('region', { S: 'us-east-1' }),
  );
  expect(condition).toEqual({
    text: '(attribute_not_exists(#pk) OR #term <= :term) AND #region = :region',
    names: { '#pk': 'pk', '#term': 'term', '#region': 'region' },
    values: { ':term': { N: '3' }, ':region': { S: 'us-east-1' } },
  });
});
