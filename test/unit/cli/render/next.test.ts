import { describe, expect, test } from 'vitest';
import { nextAfterRun, nextAfterStatus } from '../../../../lib/cli/render/next.ts';
import { runJson, STANDBY, serviceJson, siteJson, statusJson } from '../fixtures.ts';

const AWAY = serviceJson({
  activeSite: 'us-west-2',
  sites: [siteJson({ role: 'standby' }), { ...STANDBY, role: 'active' }],
});

describe('nextAfterStatus', () => {
  test('is nothing when all is well at home', () => {
    expect(nextAfterStatus(statusJson())).toBeNull();
  });

  test.each([
    ['tripoint apply FILE', { services: [] }],
    ['tripoint status --watch', { consensus: { ...statusJson().consensus, quorum: false } }],
    [
      'tripoint runs checkout-42',
      { services: [serviceJson({ phase: { kind: 'recovering' as const, run: 'checkout-42' } })] },
    ],
    [
      'tripoint failover checkout --reason TEXT --dry-run',
      {
        services: [
          serviceJson({ phase: { kind: 'impaired' as const, cause: 'site-failed' as const } }),
        ],
      },
    ],
    ['tripoint failback checkout --reason TEXT', { services: [serviceJson(), AWAY] }],
  ])('is %s', (command, change) => {
    expect(nextAfterStatus(statusJson(change))?.command).toBe(command);
  });

  test('is no failback while the primary site is not healthy', () => {
    const failed = siteJson({
      role: 'standby',
      opinion: { state: 'failed', code: 'quorum-failed', sentence: '', sinceAt: null },
    });
    const services = [{ ...AWAY, sites: [failed, ...AWAY.sites.slice(1)] }];
    expect(nextAfterStatus(statusJson({ services }))).toBeNull();
  });
});

describe('nextAfterRun', () => {
  test.each([
    ['tripoint runs checkout-42', runJson(1)],
    ['tripoint runs checkout-42 --report', runJson(4)],
    [
      'tripoint log --service checkout',
      runJson(1, { outcome: { kind: 'failed', at: null, code: 'x', exceptions: [] } }),
    ],
  ])('is %s', (command, run) => {
    expect(nextAfterRun(run).command).toBe(command);
  });
});
