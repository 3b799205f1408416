import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { addRegionalStack, addStacks, type TripointStacks } from '../../../infra/app.ts';
import { parseLambdaSettings } from '../../../lib/config/environment.ts';
import { ENVIRONMENT } from '../../../lib/config/names.ts';
import {
  committedSettings,
  resourcesOf,
  type TemplateJson,
  templateJson,
  testApp,
} from '../../support/infra.ts';

const SETTINGS = committedSettings();
const REGIONS = SETTINGS.regions;

let stacks: TripointStacks;
let template: Template;
let json: TemplateJson;

beforeAll(() => {
  stacks = addStacks(testApp(), SETTINGS);
  template = Template.fromStack(regional('us-east-1'));
  json = template.toJSON() as TemplateJson;
});

function regional(region: string) {
  const stack = stacks.regional.get(region);
  if (stack === undefined) {
    throw new Error(`no stack for ${region}`);
  }
  return stack;
}

/** The template with its region's name taken out wherever it is this stack's own. */
function anonymous(region: string): string {
  const bucket = (name: string) => `tripoint-111122223333-${name}`;
  return JSON.stringify(templateJson(regional(region)))
    .replaceAll(`${region}:111122223333:table/tripoint-health`, 'OWN:table/tripoint-health')
    .replaceAll(`"BucketName":"${bucket(region)}"`, '"BucketName":"OWN"')
    .replaceAll(`assets-111122223333-${region}`, 'assets-OWN')
    .replaceAll(`control region ${region}`, 'control region OWN')
    .replaceAll(
      `AllowInvoketripoint${region.replaceAll('-', '')}AlarmIntakeTopic`,
      'AllowInvokeOWNAlarmIntakeTopic',
    )
    .replaceAll(/AlarmIntakeTopic[0-9A-F]{16}/g, 'AlarmIntakeTopic');
}

describe('a region', () => {
  test('has two tables that are paid per request, and cannot be deleted by mistake', () => {
    for (const name of ['tripoint-consensus', 'tripoint-health']) {
      template.hasResource('AWS::DynamoDB::Table', {
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          DeletionProtectionEnabled: true,
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        },
      });
    }
    template.resourceCountIs('AWS::DynamoDB::Table', 2);
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 0);
  });

  test('keeps the history of its register, and none of the arrival windows', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'tripoint-consensus',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'tripoint-health',
      PointInTimeRecoverySpecification: Match.absent(),
    });
  });

  test('has a versioned, encrypted, private bucket that outlives the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        BucketName: 'tripoint-111122223333-us-east-1',
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: Match.objectLike({}),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      }),
    });
  });

  test('has four functions on Node 24 and ARM, each with its own role and log group', () => {
    const functions = resourcesOf(json, 'AWS::Lambda::Function');
    expect(functions.map(({ Properties }) => Properties['FunctionName'])).toEqual([
      'tripoint-api',
      'tripoint-controller',
      'tripoint-snapshot',
      'tripoint-alarm',
    ]);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(Properties['LoggingConfig']).toMatchObject({ LogGroup: expect.anything() });
    }
    expect(
      new Set(functions.map(({ Properties }) => JSON.stringify(Properties['Role']))).size,
    ).toBe(4);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });

  test('gives every function an environment that its parser accepts, and no variable beside', () => {
    for (const { Properties } of resourcesOf(json, 'AWS::Lambda::Function')) {
      const { Variables } = Properties['Environment'] as { Variables: Record<string, string> };
      expect(parseLambdaSettings({ ...Variables, AWS_REGION: 'us-east-1' })).toMatchObject({
        kind: 'valid',
        settings: { clusterId: 'tripoint', regions: REGIONS, operatorTokenHashes: [] },
      });
      const known = new Set<string>([...Object.values(ENVIRONMENT), 'NODE_OPTIONS']);
      expect(Object.keys(Variables).filter((name) => !known.has(name))).toEqual([]);
    }
  });

  test('runs one controller at a time, each minute, and does not repeat a tick', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'tripoint-controller',
      ReservedConcurrentExecutions: 1,
      Timeout: 90,
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      Name: 'tripoint-controller',
      ScheduleExpression: 'rate(1 minute)',
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^ControllerFunction') },
      MaximumEventAgeInSeconds: 60,
      MaximumRetryAttempts: 0,
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      Name: 'tripoint-snapshot',
      ScheduleExpression: 'rate(60 minutes)',
    });
  });

  test('opens the API with both permissions that a function URL needs', () => {
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunctionUrl',
      Principal: '*',
      FunctionUrlAuthType: 'NONE',
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      Principal: '*',
      InvokedViaFunctionUrl: true,
    });
    const open = resourcesOf(json, 'AWS::Lambda::Permission').filter(
      ({ Properties }) => Properties['Principal'] === '*',
    );
    expect(open).toHaveLength(2);
  });

  test('lets alarms publish to both topics, which a topic policy would otherwise forbid', () => {
    const policies = resourcesOf(json, 'AWS::SNS::TopicPolicy');
    expect(policies).toHaveLength(2);
    for (const { Properties } of policies) {
      expect(Properties['PolicyDocument']).toMatchObject({
        Statement: expect.arrayContaining([
          expect.objectContaining({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
          }),
        ]),
      });
    }
  });

  test('reserves nothing where the quota is too small for it', () => {
    const settings = committedSettings({ 'tripoint:reserveConcurrency': false });
    const stack = addRegionalStack(testApp(), settings, 'us-east-1');
    expect(JSON.stringify(templateJson(stack))).not.toContain('ReservedConcurrentExecutions');
  });

  test('leaves nothing behind when it is disposable', () => {
    const settings = committedSettings({ 'tripoint:disposable': true });
    const disposable = templateJson(addRegionalStack(testApp(), settings, 'us-east-1'));
    const kept = Object.values(disposable.Resources).filter(
      ({ DeletionPolicy }) => DeletionPolicy === 'Retain',
    );
    expect(kept).toEqual([]);
    expect(JSON.stringify(disposable)).not.toContain('"DeletionProtectionEnabled":true');
  });
});

