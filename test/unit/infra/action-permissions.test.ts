import { readdirSync, readFileSync } from 'node:fs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { actionStatements } from '../../../infra/action-permissions.ts';
import { wildcardAcknowledgements } from '../../../infra/permissions.ts';
import { type Settings, settingsOrThrow } from '../../../infra/settings.ts';
import { cdkJson, committedSettings, ROOT, readText } from '../../support/infra.ts';

const EXAMPLE = `
services:
  shop:
    dns: { name: shop.example.com, type: A }
    primary: east
    database:
      kind: aurora-global
      globalCluster: shop
      members:
        east: { cluster: "arn:aws:rds:us-east-1:111122223333:cluster:shop-east" }
        west: { cluster: "arn:aws:rds:us-west-2:111122223333:cluster:shop-west" }
    notify:
      - topic: arn:aws:sns:us-east-2:111122223333:pagers
      - url: https://hooks.example.com/pager
        secret: PAGER_KEY
    plans:
      failover:
        steps:
          - do: snapshot
            table: orders
            region: us-east-1
          - parallel:
              - do: lambda
                function: warm-up
                region: us-west-2
                undo: { do: lambda, function: cool-down, region: us-west-2 }
              - do: restore
                table: orders
                region: us-east-1
                into: orders-2
                intoRegion: us-west-2
          - do: switch
    sites:
      east: { region: us-east-1, address: 192.0.2.1, capacity: { autoScalingGroup: web, serving: 4, standby: 1 } }
      west: { region: us-west-2, address: 192.0.2.2, capacity: { ecsService: main/web, serving: 4, standby: 1 } }
  api:
    dns: { name: api.example.com, type: A }
    primary: east
    database:
      kind: rds-replica
      members: { east: { instance: api-east }, west: { instance: api-west } }
    sites:
      east: { region: us-east-1, address: 192.0.2.3, capacity: { hook: "https://hooks.example.com/scale", serving: 2, standby: 0 } }
      west: { region: us-west-2, address: 192.0.2.4, capacity: { lambda: "api:live", serving: 2, standby: 0 } }
`;

/** Prefix of each SDK client's actions. */
const PREFIXES: { readonly [client: string]: string } = {
  'application-auto-scaling': 'application-autoscaling',
  'auto-scaling': 'autoscaling',
  dynamodb: 'dynamodb',
  ecs: 'ecs',
  lambda: 'lambda',
  rds: 'rds',
  sns: 'sns',
};

const STATEMENTS: readonly PolicyStatement[] = actionStatements(settings());

function settings(): Settings {
  const own = { 'tripoint:config': 'shop.yaml', 'tripoint:dataPlaneNames': {} };
  return settingsOrThrow({
    context: { ...cdkJson().context, ...own },
    readText: (path) => (path === 'shop.yaml' ? EXAMPLE : readText(path)),
  });
}

/** Resources on which the controller may do this. */
function resourcesFor(action: string): readonly string[] {
  return STATEMENTS.filter(({ actions }) => actions.includes(action)).flatMap(
    ({ resources }) => resources,
  );
}

function conditionsOf(action: string): unknown {
  return STATEMENTS.find(({ actions }) => actions.includes(action))?.conditions;
}

/** What the adapters send, by the imports and commands of their sources. */
function actionsSent(): ReadonlySet<string> {
  const names = readdirSync(`${ROOT}lib/aws/actions`, { recursive: true, encoding: 'utf8' });
  const actions = names
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const text = readFileSync(`${ROOT}lib/aws/actions/${name}`, 'utf8');
      const imports = [...text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g)];
      return imports.flatMap(([, list = '', client = '']) =>
        [...list.matchAll(/(\w+)Command\b/g)].map(
          ([, command]) => `${PREFIXES[client]}:${command}`,
        ),
      );
    });
  return new Set(
    actions.map((action) => {
      const isInvoke = action === 'lambda:Invoke';
      return isInvoke ? 'lambda:InvokeFunction' : action;
    }),
  );
}

