/**
 * What AWS says of the plans of a service, without changing anything: a dry run of each function, a
 * look at each topic and table, whether the keys of webhooks are set, and whether the quotas of the
 * standby's region are those of the region that serves.
 *
 * Every question goes to the region that a run would ask, with the rights that a run would have: what is
 * refused here would be refused there.
 */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetTopicAttributesCommand } from '@aws-sdk/client-sns';
import type { ReadinessPort } from '../../control/readiness-port.ts';
import type { ActionRefused, ActionUnknown } from '../../recovery/action-ports.ts';
import type { NotificationTarget, StepAction } from '../../recovery/plan.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import type { Finding } from '../../recovery/readiness.ts';
import { finding, unread } from '../../recovery/readiness-facts.ts';
import type { ActionClients } from '../actions/clients.ts';
import { classifyReadFailure } from '../actions/errors.ts';
import { type QuotaClients, quotaFindings } from './quotas.ts';

export interface ReadinessOptions {
  readonly clients: Pick<ActionClients, 'functions' | 'topics' | 'tables'>;
  readonly quotas: QuotaClients;
  /** null = there is no such secret. */
  readonly secretOf: (name: string) => string | null;
}

export function createReadinessPort(options: ReadinessOptions): ReadinessPort {
  return {
    check: async (policy) => {
      const questions = [...questionsOf(policy, options)];
      const answers = await Promise.all(questions.map((ask) => ask()));
      return [
        ...answers.flat(),
        ...missingSecrets(policy, options),
        ...(await quotaFindings(policy, options.quotas)),
      ];
    },
  };
}

type Question = () => Promise<readonly Finding[]>;

function questionsOf(policy: ServicePolicy, { clients }: ReadinessOptions): readonly Question[] {
  const actions = actionsOf(policy);
  const topics = targetsOf(policy).flatMap((target) => (target.kind === 'sns' ? [target] : []));
  return [
    ...actions.flatMap((action) =>
      action.kind === 'lambda' ? [() => dryRun(clients, action)] : [],
    ),
    ...actions.flatMap((action) =>
      action.kind === 'snapshot' || action.kind === 'restore'
        ? [() => lookAtTable(clients, action.source)]
        : [],
    ),
    ...topics.map(
      ({ topicArn }) =>
        () =>
          lookAtTopic(clients, topicArn),
    ),
  ];
}

/** Every step of the owner's plans, and what takes it back. */
function actionsOf({ plans }: ServicePolicy): readonly StepAction[] {
  return [plans.failover, plans.failback].flatMap((plan) =>
    (plan?.stages ?? [])
      .flat()
      .flatMap(({ action, undo }) => (undo === null ? [action] : [action, undo])),
  );
}

function targetsOf(policy: ServicePolicy): readonly NotificationTarget[] {
  const told = actionsOf(policy).flatMap((action) =>
    action.kind === 'notify' ? [action.target] : [],
  );
  return [...policy.notify, ...told];
}

type Clients = ReadinessOptions['clients'];

function dryRun(
  { functions }: Clients,
  { functionName, region }: Extract<StepAction, { kind: 'lambda' }>,
): Promise<readonly Finding[]> {
  const subject = `function ${functionName} in ${region}`;
  const command = new InvokeCommand({ FunctionName: functionName, InvocationType: 'DryRun' });
  return asked(subject, () => functions(region).send(command));
}

function lookAtTable(
  { tables }: Clients,
  { region, table }: { readonly region: string; readonly table: string },
): Promise<readonly Finding[]> {
  const command = new DescribeTableCommand({ TableName: table });
  return asked(`table ${table} in ${region}`, () => tables(region).send(command));
}

function lookAtTopic({ topics }: Clients, topicArn: string): Promise<readonly Finding[]> {
  const [, , , region = ''] = topicArn.split(':');
  const command = new GetTopicAttributesCommand({ TopicArn: topicArn });
  return asked(`topic ${topicArn}`, () => topics(region).send(command));
}

async function asked(subject: string, ask: () => Promise<unknown>): Promise<readonly Finding[]> {
  try {
    await ask();
    return [];
  } catch (thrown) {
    const failure: ActionRefused | ActionUnknown = classifyReadFailure(thrown, subject);
    return [unread(subject, failure)];
  }
}

function missingSecrets(policy: ServicePolicy, { secretOf }: ReadinessOptions): readonly Finding[] {
  const receivers = [...actionsOf(policy), ...targetsOf(policy)];
  const names = receivers.flatMap((receiver) =>
    receiver.kind === 'webhook' && receiver.secretName !== null ? [receiver.secretName] : [],
  );
  const missing = [...new Set(names)].filter((name) => secretOf(name) === null);
  const fix = 'put it where the control regions are told to read it, and deploy again';
  return missing.map((name) =>
    finding(['secret-missing', 'failing'], name, 'the key of a webhook is not set', fix),
  );
}
