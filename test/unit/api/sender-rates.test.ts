import { describe, expect, it } from 'vitest';
import { createSenderRates } from '../../../lib/api/sender-rates.ts';
import { monotonicMillis } from '../../../lib/base/identifiers.ts';

const POLICY = { capacity: 2, refillPerSecond: 1 };

describe('createSenderRates', () => {
  it('holds each sender to its own rate', () => {
    const rates = createSenderRates(POLICY, 10);
    const kinds = ['a', 'a', 'a', 'b'].map((sender) => rates.take(sender, monotonicMillis(0)).kind);
    expect(kinds).toEqual(['granted', 'granted', 'refused', 'granted']);
    expect(rates.take('a', monotonicMillis(1000)).kind).toBe('granted');
  });

  it('remembers no more senders than it may, and forgets the one unseen for longest', () => {
    const rates = createSenderRates(POLICY, 3);
    const now = monotonicMillis(0);
    for (const sender of ['a', 'a', 'b', 'b', 'c', 'c']) {
      rates.take(sender, now);
    }
    expect(rates.take('a', now).kind).toBe('refused');
    rates.take('d', now);
    expect(rates.trackedCount()).toBe(3);
    expect(rates.take('a', now).kind).toBe('refused');
    expect(rates.take('b', now).kind).toBe('granted');
  });
});
