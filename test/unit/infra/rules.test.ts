import { type App, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { addStacks } from '../../../infra/app.ts';
import { committedSettings, testApp } from '../../support/infra.ts';

/** Names of all rules that are violated, detail included, whether acknowledged or not. */
function findings(app: App): ReadonlySet<string> {
  const pack = new AwsSolutionsChecks();
  Object.defineProperty(pack, 'isAcknowledged', { value: () => false });
  return new Set(pack.validateScope(app).violations.map(({ ruleName }) => ruleName));
}

/** Reasons by the id that constructs of the tree acknowledge, without the prefix of the pack. */
function acknowledged(app: App): ReadonlyMap<string, string> {
  const entries = app.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>));
  return new Map(entries.map(([id, reason]) => [id.replace(/^AwsSolutions::/, ''), reason]));
}

describe('the AwsSolutions rules', () => {
  test('are kept, acknowledged only where they do find something, and with a reason', () => {
    const app = testApp();
    addStacks(app, committedSettings());
    const known = acknowledged(app);
    expect(new Set(known.keys())).toEqual(findings(app));
    expect([...known.values()].filter((reason) => reason.length < 30)).toEqual([]);
    expect(() => app.synth()).not.toThrow();
  });

  test('end a synthesis that breaks one, and name it', () => {
    const app = testApp();
    const { global } = addStacks(app, committedSettings());
    new Bucket(global, 'Careless');
    expect(() => app.synth()).toThrow(/AwsSolutions-S10/);
  });
});
