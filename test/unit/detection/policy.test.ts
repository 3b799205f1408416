import { describe, expect, it } from 'vitest';
import { checkPolicy, type DetectionPolicy } from '../../../lib/detection/policy.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { POLICY } from './arrivals.ts';

describe('checkPolicy', () => {
  it('takes the detection part of a recovery policy as it is', () => {
    const configured: ServicePolicy['detection'] = { ...POLICY };
    const accepted: DetectionPolicy = configured;
    expect(() => checkPolicy(accepted)).not.toThrow();
  });

  it.each([
    [{ intervalMs: 0 }, 'interval-invalid'],
    [{ intervalMs: Infinity, silenceMsMax: Infinity }, 'interval-invalid'],
    [{ suspectPhi: Number.NaN }, 'suspect-phi-invalid'],
    [{ failPhi: 8 }, 'fail-phi-not-above-suspect-phi'],
    [{ silenceMsMax: Number.NaN }, 'silence-max-too-few-intervals'],
  ])('refuses %o with %s', (change, code) => {
    expect(() => checkPolicy({ ...POLICY, ...change })).toThrow(code);
  });
});