describe('the rights to act on what plans name', () => {
  test('cover every command that the adapters send', () => {
    const sent = actionsSent();
    expect(sent.size).toBeGreaterThan(18);
    expect([...sent].filter((action) => resourcesFor(action).length === 0)).toEqual([]);
  });

  test('are for exactly the resources of the file', () => {
    expect(resourcesFor('autoscaling:SetDesiredCapacity')).toEqual([
      'arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:*:autoScalingGroupName/web',
    ]);
    expect(resourcesFor('ecs:UpdateService')).toEqual([
      'arn:aws:ecs:us-west-2:111122223333:service/main/web',
    ]);
    expect(resourcesFor('lambda:PutProvisionedConcurrencyConfig')).toEqual([
      'arn:aws:lambda:us-west-2:111122223333:function:api:live',
    ]);
    expect(resourcesFor('lambda:InvokeFunction')).toEqual([
      'arn:aws:lambda:us-west-2:111122223333:function:warm-up',
      'arn:aws:lambda:us-west-2:111122223333:function:cool-down',
    ]);
    expect(resourcesFor('rds:FailoverGlobalCluster')).toEqual([
      'arn:aws:rds::111122223333:global-cluster:shop',
      'arn:aws:rds:us-east-1:111122223333:cluster:shop-east',
      'arn:aws:rds:us-west-2:111122223333:cluster:shop-west',
    ]);
    expect(resourcesFor('rds:PromoteReadReplica')).toEqual([
      'arn:aws:rds:us-east-1:111122223333:db:api-east',
      'arn:aws:rds:us-west-2:111122223333:db:api-west',
    ]);
    expect(resourcesFor('sns:Publish')).toEqual(['arn:aws:sns:us-east-2:111122223333:pagers']);
  });

  test('write to tables that a plan makes, and only read those that it copies', () => {
    const source = 'arn:aws:dynamodb:us-east-1:111122223333:table/orders';
    const made = 'arn:aws:dynamodb:us-west-2:111122223333:table/orders-2';
    expect(resourcesFor('dynamodb:BatchWriteItem')).toEqual([made]);
    expect(resourcesFor('dynamodb:CreateTable')).toEqual([made]);
    expect(resourcesFor('dynamodb:Scan')).toEqual([source, made]);
    expect(resourcesFor('dynamodb:PutItem')).not.toContain(source);
  });

  test('move the floor of ECS services only, and touch one tag', () => {
    expect(conditionsOf('application-autoscaling:RegisterScalableTarget')).toEqual({
      StringEquals: {
        'application-autoscaling:service-namespace': 'ecs',
        'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
      },
    });
    expect(conditionsOf('application-autoscaling:TagResource')).toEqual({
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['tripoint:minimum-before'] },
      Null: { 'aws:TagKeys': 'false' },
    });
  });

  test('hold no wildcard without a reason', () => {
    const wildcards = STATEMENTS.flatMap(({ resources }) => resources).filter((resource) =>
      resource.includes('*'),
    );
    expect(wildcards.length).toBeGreaterThan(3);
    const explained = wildcardAcknowledgements(STATEMENTS).map(({ id }) => id);
    const unexplained = wildcards.filter(
      (resource) => !explained.some((id) => id.includes(`[Resource::${resource}]`)),
    );
    expect(unexplained).toEqual([]);
    const careless = new PolicyStatement({ actions: ['rds:*'], resources: ['arn:aws:rds:*'] });
    expect(wildcardAcknowledgements([careless])).toEqual([]);
  });

  test('are explained, each action, in the deployment guide', () => {
    const guide = readText('docs/operating/deploy.md') ?? '';
    expect([...actionsSent()].filter((action) => !guide.includes(`\`${action}\``))).toEqual([]);
  });

  test('are none where the file names nothing to act on', () => {
    expect(actionStatements(committedSettings())).toEqual([]);
  });
});
