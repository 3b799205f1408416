import { expect, test } from 'vitest';
import { ingressTime } from '../../../lib/aws/ingress-time.ts';
import { epochMillis } from '../../../lib/base/identifiers.ts';

const NOW = epochMillis(1_790_000_000_000);
const stampedAt = (timeEpoch: unknown) => ingressTime({ requestContext: { timeEpoch } }, NOW);

test('a request is stamped by the ingress, before a cold start of the function', () => {
  expect(stampedAt(NOW - 4200)).toBe(NOW - 4200);
  expect(stampedAt(NOW)).toBe(NOW);
});

test('a stamp from the future, or older than any request can be, is not believed', () => {
  for (const stamp of [NOW + 1, NOW + 3_600_000, NOW - 3_600_000, 0, -1, Number.NaN, Infinity]) {
    expect([stamp, stampedAt(stamp)]).toEqual([stamp, NOW]);
  }
});

test('without a stamp the clock of the function counts', () => {
  for (const bindings of [undefined, null, 'text', {}, { requestContext: null }]) {
    expect(ingressTime(bindings, NOW)).toBe(NOW);
  }
  expect(stampedAt('1790000000000')).toBe(NOW);
});
