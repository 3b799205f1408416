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

describe('nextAfterStatus of several services', () => {
  const impaired = serviceJson({
    service: 'search',
    phase: { kind: 'impaired', cause: 'site-failed' },
  });
  const drill = {
    run: 'checkout-9',
    site: 'us-west-2',
    home: { 'us-east-1': 100 },
    revertAt: null,
  };
  const waitingFor = [
    { step: 'approve', detail: 'loses data', sinceAt: '2026-11-23T09:39:00.000Z' },
  ];

  test('begins with what is impaired, whatever its name', () => {
    const back = runJson(0, { kind: 'failback', waitingFor });
    const found = nextAfterStatus(statusJson({ services: [AWAY, impaired], runs: [back] }));
    expect(found?.command).toBe('tripoint failover search --reason TEXT --dry-run');
  });

  test('begins with a failover that only waits for a person', () => {
    const runs = [runJson(0, { waitingFor })];
    const found = nextAfterStatus(statusJson({ services: [impaired], runs }));
    expect(found?.command).toBe('tripoint approve checkout-42 --reason TEXT');
  });

  test('is no failback of shares that somebody chose', () => {
    const services = [{ ...AWAY, strategy: 'active-active' }];
    expect(nextAfterStatus(statusJson({ services }))).toBeNull();
  });

  test('is the end of a drill that stands, and no failback', () => {
    const services = [{ ...AWAY, drill, phase: { kind: 'practising' as const } }];
    expect(nextAfterStatus(statusJson({ services }))?.command).toBe('tripoint drill end checkout');
  });
});

describe('nextAfterRun', () => {
  test.each([
    ['tripoint runs checkout-42', runJson(1)],
    ['tripoint reports checkout-42 --markdown', runJson(4)],
    [
      'tripoint log --service checkout',
      runJson(1, { outcome: { kind: 'failed', at: null, code: 'x', exceptions: [] } }),
    ],
  ])('is %s', (command, run) => {
    expect(nextAfterRun(run).command).toBe(command);
  });
});