describe('alarms of services', () => {
  test('hears alarms through a topic and a rule, and keeps what it could not bring into the log', () => {
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'sqs',
      RawMessageDelivery: true,
      RedrivePolicy: Match.objectLike({ deadLetterTargetArn: Match.anyValue() }),
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        detail: { alarmName: [{ prefix: 'tripoint/' }] },
      },
      Targets: [Match.objectLike({ DeadLetterConfig: { Arn: Match.anyValue() } })],
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'tripoint-service-alarms',
      VisibilityTimeout: 45,
      RedrivePolicy: Match.objectLike({ maxReceiveCount: 40 }),
    });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionName: { Ref: Match.stringLikeRegexp('^AlarmFunction') },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'tripoint-undelivered',
      SqsManagedSseEnabled: true,
    });
  });
});

describe('the regions', () => {
  test('are equal but for their names', () => {
    const [first = '', ...others] = REGIONS.map(anonymous);
    for (const other of others) {
      expect(JSON.parse(other)).toEqual(JSON.parse(first));
    }
  });

  test.each(['us-east-1', 'us-east-2', 'us-west-2'])(
    '%s is the same when it is synthesised alone, with the others absent',
    (region) => {
      const alone = addRegionalStack(testApp(), SETTINGS, region);
      expect(templateJson(alone)).toEqual(templateJson(regional(region)));
    },
  );

  test('refer to no other stack in any way', () => {
    for (const region of REGIONS) {
      const text = JSON.stringify(templateJson(regional(region)));
      expect(text).not.toContain('Fn::ImportValue');
      expect(text).not.toContain('Fn::GetStackOutput');
      expect(text).not.toContain('"Export"');
      expect(text).not.toContain('Custom::Cross');
      expect(regional(region).dependencies).toEqual([]);
    }
  });
});

describe('a region that switches by dynamic updates', () => {
  test('gives the keys of name servers and webhooks, and the rights to act, to the controller alone', () => {
    const change = {
      'tripoint:hostedZoneId': '',
      'tripoint:dataPlaneNames': {},
      'tripoint:dynamicDns': {
        server: '192.0.2.53',
        zone: 'example.com',
        keyName: 'tripoint',
        secretName: 'dns/key',
      },
    };
    const settings = committedSettings(change);
    const topic = 'arn:aws:sns:us-east-1:111122223333:pagers';
    const acted = { ...settings.acted, secretNames: ['PAGER_KEY'], topics: [topic] };
    const stack = addRegionalStack(testApp(), { ...settings, acted }, 'us-east-1');
    const own = templateJson(stack);
    const environments = resourcesOf(own, 'AWS::Lambda::Function').map(({ Properties }) => {
      const { Variables } = Properties['Environment'] as { Variables: Record<string, string> };
      return [Properties['FunctionName'], Variables] as const;
    });
    for (const [name, variables] of environments) {
      const isController = name === 'tripoint-controller';
      expect(variables[ENVIRONMENT.switch]).toBe(isController ? 'rfc2136' : 'none');
      const secret = isController
        ? '{{resolve:secretsmanager:dns/key:SecretString:::}}'
        : undefined;
      expect(variables[ENVIRONMENT.tsigSecret]).toBe(secret);
      const key = '{{resolve:secretsmanager:tripoint/PAGER_KEY:SecretString:::}}';
      expect(variables['PAGER_KEY']).toBe(isController ? key : undefined);
      const resolved = isController ? { [ENVIRONMENT.tsigSecret]: 'A'.repeat(44) } : {};
      const parsed = parseLambdaSettings({ ...variables, ...resolved, AWS_REGION: 'us-east-1' });
      expect(parsed).toMatchObject({ kind: 'valid' });
    }
    expect(JSON.stringify(own)).not.toContain('ChangeResourceRecordSets');
    const acting = Object.entries(own.Resources).filter(([, { Properties }]) =>
      JSON.stringify(Properties['PolicyDocument'] ?? '').includes(topic),
    );
    expect(acting.map(([id]) => id)).toEqual([expect.stringMatching(/^ControllerRole/)]);
  });
});
