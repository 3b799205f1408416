import { Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test } from 'vitest';
import { addStacks, type TripointStacks } from '../../../infra/app.ts';
import { committedSettings, testApp } from '../../support/infra.ts';

/** Names of the rules that are violated, detail included. */
function findings(pack: AwsSolutionsChecks, app: ReturnType<typeof testApp>): readonly string[] {
  return pack.validateScope(app).violations.map(({ ruleName }) => ruleName);
}

/** Ids that constructs of the tree acknowledge, without the prefix of the pack. */
function acknowledged(app: ReturnType<typeof testApp>): ReadonlyMap<string, string> {
  const entries = app.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(data as Record<string, string>));
  return new Map(entries.map(([id, reason]) => [id.replace(/^AwsSolutions::/, ''), reason]));
}

/** A pack that hears no acknowledgement. */
function deafPack(): AwsSolutionsChecks {
  return Object.assign(new AwsSolutionsChecks(), { isAcknowledged: () => false });
}

let app: ReturnType<typeof testApp>;
let stacks: TripointStacks;

beforeAll(() => {
  app = testApp();
  stacks = addStacks(app, committedSettings());
});

describe('the AwsSolutions rules', () => {
  test('find nothing that is not acknowledged', () => {
    expect(findings(new AwsSolutionsChecks(), app)).toEqual([]);
  });

  test('are acknowledged only where they do find something, and with a reason', () => {
    const found = new Set(findings(deafPack(), app));
    const known = acknowledged(app);
    expect(known.size).toBeGreaterThan(3);
    expect([...known.keys()].filter((id) => !found.has(id))).toEqual([]);
    expect([...known.values()].filter((reason) => reason.length < 30)).toEqual([]);
  });

  test('end a synthesis that breaks one, and name it', () => {
    new Bucket(stacks.global, 'Careless');
    expect(findings(new AwsSolutionsChecks(), app)).toContain('AwsSolutions-S10');
    expect(() => app.synth()).toThrow(/Validation failed/);
  });
});
