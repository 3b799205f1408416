import { describe, expect, test } from 'vitest';
import { isHealthy } from '../../../../lib/cli/render/opinion.ts';
import { renderServices } from '../../../../lib/cli/render/services.ts';
import { renderStatus } from '../../../../lib/cli/render/status.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { STANDBY, serviceJson, siteJson, statusJson } from '../fixtures.ts';

const IMPAIRED = serviceJson({
  phase: { kind: 'impaired', cause: 'site-failed' },
  analysis: { code: 'active-site-failed', sentence: 'checkout@us-east-1 failed' },
  decision: {
    kind: 'refuse',
    code: 'hold-down',
    sentence: '12 s of hold-down left',
    at: '2026-11-23T09:40:00.000Z',
    index: 50,
  },
});

describe('renderStatus', () => {
  test('shows regions, services, sites and each observer', () => {
    expect(renderStatus(statusJson(), PLAIN)).toEqual([
      'Tripoint local, as us-east-2 knows it at 2026-11-23 09:40:00Z',
      '● quorum 3 of 3  leader us-west-2, term 3, log 128',
      '',
      'checkout  checkout.example.test  steady',
      '  site       role       opinion    us-east-1  us-east-2  us-west-2  φ    last beat',
      '  us-east-1  ▶ active   ● healthy  ● healthy  ● healthy  –          0.4  310 ms ago',
      '  us-west-2    standby  ● healthy  ● healthy  ● healthy  –          0.4  310 ms ago',
      '  all-sites-healthy: checkout@us-east-1 serves',
    ]);
  });

  test('names the regions that are silent', () => {
    const { consensus } = statusJson();
    const members = [...consensus.members.slice(0, 2), { region: 'us-west-2', reachable: false }];
    const lines = renderStatus(
      statusJson({ consensus: { ...consensus, quorum: false, leader: null, members } }),
      PLAIN,
    );
    expect(lines[1]).toBe('✖ no quorum 2 of 3 (silent: us-west-2)  no leader, term 3, log 128');
  });

  test('says why nothing is done about a failed site', () => {
    const lines = renderStatus(statusJson({ services: [IMPAIRED] }), PLAIN);
    expect(lines).toContain('checkout  checkout.example.test  impaired (site-failed)');
    expect(lines.at(-1)).toBe('  hold-down: 12 s of hold-down left');
  });

  test('says why a site is in trouble, in the words of whoever finds it so', () => {
    const sentence = 'beats and does not serve: GET http://192.0.2.1/health: status 503 in 4 ms';
    const [verdict] = siteJson().verdicts;
    const site = siteJson({
      opinion: { ...siteJson().opinion, state: 'degraded', code: 'reports-trouble' },
      verdicts:
        verdict === undefined
          ? []
          : [
              { ...verdict, observer: 'us-east-1' },
              {
                ...verdict,
                observer: 'us-east-2',
                state: 'degraded',
                code: 'probe-failing',
                sentence,
              },
            ],
    });
    const lines = renderStatus(
      statusJson({ services: [serviceJson({ sites: [site, STANDBY] })] }),
      PLAIN,
    );
    expect(lines).toContain(`  us-east-1: ${sentence} (probe-failing, as us-east-2 saw it)`);
  });

  test('tells an early warning once, however many observers see it', () => {
    const warnings = ['us-east-1', 'us-west-2'].map((observer) => ({
      observer,
      code: 'lag-rising' as const,
      sentence: 'replication lag 9.0 s',
      sinceAt: '2026-11-23T09:40:00.000Z',
    }));
    const services = [serviceJson({ sites: [siteJson({ warnings }), STANDBY] })];
    const lines = renderStatus(statusJson({ services }), PLAIN);
    expect(lines.filter((line) => line.includes('warning'))).toEqual([
      '  ▲ early warning, us-east-1: lag-rising: replication lag 9.0 s',
    ]);
  });

  test('says that nothing is configured', () => {
    expect(renderStatus(statusJson({ services: [] }), PLAIN).at(-1)).toBe(
      'no services are configured',
    );
  });

  test('shows sites that were never heard of', () => {
    const silent = siteJson({
      verdicts: [],
      observation: null,
      opinion: { state: 'pending', code: 'never-heard', sentence: '', sinceAt: null },
    });
    const lines = renderStatus(
      statusJson({ services: [serviceJson({ sites: [silent, STANDBY] })] }),
      PLAIN,
    );
    expect(lines[5]).toBe(
      '  us-east-1  ▶ active   ○ pending  –          –          –          –    –',
    );
  });
});

describe('isHealthy', () => {
  test('holds for steady services with a standby and a quorum', () => {
    expect(isHealthy(statusJson())).toBe(true);
  });

  test.each([
    ['a site failed', { services: [serviceJson(), IMPAIRED] }],
    ['no quorum', { consensus: { ...statusJson().consensus, quorum: false } }],
    [
      'no standby is ready',
      {
        services: [serviceJson({ analysis: { code: 'standby-not-ready' as const, sentence: '' } })],
      },
    ],
    [
      'a run is open',
      { services: [serviceJson({ phase: { kind: 'recovering' as const, run: 'x' } })] },
    ],
  ])('does not when %s', (_, change) => {
    expect(isHealthy(statusJson(change))).toBe(false);
  });
});

test('renderServices shows one line for each service', () => {
  expect(
    renderServices([serviceJson(), serviceJson({ service: 'search', automatic: false })], PLAIN),
  ).toEqual([
    'service   name                   type  phase   active     primary    failover   RTO  RPO',
    'checkout  checkout.example.test  A     steady  us-east-1  us-east-1  automatic  30s  5s',
    'search    checkout.example.test  A     steady  us-east-1  us-east-1  by hand    30s  5s',
  ]);
});
