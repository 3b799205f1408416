/** The action ports over AWS, HTTP and the snapshot stores: which adapter does what. */
import type { SnapshotStore } from '../../backup/snapshot-store.ts';
import type { Clock } from '../../base/clock.ts';
import type { ActionPorts } from '../../recovery/action-ports.ts';
import { actionToken } from '../../recovery/action-ports.ts';
import type { ScalableResource } from '../../recovery/plan.ts';
import { promoteAurora, readAurora } from './aurora-global.ts';
import { autoScalingGroup } from './auto-scaling.ts';
import { type ScalableAdapter, scalePort } from './capacity.ts';
import { capacityHook } from './capacity-hook.ts';
import type { ActionClients } from './clients.ts';
import { ecsService } from './ecs-service.ts';
import { contextBody, invokeFunction } from './invoke.ts';
import { lambdaConcurrency } from './lambda-concurrency.ts';
import { TABLE_BUDGET_MS } from './limits.ts';
import { sendNotice } from './notice.ts';
import { promoteReplica, readReplicas } from './rds-replica.ts';
import { restoreTable } from './tables/restore.ts';
import { snapshotTable } from './tables/snapshot.ts';
import { postWebhook, type SecretOf } from './webhook.ts';

export interface ActionPortsOptions {
  readonly clients: ActionClients;
  /** Where copies of tables are kept, by region. */
  readonly stores: ReadonlyMap<string, SnapshotStore>;
  readonly secretOf: SecretOf;
  readonly clock: Clock;
}

export function createActionPorts(options: ActionPortsOptions): ActionPorts {
  const { clients, stores, secretOf, clock } = options;
  const tables = { clientOf: clients.tables, stores, clock, budgetMs: TABLE_BUDGET_MS };
  const webhooks = { secretOf, clock };
  const promotions = { clientOf: clients.databases, clock };
  return {
    scale: scalePort((resource) => adapterOf(clients, resource), clock),
    database: {
      read: (database) =>
        database.kind === 'aurora-global'
          ? readAurora(clients.databases, database)
          : readReplicas(clients.databases, database),
      promote: (database, promotion) =>
        database.kind === 'aurora-global'
          ? promoteAurora(promotions, database, promotion)
          : promoteReplica(promotions, database, promotion),
    },
    invoke: {
      lambda: (action, context) =>
        invokeFunction(clients.invocations(action.region), action, context),
      webhook: ({ url, secretName }, context) => {
        const token = actionToken(context);
        return postWebhook(webhooks, { url, secretName, token, body: contextBody(context) });
      },
    },
    notify: {
      notify: (target, notice, token) =>
        sendNotice({ ...webhooks, topicClient: clients.topics }, target, { notice, token }),
    },
    tables: {
      snapshot: (source, token) => snapshotTable(tables, source, token),
      restore: (source, into, token) => restoreTable(tables, { source, into, token }),
    },
  };
}

function adapterOf(clients: ActionClients, resource: ScalableResource): ScalableAdapter {
  switch (resource.kind) {
    case 'auto-scaling-group':
      return autoScalingGroup(clients.groups(resource.region), resource);
    case 'ecs-service':
      return ecsService(clients.services(resource.region), resource);
    case 'lambda-concurrency':
      return lambdaConcurrency(clients.functions(resource.region), resource);
    case 'hook':
      return capacityHook(resource.url);
  }
}
