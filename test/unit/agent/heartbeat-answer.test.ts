import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeProblem, parseAnswer } from '../../../lib/agent/heartbeat-answer.ts';

const good = { role: 'active', epoch: { term: 3, index: 17 }, nextBeatMs: 1000, leaseMs: 3000 };

describe('parseAnswer', () => {
  it('reads the answer of a region and ignores what it does not know', () => {
    const body = JSON.stringify({ ...good, receivedAt: '2026-11-23T10:00:00Z', later: [1] });
    expect(parseAnswer(body)).toEqual(good);
  });

  it('reads a region that knows of no decision', () => {
    const body = JSON.stringify({ role: 'unknown', epoch: null, nextBeatMs: 500 });
    const known = { role: 'unknown', epoch: null, nextBeatMs: 500 };
    expect(parseAnswer(body)).toEqual({ ...known, leaseMs: null });
  });

  it('reads a region that vouches for nothing', () => {
    expect(parseAnswer(JSON.stringify({ ...good, leaseMs: 0 }))).toEqual({ ...good, leaseMs: 0 });
  });

  it.each([
    ['', 'no body'],
    ['<html>', 'a captive portal'],
    ['null', 'null'],
    ['[]', 'a list'],
    [JSON.stringify({ ...good, role: 'primary' }), 'an unknown role'],
    [JSON.stringify({ role: 'active', nextBeatMs: 1 }), 'no epoch'],
    [JSON.stringify({ ...good, epoch: 7 }), 'an epoch that is no pair'],
    [JSON.stringify({ ...good, epoch: { term: 1 } }), 'half an epoch'],
    [JSON.stringify({ ...good, epoch: { term: -1, index: 1 } }), 'a negative term'],
    [JSON.stringify({ ...good, epoch: { term: 1, index: 1.5 } }), 'a fractional index'],
    [JSON.stringify({ ...good, nextBeatMs: 0 }), 'a beat at once, for ever'],
    [JSON.stringify({ ...good, nextBeatMs: '1000' }), 'a text for a number'],
    [JSON.stringify({ ...good, nextBeatMs: null }), 'no time for the next beat'],
    [JSON.stringify({ ...good, leaseMs: -1 }), 'a lease that is over'],
    [JSON.stringify({ ...good, leaseMs: '3000' }), 'a text for a lease'],
    ['{"role":"active","epoch":null,"nextBeatMs":1,"leaseMs":1e999}', 'a lease for ever'],
  ])('refuses %s (%s)', (body) => {
    expect(parseAnswer(body)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        parseAnswer(body);
        expect(describeProblem(body).length).toBeLessThanOrEqual(200);
      }),
    );
  });
});

describe('describeProblem', () => {
  it.each([
    ['{"title":"Unauthorized","detail":"The token is not known."}', 'The token is not known.'],
    ['{"title":"Unauthorized"}', 'Unauthorized'],
    ['Bad gateway\nnginx', 'Bad gateway'],
    ['', 'no reason given'],
    ['x'.repeat(500), 'x'.repeat(200)],
  ])('tells of %j what a person can use', (body, text) => {
    expect(describeProblem(body)).toBe(text);
  });
});
