import { beforeAll, describe, expect, test } from 'vitest';
import { addRegionalStack } from '../../../infra/app.ts';
import {
  committedSettings,
  readText,
  resourcesOf,
  type TemplateJson,
  type TemplateResource,
  templateJson,
  testApp,
} from '../../support/infra.ts';

const RUNBOOK = readText('docs/runbook.md') ?? '';

/** Sections of the runbook by heading, which is also the anchor. */
const SECTIONS = new Map(
  RUNBOOK.split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      return [heading.trim(), lines.join('\n')] as const;
    }),
);

let json: TemplateJson;
let alarms: readonly TemplateResource[];

beforeAll(() => {
  json = templateJson(addRegionalStack(testApp(), committedSettings(), 'us-east-1'));
  alarms = resourcesOf(json, 'AWS::CloudWatch::Alarm');
});

function anchorOf({ Properties }: TemplateResource): string {
  const match = /Runbook: docs\/runbook\.md#([a-z-]+)$/.exec(
    String(Properties['AlarmDescription']),
  );
  return match?.[1] ?? '';
}

describe('alarms', () => {
  test('point each at a section of the runbook that says what, why and what to do', () => {
    expect(alarms.length).toBeGreaterThanOrEqual(10);
    for (const alarm of alarms) {
      const section = SECTIONS.get(anchorOf(alarm)) ?? '';
      expect(section, anchorOf(alarm)).toMatch(
        /\*\*Description\.\*\* [\s\S]+\*\*Investigation\.\*\* [\s\S]+\*\*Resolution\.\*\* /,
      );
    }
  });

  test('have no section in the runbook without an alarm, but for the procedures', () => {
    const anchors = new Set(alarms.map(anchorOf));
    const procedures = [...SECTIONS].filter(([, text]) => text.includes('**Procedure.**'));
    const known = new Set([...anchors, ...procedures.map(([heading]) => heading)]);
    expect([...SECTIONS.keys()].filter((heading) => !known.has(heading))).toEqual([]);
  });

  test('say what missing data means, and tell the operators when they begin and end', () => {
    for (const { Properties } of alarms) {
      expect(['breaching', 'notBreaching', 'ignore']).toContain(Properties['TreatMissingData']);
      expect(Properties['AlarmActions']).toEqual([{ Ref: expect.stringMatching(/^AlarmsTopic/) }]);
      expect(Properties['OKActions']).toEqual(Properties['AlarmActions']);
    }
  });

  test('fire when the controller is silent, for silence is the failure', () => {
    const stopped = alarms.find((alarm) => anchorOf(alarm) === 'controller-stopped');
    expect(stopped?.Properties).toMatchObject({
      AlarmName: 'tripoint-controller-stopped',
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      EvaluationPeriods: 3,
      Dimensions: [{ Name: 'FunctionName', Value: 'tripoint-controller' }],
    });
  });

  test('do not count the 503 of a standby site as a failure of the API', () => {
    expect(JSON.stringify(alarms)).not.toContain('Url5xxCount');
  });

  test('subscribe the operator only when there is one', () => {
    const emails = (template: TemplateJson) =>
      resourcesOf(template, 'AWS::SNS::Subscription').filter(
        ({ Properties }) => Properties['Protocol'] === 'email',
      );
    expect(emails(json)).toHaveLength(0);
    const settings = committedSettings({ 'tripoint:operatorEmail': 'ops@example.com' });
    const told = templateJson(addRegionalStack(testApp(), settings, 'us-east-1'));
    expect(emails(told)).toHaveLength(1);
  });
});
