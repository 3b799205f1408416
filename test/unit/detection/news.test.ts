import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { isNews } from '../../../lib/detection/news.ts';
import { VERDICT_CODES, type Verdict, type VerdictCode } from '../../../lib/detection/verdict.ts';
import { judgeAt, START } from './arrivals.ts';

function said(code: VerdictCode, judgedMs: number = 0): Verdict {
  const judgedAt = epochMillis(START + judgedMs);
  const heard = { judgedAt, lastArrivalAt: judgedAt, bootId: 'boot-a', lastSequence: 1 };
  return { ...judgeAt(null, START), ...heard, code, state: VERDICT_CODES[code] };
}

function told(
  verdict: Verdict,
  standing: Verdict | undefined,
  others: readonly Verdict[] = [],
): boolean {
  const committed = [...(standing === undefined ? [] : [standing]), ...others];
  return isNews(verdict, { standing, committed, proofMsMax: 12_000 });
}

describe('a verdict is news', () => {
  it('when it is the first, or of another state', () => {
    expect(told(said('never-heard'), undefined)).toBe(true);
    expect(told(said('beating'), said('never-heard'))).toBe(true);
    expect(told(said('phi-over-fail'), said('phi-over-suspect'))).toBe(true);
  });

  it('not when only its reason changed, however much time has passed', () => {
    expect(told(said('silence-over-fail-bound', 9e6), said('phi-over-fail'))).toBe(false);
    expect(told(said('probe-failing', 9e6), said('reports-degraded'))).toBe(false);
    expect(told(said('beating', 9e6), said('beating'))).toBe(false);
  });

  it('when a site in trouble gives up its role, or has it again', () => {
    expect(told(said('gave-up-role'), said('reports-failing'))).toBe(true);
    expect(told(said('reports-failing'), said('gave-up-role'))).toBe(true);
  });

  it('when the site leaves that was pending, or comes back, or is found serving', () => {
    expect(told(said('deregistered'), said('never-heard'))).toBe(true);
    expect(told(said('silent-but-serving'), said('phi-over-suspect'))).toBe(true);
    expect(told(said('phi-over-suspect'), said('silent-but-serving'))).toBe(true);
  });

  it('not when a site that flaps is heard again: what stood stands until it has proven itself', () => {
    for (const code of ['phi-over-fail', 'phi-over-suspect', 'reports-degraded'] as const) {
      expect(told(said('flapping', 9e6), said(code)), code).toBe(false);
    }
    expect(told(said('beating'), said('phi-over-fail'))).toBe(true);
    expect(told(said('flapping'), said('beating'))).toBe(true);
    expect(told(said('recovering'), said('phi-over-fail'))).toBe(true);
  });

  it('not when a convicted site was merely not watched, until it beats', () => {
    const convicted = said('phi-over-fail');
    for (const code of ['store-errors', 'not-watched-long-enough', 'phi-over-suspect'] as const) {
      expect(told({ ...said(code, 9e6), lastArrivalAt: convicted.lastArrivalAt }, convicted)).toBe(
        false,
      );
      expect(told(said(code, 9e6), convicted), code).toBe(true);
      expect(told(said(code), said('beating')), code).toBe(true);
    }
    expect(told(said('observer-unwell'), convicted)).toBe(true);
    expect(told(said('many-silent-at-once'), convicted)).toBe(true);
    expect(told(said('silent-but-serving'), convicted)).toBe(true);
    expect(told(said('store-errors'), said('run-missed'))).toBe(false);
  });

  it('when it is fresh proof of life of a site that as many accuse as hear', () => {
    const accuser = said('phi-over-suspect');
    expect(told(said('beating', 3000), said('beating'), [accuser])).toBe(true);
    expect(told(said('beating', 2999), said('beating'), [accuser])).toBe(false);
    expect(told(said('beating', 3000), said('beating'), [accuser, said('beating')])).toBe(false);
    const serving = said('silent-but-serving');
    expect(told(said('silent-but-serving', 3000), serving, [accuser])).toBe(true);
    expect(told(said('phi-over-suspect', 3000), accuser, [accuser])).toBe(false);
  });
});
