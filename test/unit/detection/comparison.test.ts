import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { compareViews } from '../../../lib/detection/comparison.ts';
import type { Verdict, VerdictCode } from '../../../lib/detection/verdict.ts';
import { VERDICT_CODES } from '../../../lib/detection/verdict.ts';
import { judgeAt, START } from './arrivals.ts';

function said(code: VerdictCode, silentMs: number = 0): Verdict {
  const base = judgeAt(null, START);
  const lastArrivalAt = epochMillis(START - silentMs);
  return { ...base, code, state: VERDICT_CODES[code], bootId: 'boot-a', lastArrivalAt };
}

function compare(own: Verdict | undefined, ...others: readonly Verdict[]) {
  return compareViews({ own, others, now: START, silenceMsMax: 12_000 });
}

describe('compareViews', () => {
  it('leaves out sites that were never heard here, or left', () => {
    const nothing = { known: 0, unconfirmed: 0, alone: 0 };
    expect(compare(undefined, said('beating'))).toEqual(nothing);
    expect(compare(said('never-heard'), said('beating'))).toEqual(nothing);
    expect(compare(said('deregistered'), said('beating'))).toEqual(nothing);
  });

  it('leaves out sites that no other observer has heard: nobody could confirm or deny', () => {
    const nothing = { known: 0, unconfirmed: 0, alone: 0 };
    expect(compare(said('phi-over-fail', 60_000))).toEqual(nothing);
    expect(compare(said('phi-over-fail', 60_000), said('never-heard'))).toEqual(nothing);
  });

  it('finds a silence confirmed as soon as one other observer accuses', () => {
    const silent = said('phi-over-fail', 60_000);
    expect(compare(silent, said('phi-over-suspect'), said('beating'))).toEqual({
      known: 1,
      unconfirmed: 0,
      alone: 0,
    });
    expect(compare(silent, said('store-errors')).unconfirmed).toBe(1);
  });

  it('finds itself alone only when the others have heard the site for long after', () => {
    expect(compare(said('phi-over-fail', 24_000), said('beating')).alone).toBe(0);
    expect(compare(said('phi-over-fail', 24_001), said('beating')).alone).toBe(1);
    expect(compare(said('phi-over-fail', 24_001), said('store-errors')).alone).toBe(0);
  });

  it('stays alone while it abstains for that reason, so that it does not speak again at once', () => {
    expect(compare(said('observer-unwell', 60_000), said('beating'))).toEqual({
      known: 1,
      unconfirmed: 1,
      alone: 1,
    });
    expect(compare(said('observer-unwell', 60_000), said('phi-over-fail')).alone).toBe(0);
  });

  it('holds nothing against an observer that hears the site', () => {
    for (const code of ['beating', 'probe-failing', 'evaluation-late'] as const) {
      expect(compare(said(code), said('phi-over-fail'), said('phi-over-fail'))).toEqual({
        known: 1,
        unconfirmed: 0,
        alone: 0,
      });
    }
  });
});
