import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { addRegionalStack } from '../../../infra/app.ts';
import {
  committedSettings,
  ROOT,
  readText,
  resourcesOf,
  type TemplateJson,
  templateJson,
  testApp,
} from '../../support/infra.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: { readonly [operator: string]: { readonly [key: string]: unknown } };
}

/** SDK commands that only a person or the local mode sends, with their own credentials. */
const NOT_SENT_BY_FUNCTIONS = new Set(['CreateTable', 'DescribeTable']);

/** Commands whose action has another name. */
const ACTION_NAMES: { readonly [command: string]: string } = {
  HeadObject: 'GetObject',
  ListObjectsV2: 'ListBucket',
};

const SERVICES = { dynamodb: 'dynamodb', route53: 'route53', s3: 's3' } as const;

let json: TemplateJson;

beforeAll(() => {
  json = templateJson(addRegionalStack(testApp(), committedSettings(), 'us-east-2'));
});

function statementsOf(role: string): readonly Statement[] {
  return Object.entries(json.Resources)
    .filter(([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.startsWith(role))
    .flatMap(([, { Properties }]) => {
      const { Statement } = Properties['PolicyDocument'] as { Statement: readonly Statement[] };
      return Statement;
    });
}

function actionsOf(role: string): ReadonlySet<string> {
  return new Set(statementsOf(role).flatMap(({ Action }) => Action));
}

function allStatements(): readonly Statement[] {
  return resourcesOf(json, 'AWS::IAM::Policy').flatMap(
    ({ Properties }) =>
      (Properties['PolicyDocument'] as { Statement: readonly Statement[] }).Statement,
  );
}

/** Actions that the adapter in `lib/aws/<folder>` needs, from the commands that it imports. */
function commandsIn(folder: keyof typeof SERVICES): readonly string[] {
  const files = readdirSync(`${ROOT}lib/aws/${folder}`).map((name) =>
    readFileSync(`${ROOT}lib/aws/${folder}/${name}`, 'utf8'),
  );
  const commands = files.flatMap((text) =>
    [...text.matchAll(/new (\w+)Command\(/g)].map(([, command = '']) => command),
  );
  return [...new Set(commands)]
    .filter((command) => !NOT_SENT_BY_FUNCTIONS.has(command))
    .map((command) => `${SERVICES[folder]}:${ACTION_NAMES[command] ?? command}`);
}

describe('permissions', () => {
  test('allow no wildcard action anywhere', () => {
    const actions = allStatements().flatMap(({ Action }) => Action);
    expect(actions.length).toBeGreaterThan(20);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  test('name every resource but objects in our buckets and the status of a DNS change', () => {
    const wildcards = allStatements()
      .flatMap(({ Resource }) => Resource)
      .filter((resource) => typeof resource === 'string' && resource.includes('*'));
    expect([...new Set(wildcards)]).toEqual([
      'arn:aws:s3:::tripoint-111122223333-us-east-1/*',
      'arn:aws:s3:::tripoint-111122223333-us-east-2/*',
      'arn:aws:s3:::tripoint-111122223333-us-west-2/*',
      'arn:aws:route53:::change/*',
    ]);
  });

  test('use no managed policy', () => {
    for (const { Properties } of resourcesOf(json, 'AWS::IAM::Role')) {
      expect(Properties['ManagedPolicyArns']).toBeUndefined();
    }
  });

  test.each(['dynamodb', 'route53', 's3'] as const)(
    'allow the controller every command that lib/aws/%s sends',
    (folder) => {
      const needed = commandsIn(folder);
      expect(needed.length).toBeGreaterThanOrEqual(3);
      const allowed = actionsOf('ControllerRole');
      expect(needed.filter((action) => !allowed.has(action))).toEqual([]);
    },
  );

  test('allow nothing that lib/aws never sends', () => {
    const sent = new Set([
      ...commandsIn('dynamodb'),
      ...commandsIn('route53'),
      ...commandsIn('s3'),
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    const roles = ['ApiRole', 'ControllerRole', 'SnapshotRole'];
    const extra = roles.flatMap((role) =>
      [...actionsOf(role)].filter((action) => !sent.has(action)),
    );
    expect(extra).toEqual([]);
  });

  test('reach the registers of all three regions, and the arrival windows of the own one', () => {
    const tables = statementsOf('ControllerRole')
      .filter(({ Action }) => JSON.stringify(Action).includes('dynamodb:'))
      .flatMap(({ Resource }) => Resource);
    expect(tables).toEqual([
      'arn:aws:dynamodb:us-east-1:111122223333:table/tripoint-consensus',
      'arn:aws:dynamodb:us-east-2:111122223333:table/tripoint-consensus',
      'arn:aws:dynamodb:us-west-2:111122223333:table/tripoint-consensus',
      'arn:aws:dynamodb:us-east-2:111122223333:table/tripoint-health',
      'arn:aws:dynamodb:us-east-2:111122223333:table/tripoint-health',
    ]);
  });

  test('delete nothing from the own health table but timers', () => {
    const [deletes, ...others] = statementsOf('ControllerRole').filter(
      ({ Action, Resource }) =>
        JSON.stringify(Action).includes('DeleteItem') &&
        JSON.stringify(Resource).includes('tripoint-health'),
    );
    expect(others).toEqual([]);
    expect(deletes).toMatchObject({
      Action: 'dynamodb:DeleteItem',
      Condition: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['timer'] },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    });
  });

  test('let only the controller switch, by CREATE and DELETE of the names it protects', () => {
    const [change, ...others] = allStatements().filter(({ Action }) =>
      JSON.stringify(Action).includes('ChangeResourceRecordSets'),
    );
    expect(others).toEqual([]);
    expect(change).toEqual({
      Effect: 'Allow',
      Action: 'route53:ChangeResourceRecordSets',
      Resource: 'arn:aws:route53:::hostedzone/Z0000000PLACEHOLDER',
      Condition: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': [
            'checkout.example.com',
            '_tripoint.checkout.example.com',
          ],
          'route53:ChangeResourceRecordSetsRecordTypes': ['A', 'AAAA', 'CNAME', 'TXT'],
          'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
        },
        Null: {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
          'route53:ChangeResourceRecordSetsRecordTypes': 'false',
          'route53:ChangeResourceRecordSetsActions': 'false',
        },
      },
    });
    expect(JSON.stringify(json)).not.toContain('UPSERT');
  });

  test('let nobody delete an object or a table', () => {
    const text = JSON.stringify(allStatements());
    expect(text).not.toContain('s3:Delete');
    expect(text).not.toContain('dynamodb:DeleteTable');
  });

  test('let the API and the alarm function write no object', () => {
    expect(actionsOf('ApiRole').has('s3:PutObject')).toBe(false);
    expect([...actionsOf('AlarmRole')].filter((action) => action.startsWith('s3:'))).toEqual([]);
  });

  test('are explained, each action, in the deployment guide', () => {
    const guide = readText('docs/operating/deploy.md') ?? '';
    const actions = [...new Set(allStatements().flatMap(({ Action }) => Action))];
    expect(actions.filter((action) => !guide.includes(`\`${action}\``))).toEqual([]);
  });
});
