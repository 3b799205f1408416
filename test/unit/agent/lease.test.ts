import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeartbeatAnswer } from '../../../lib/agent/heartbeat-answer.ts';
import {
  believedMs,
  isAtRisk,
  leaseLeftMs,
  NO_BELIEF,
  renewed,
  roleAt,
} from '../../../lib/agent/lease.ts';
import { ROLE_UNKNOWN, type SiteRole } from '../../../lib/agent/role.ts';
import { monotonicMillis } from '../../../lib/base/identifiers.ts';

const TERMS = { paceMs: 1000, marginMs: 0 };
const at = monotonicMillis;
const answer = (role: SiteRole['role'], term: number, leaseMs: number | null = 3000) =>
  ({ role, epoch: { term, index: 1 }, nextBeatMs: 1000, leaseMs }) satisfies HeartbeatAnswer;

describe('a lease', () => {
  it('counts from when the request was sent, and ends exactly then', () => {
    const belief = renewed(NO_BELIEF, { answer: answer('active', 1), sentAt: at(500) }, TERMS);
    expect(roleAt(belief, at(3499)).role).toBe('active');
    expect(roleAt(belief, at(3500))).toEqual({ role: 'unknown', epoch: { term: 1, index: 1 } });
    expect([leaseLeftMs(belief, at(500)), leaseLeftMs(belief, at(9000))]).toEqual([3000, 0]);
  });

  it('is not shortened by an answer that was overtaken', () => {
    const later = renewed(NO_BELIEF, { answer: answer('active', 1), sentAt: at(1000) }, TERMS);
    const both = renewed(later, { answer: answer('active', 1), sentAt: at(0) }, TERMS);
    expect(both).toEqual(later);
  });

  it('is not renewed by a region that knows of an older role only', () => {
    const active = renewed(NO_BELIEF, { answer: answer('active', 2), sentAt: at(0) }, TERMS);
    const after = renewed(active, { answer: answer('active', 1), sentAt: at(2000) }, TERMS);
    expect(roleAt(after, at(3000)).role).toBe('unknown');
  });

  it('is not renewed by a region that vouches for nothing', () => {
    const active = renewed(NO_BELIEF, { answer: answer('active', 1), sentAt: at(0) }, TERMS);
    const same = renewed(active, { answer: answer('active', 1, 0), sentAt: at(2000) }, TERMS);
    expect(same).toBe(active);
    const newer = renewed(active, { answer: answer('active', 2, 0), sentAt: at(2000) }, TERMS);
    expect(roleAt(newer, at(2000))).toEqual({ role: 'unknown', epoch: { term: 2, index: 1 } });
  });

  it('does not pass from one role to the next', () => {
    const active = renewed(NO_BELIEF, { answer: answer('active', 1, 9000), sentAt: at(0) }, TERMS);
    const standby = renewed(active, { answer: answer('standby', 2, 1), sentAt: at(10) }, TERMS);
    expect(roleAt(standby, at(12)).role).toBe('unknown');
  });

  it('is three beats where an older region names none', () => {
    expect(believedMs(answer('active', 1, null), TERMS)).toBe(3000);
  });

  it('never runs longer than twelve beats, whatever a region says', () => {
    expect(believedMs(answer('active', 1, 1e15), TERMS)).toBe(12_000);
  });

  it('gives the margin up, but not what two good beats need', () => {
    expect(believedMs(answer('active', 1), { paceMs: 1000, marginMs: 1000 })).toBe(2000);
    expect(believedMs(answer('active', 1), { paceMs: 1000, marginMs: 60_000 })).toBe(1500);
    expect(believedMs(answer('active', 1, 800), { paceMs: 1000, marginMs: 500 })).toBe(800);
  });

  it('is at risk when a round has passed unanswered, and only while it stands', () => {
    const belief = renewed(NO_BELIEF, { answer: answer('active', 1), sentAt: at(0) }, TERMS);
    expect([1400, 1600, 2999, 3000].map((now) => isAtRisk(belief, at(now), 1000))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isAtRisk(NO_BELIEF, at(0), 1000)).toBe(false);
  });
});

describe('a belief, whatever regions say in whatever order', () => {
  const answers = fc.array(
    fc.record({
      role: fc.constantFrom<SiteRole['role']>('active', 'standby', 'unknown'),
      term: fc.nat({ max: 3 }),
      leaseMs: fc.option(fc.integer({ min: 1, max: 50_000 })),
      sentAt: fc.nat({ max: 10_000 }),
    }),
    { maxLength: 20 },
  );

  it('is active only by a lease that an answer of that very epoch and role gave', () => {
    fc.assert(
      fc.property(answers, fc.nat({ max: 30_000 }), (heard, now) => {
        const belief = heard.reduce(
          (known, { role, term, leaseMs, sentAt }) =>
            renewed(known, { answer: answer(role, term, leaseMs), sentAt: at(sentAt) }, TERMS),
          NO_BELIEF,
        );
        const believed = roleAt(belief, at(now));
        const highest = Math.max(-1, ...heard.map(({ term }) => term));
        expect(believed.epoch?.term ?? -1).toBe(highest);
        if (believed.role === 'active') {
          const grounds = heard.filter(
            ({ role: said, term, leaseMs, sentAt }) =>
              said === 'active' && term === highest && now < sentAt + (leaseMs ?? 3000),
          );
          expect(grounds.length).toBeGreaterThan(0);
          expect(heard.some((one) => one.term === highest && one.role === 'standby')).toBe(false);
        }
        if (heard.length === 0) {
          expect(believed).toEqual(ROLE_UNKNOWN);
        }
      }),
    );
  });
});
