/** The real action ports, pointed at the stand-in. */
import { createActionPorts } from '../../lib/aws/actions/action-ports.ts';
import { createActionClients } from '../../lib/aws/actions/clients.ts';
import type { SnapshotStore } from '../../lib/backup/snapshot-store.ts';
import type { Clock } from '../../lib/base/clock.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import type { ActionPorts } from '../../lib/recovery/action-ports.ts';

const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export function portsAt(
  url: string,
  options: {
    readonly tables?: (region: string) => string;
    readonly stores?: ReadonlyMap<string, SnapshotStore>;
    readonly secrets?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
  } = {},
): ActionPorts {
  const { tables = () => url, stores = new Map(), secrets = {}, clock = SYSTEM_CLOCK } = options;
  return createActionPorts({
    clients: createActionClients({
      tables: (region) => ({ endpoint: tables(region), credentials: CREDENTIALS }),
      others: () => ({ endpoint: url, credentials: CREDENTIALS }),
    }),
    stores,
    secretOf: (name) => secrets[name] ?? null,
    clock,
  });
}
