/** What the plans of a configuration act on beside DNS, as it stands before anything has gone wrong. */
import type { JsonValue } from '../../base/json.ts';
import type { TableReference } from '../../recovery/plan.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import type { MemoryActions } from '../memory-actions.ts';

const TABLE_ITEMS: readonly JsonValue[] = Array.from({ length: 100 }, (_, item) => ({ item }));

/** Full size at the primary, the size of a standby elsewhere; writers at the primary; tables with items. */
export function addResources(actions: MemoryActions, policies: readonly ServicePolicy[]): void {
  for (const policy of policies) {
    for (const { site, capacity } of policy.sites) {
      if (capacity !== null) {
        const { resource, serving, standby } = capacity;
        actions.addCapacity(resource, site === policy.primary ? serving : standby);
      }
    }
    if (policy.database !== null) {
      actions.addDatabase(policy.database, policy.primary);
    }
    for (const table of tablesOf(policy)) {
      actions.addTable(table, TABLE_ITEMS);
    }
  }
}

/** Tables that the plans copy. */
function tablesOf({ plans }: ServicePolicy): readonly TableReference[] {
  return [plans.failover, plans.failback]
    .flatMap((plan) => plan?.stages.flat() ?? [])
    .flatMap(({ action }) =>
      action.kind === 'snapshot' || action.kind === 'restore' ? [action.source] : [],
    );
}
