import { createReadinessPort } from '../../lib/aws/readiness/readiness-port.ts';
import { planned } from '../../lib/recovery/planned-step.ts';
import { servicePolicy } from '../support/service-states.ts';
import { readinessPortContract } from './readiness-port-contract.ts';

const POLICY = servicePolicy({
  notify: [{ kind: 'sns', topicArn: 'arn:aws:sns:us-east-1:111122223333:pager' }],
  plans: {
    failover: {
      stages: [
        [
          planned('warm', {
            kind: 'lambda',
            region: 'us-west-2',
            functionName: 'warm',
            payload: {},
          }),
        ],
        [planned('copy', { kind: 'snapshot', source: { region: 'us-east-1', table: 'carts' } })],
        [planned('switch', { kind: 'switch' })],
      ],
      onFailure: 'stop',
    },
    failback: null,
  },
});

const FAILURES = { silent: 'TimeoutError', empty: 'ResourceNotFoundException' } as const;

readinessPortContract('AWS', (provider) => {
  let changes = 0;
  const clients = () => ({
    send: async (command: { readonly input: object }) => {
      const { name } = command.constructor;
      const { input } = command;
      const isDryRun = 'InvocationType' in input && input.InvocationType === 'DryRun';
      changes += isDryRun || /^(Get|Describe)/.test(name) ? 0 : 1;
      if (provider !== 'sound') {
        const error = FAILURES[provider];
        throw Object.assign(new Error(error), { name: error });
      }
      return {};
    },
  });
  return {
    port: createReadinessPort({
      clients: { functions: clients, topics: clients, tables: clients } as never,
      quotas: clients as never,
      secretOf: () => 'x',
    }),
    policy: POLICY,
    changes: () => changes,
  };
});
