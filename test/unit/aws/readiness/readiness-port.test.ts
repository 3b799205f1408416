import { describe, expect, test } from 'vitest';
import { createReadinessPort } from '../../../../lib/aws/readiness/readiness-port.ts';
import type { CapacityPolicy } from '../../../../lib/recovery/plan.ts';
import { planned } from '../../../../lib/recovery/planned-step.ts';
import { EAST, servicePolicy, sitePolicy, WEST } from '../../../support/service-states.ts';

type Answer = (input: object) => object;

/** Clients that answer by region, and keep what they were asked. */
function world(answer: (region: string) => Answer) {
  const asked: object[] = [];
  const clients = (region: string) => ({
    send: async ({ input }: { readonly input: object }) => {
      asked.push(input);
      return answer(region)(input);
    },
  });
  const port = createReadinessPort({
    clients: { functions: clients, topics: clients, tables: clients } as never,
    quotas: clients as never,
    secretOf: (name) => (name === 'KNOWN' ? 'x' : null),
  });
  return { asked, port };
}

function failing(name: string, status: number): Answer {
  return () => {
    throw Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
  };
}

const GROUP = (region: string): CapacityPolicy => ({
  resource: { kind: 'auto-scaling-group', region, group: 'web' },
  serving: 6,
  standby: 1,
});
const TOPIC = 'arn:aws:sns:us-east-1:111122223333:pager';
const ACTING = servicePolicy({
  notify: [{ kind: 'sns', topicArn: TOPIC }],
  plans: {
    failover: {
      stages: [
        [planned('warm', { kind: 'lambda', region: WEST, functionName: 'warm', payload: {} })],
        [
          planned('hook', {
            kind: 'webhook',
            url: 'https://x.example.test/',
            secretName: 'ABSENT',
          }),
        ],
        [planned('copy', { kind: 'snapshot', source: { region: EAST, table: 'carts' } })],
        [planned('switch', { kind: 'switch' })],
      ],
      onFailure: 'stop',
    },
    failback: null,
  },
});

describe('what AWS says of a plan', () => {
  test('is asked for by dry runs and describe calls only', async () => {
    const { port, asked } = world(() => () => ({}));
    expect((await port.check(ACTING)).map(({ code }) => code)).toEqual(['secret-missing']);
    expect(asked).toEqual([
      { FunctionName: 'warm', InvocationType: 'DryRun' },
      { TableName: 'carts' },
      { TopicArn: TOPIC },
    ]);
  });

  test('tells a right that is missing from a resource that is', async () => {
    const { port } = world((region) =>
      region === WEST
        ? failing('AccessDeniedException', 403)
        : failing('ResourceNotFoundException', 400),
    );
    const found = (await port.check(ACTING)).map(({ code, severity, subject }) => [
      code,
      severity,
      subject,
    ]);
    expect(found).toEqual([
      ['permission-missing', 'failing', `function warm in ${WEST}`],
      ['resource-missing', 'failing', `table carts in ${EAST}`],
      ['resource-missing', 'failing', `topic ${TOPIC}`],
      ['secret-missing', 'failing', 'ABSENT'],
    ]);
  });

  test('calls nothing missing because an answer was lost', async () => {
    const { port } = world(() => failing('TimeoutError', 0));
    const severities = (await port.check(ACTING)).map(({ code, severity }) => [code, severity]);
    expect(severities.slice(0, 3)).toEqual(
      Array.from({ length: 3 }, () => ['resource-unreadable', 'warning']),
    );
  });

  test('warns of a quota that is smaller where the standby would grow', async () => {
    const policy = servicePolicy({
      sites: [
        sitePolicy(EAST, { capacity: GROUP(EAST) }),
        sitePolicy(WEST, { capacity: GROUP(WEST) }),
      ],
    });
    const quota = (region: string) => () => ({ Quota: { Value: region === EAST ? 640 : 32 } });
    const { port } = world(quota);
    expect(await port.check(policy)).toMatchObject([
      { code: 'quota-too-small', severity: 'warning', sentence: expect.stringContaining('32') },
    ]);
    const { port: equal } = world(() => () => ({ Quota: { Value: 640 } }));
    expect(await equal.check(policy)).toEqual([]);
  });
});
