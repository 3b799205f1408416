/** What stands of a service, and runs with stages, on the page: in words, and never as markup of others. */
import { describe, expect, it } from 'vitest';
import { runsSection } from '../../../../lib/api/page/runs.ts';
import { serviceSection } from '../../../../lib/api/page/service.ts';
import { statusPage } from '../../../../lib/api/page/status-page.ts';
import type { RunJson, ServiceJson } from '../../../../lib/api/schemas.ts';
import { runJson, serviceJson, siteJson, statusJson } from '../../cli/fixtures.ts';

const AT = '2026-11-23T09:40:00.000Z';
const HOSTILE = '<script>alert(1)</script>';
const LATER = '2099-01-01T00:00:00.000Z';
const STANDING = { sinceAt: AT, untilAt: '2026-11-23T10:40:00.000Z', by: HOSTILE, reason: HOSTILE };

const textOf = (markup: unknown) =>
  String(markup)
    .replace(/<svg.*?<\/svg>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

const serviceText = (change: Partial<ServiceJson>) =>
  textOf(serviceSection(serviceJson(change), statusJson()));

const runText = (run: RunJson) => textOf(runsSection(statusJson({ runs: [run] })));

describe('a service on the page', () => {
  it('says nothing more than usual when all is as usual', () => {
    expect(serviceText({})).not.toMatch(/Traffic|Protection|Freeze|Set aside|Drill|Readiness/);
  });

  it('shows shares, protection, freeze, what is set aside, and whom it waits for', () => {
    const shown = serviceText({
      strategy: 'active-active',
      traffic: { 'us-east-1': 90, 'us-west-2': 10 },
      granted: false,
      unprotectedSinceAt: AT,
      freeze: STANDING,
      overrides: [{ rule: 'hold-down', ...STANDING }],
      acknowledgement: { run: 'checkout-42', sinceAt: AT },
      drill: { run: 'checkout-50', site: 'us-west-2', home: {}, revertAt: LATER },
    });
    expect(shown).toContain('Traffic us-east-1 90 % · us-west-2 10 %');
    expect(shown).toContain('Nobody is active');
    expect(shown).toContain('Unprotected no other site is ready');
    expect(shown).toContain('Freeze');
    expect(shown).toMatch(/Set aside +hold-down until/);
    expect(shown).toContain('nobody has seen run checkout-42');
    expect(shown).toContain('Practice at us-west-2, until');
    const drill = { run: 'checkout-50', site: 'us-west-2', home: {}, revertAt: AT };
    expect(serviceText({ drill })).toMatch(/Practice at us-west-2, +overdue +since/);
  });

  it('shows what a run would trip over, with what to do about it', () => {
    const finding = {
      code: 'permission-missing',
      severity: 'failing',
      subject: 'group',
      sentence: 'may not be read',
      fix: 'allow it',
    } as const;
    const findings = [finding, { ...finding, severity: 'warning', sentence: 'is slow' } as const];
    const shown = serviceText({ readiness: { at: AT, findings } });
    expect(shown).toContain('Not ready group : may not be read permission-missing allow it');
    expect(shown).not.toContain('is slow');
  });

  it('shows which alarms count against a site, and which are only told', () => {
    const alarm = (name: string, state: 'alarm' | 'insufficient-data', counts: boolean) => ({
      ...{ name, state, counts },
      at: AT,
    });
    const alarms = [
      alarm('5xx', 'alarm', true),
      alarm('lag', 'insufficient-data', true),
      alarm('cost', 'alarm', false),
      alarm('idle', 'insufficient-data', false),
    ];
    const service = serviceJson({ sites: [siteJson({ alarms })] });
    const marked = [
      ...String(serviceSection(service, statusJson())).matchAll(
        /<span class="alarm"><span class="mark (\w+)">.*?<\/svg>(.*?)<\/span>(.*?)<\/span>/gs,
      ),
    ].map(([, tone, text, rest]) => `${tone} ${text}${textOf(rest)}`.trim());
    expect(marked).toEqual([
      'bad alarm 5xx',
      'bad alarm lag without data',
      'unclear alarm cost only told',
    ]);
  });

  it('names a drill in the headline, and what stands still with a concern beside it', () => {
    const drill = serviceJson({ service: 'billing', phase: { kind: 'practising' } });
    const analysis = { code: 'standby-not-ready', sentence: 'no standby is ready' } as const;
    const shown = textOf(statusPage(statusJson({ services: [drill, serviceJson({ analysis })] })));
    expect(shown).toContain('billing is in a drill; checkout needs a look');
  });

  it('says in the headline and beside the phase that its run waits for a person', () => {
    const waitingFor = [{ step: 'agree', detail: 'Really?', sinceAt: AT }];
    const { run } = runJson(0);
    const services = [serviceJson({ phase: { kind: 'recovering', run } })];
    const shown = textOf(statusPage(statusJson({ services, runs: [runJson(0, { waitingFor })] })));
    expect(shown).toContain('checkout is failing over to us-west-2, waiting for a person');
    expect(shown).toMatch(/Failing over +run checkout-42 +Waits for a person/);
  });

  it('writes what people typed as text', () => {
    const service = serviceJson({
      freeze: STANDING,
      overrides: [{ rule: 'approval', ...STANDING }],
    });
    expect(String(serviceSection(service, statusJson()))).not.toContain('<script>');
  });
});

describe('a run on the page', () => {
  const [first, ...rest] = runJson(0).steps;
  const approve = { ...first, name: 'agree', kind: 'approve', detail: 'Really?', openedAt: AT };
  const steps = [approve, ...rest] as RunJson['steps'];

  it('says whom it waits for, and how that person answers', () => {
    const waitingFor = [{ step: 'agree', detail: 'Really?', sinceAt: AT }];
    const shown = runText(runJson(0, { steps, waitingFor }));
    expect(shown).toContain('Waits for a person other than tripoint : Really?');
    expect(shown).toContain('tripoint approve checkout-42 --reason …');
    expect(runText(runJson(0, { steps }))).not.toContain('Waits for a person');
  });

  it('shows what is done side by side, what was taken back, and what was lost', () => {
    const both = steps.map((step, place) => ({ ...step, stage: 0, isUndo: place === 1 }));
    const loss = {
      lagMs: 4200,
      writes: 132,
      measuredAt: AT,
      acceptedBy: 'ann',
      sentence: 'losing it',
    };
    const reverting = { code: 'cancelled', at: AT };
    const shown = runText(runJson(0, { steps: both, loss, reverting }));
    expect(shown).toContain('beside');
    expect(shown).toContain('(taken back)');
    expect(shown).toContain('losing it');
    expect(shown).toContain('takes back what it did: cancelled');
  });
});
