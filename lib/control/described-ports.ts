/**
 * The ports of a run, told apart: what reads goes through to the world, what changes is written down
 * and answered as if it had been done. So the effects themselves say what they would do, in the words
 * and the order in which they would do it, and nothing is done.
 *
 * What a described change made of the world is remembered, so that the step after it sees it: the
 * records of a switch, the size of a group.
 *
 * Invariant: no member that changes anything is ever called on the ports behind.
 */
import { epochMillis, monotonicMillis } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { urlOrigin } from '../base/url-origin.ts';
import type { ActionOutcome, ActionPorts, Capacity } from '../recovery/action-ports.ts';
import { canonicalName } from '../recovery/record-set.ts';
import type {
  Change,
  ReadOutcome,
  RecordSet,
  RoutingPort,
  SwitchPort,
  VerifyPort,
} from '../recovery/switch-port.ts';
import {
  capacityChanges,
  capacityReads,
  changes,
  type DescribedCall,
  databaseReads,
  PLAIN_SWITCH_CALLS,
  promotion,
  reads,
  recordLines,
  resourceText,
} from './described-calls.ts';
import type { EffectPorts } from './step-effects/step-work.ts';

export interface DescribedPorts {
  readonly ports: EffectPorts;
  /** What was described since the last call. */
  readonly take: () => readonly DescribedCall[];
  /** Lets the time of these ports pass. */
  readonly pass: (durationMs: number) => void;
  readonly now: () => number;
}

export type ReadablePorts = Pick<
  EffectPorts,
  'switchPort' | 'verifyPort' | 'routingPort' | 'actions'
>;

/** @param startedAt the time that is taken for now, milliseconds since 1970 */
export function describePorts(behind: ReadablePorts, startedAt: number): DescribedPorts {
  let told: DescribedCall[] = [];
  let passedMs = 0;
  const tell: Tell = (...calls) => {
    told.push(...calls);
  };
  const zone = describeZone(behind, tell);
  return {
    take: () => {
      const taken = told;
      told = [];
      return taken;
    },
    pass: (durationMs) => {
      passedMs += durationMs;
    },
    now: () => startedAt + passedMs,
    ports: {
      switchPort: zone.switchPort,
      verifyPort: zone.verifyPort,
      routingPort: behind.routingPort && describeRouting(behind.routingPort, tell),
      actions: describeActions(behind.actions, tell),
      store: {
        put: async (key) => {
          tell(changes('store:put', key));
          return { kind: 'stored' };
        },
        get: async () => ({ kind: 'absent' }),
        list: async () => ({ kind: 'listed', objects: [] }),
      },
      health: { read: async () => ({ kind: 'absent' }) },
      clock: {
        wallNow: () => epochMillis(startedAt + passedMs),
        monotonicNow: () => monotonicMillis(passedMs),
        sleep: async (durationMs) => {
          passedMs += durationMs;
        },
      },
      random: () => 0.5,
    },
  };
}

/** Answers as it does now: that it will turn is not for a description to say. A look each second is told once. */
function describeRouting(routingPort: RoutingPort, tell: Tell): RoutingPort {
  const told = new Set<string>();
  return {
    status: (service, type) => {
      const detail = `what health checks give clients of ${service}, ${type}`;
      if (!told.has(detail)) {
        told.add(detail);
        tell(reads('dns:resolve', detail));
      }
      return routingPort.status(service, type);
    },
  };
}

type Tell = (...calls: readonly DescribedCall[]) => void;

/** The zone as it would be: what was read, with the batches applied that were described. */
function describeZone(
  { switchPort, verifyPort }: ReadablePorts,
  tell: Tell,
): { readonly switchPort: SwitchPort; readonly verifyPort: VerifyPort } {
  const names = switchPort.calls ?? PLAIN_SWITCH_CALLS;
  const known = new Map<string, Extract<ReadOutcome, { kind: 'read' }>>();
  const sets = new Map<string, readonly RecordSet[]>();
  const read = async (wanted: readonly string[]): Promise<ReadOutcome> => {
    const key = wanted.map(canonicalName).join(' ');
    const standing = known.get(key) ?? (await switchPort.read(wanted));
    if (standing.kind !== 'read') {
      return standing;
    }
    known.set(key, standing);
    for (const name of wanted.map(canonicalName)) {
      const here = standing.recordSets.filter((set) => canonicalName(set.name) === name);
      sets.set(name, sets.get(name) ?? here);
    }
    const recordSets = wanted.flatMap((name) => sets.get(canonicalName(name)) ?? []);
    return { ...standing, recordSets };
  };
  return {
    switchPort: {
      ...(switchPort.sharing === undefined ? {} : { sharing: switchPort.sharing }),
      read: (wanted) => {
        tell(reads(names.read, wanted.join(', ')));
        return read(wanted);
      },
      change: async (batch, comment) => {
        tell({ ...changes(names.change, comment), records: recordLines(batch) });
        applyTo(sets, batch);
        return { kind: 'applied', changeId: 'described' };
      },
      changeStatus: async () => {
        tell(reads(names.status, 'until every name server has it'));
        return { kind: 'in-sync' };
      },
    },
    verifyPort: {
      resolve: async (name, type) => {
        tell(reads('dns:resolve', `${name} ${type}, of its own name servers`));
        const here = sets.get(canonicalName(name))?.filter((set) => set.type === type) ?? [];
        const values = here.flatMap((set) => set.values);
        return values.length === 0
          ? { kind: 'unknown', cause: 'nothing would stand there' }
          : { kind: 'resolved', values };
      },
      probe: (url) => {
        tell(reads('http:GET', url));
        return verifyPort.probe(url);
      },
    },
  };
}

function applyTo(sets: Map<string, readonly RecordSet[]>, batch: readonly Change[]): void {
  const identity = ({ type, weighted }: RecordSet) => `${type} ${weighted?.id ?? ''}`;
  for (const { action, recordSet } of batch) {
    const name = canonicalName(recordSet.name);
    const others = (sets.get(name) ?? []).filter((set) => identity(set) !== identity(recordSet));
    sets.set(name, action === 'DELETE' ? others : [...others, recordSet]);
  }
}

const DONE: ActionOutcome = { kind: 'done', evidence: { described: true } };

function describeActions(behind: ActionPorts, tell: Tell): ActionPorts {
  const sizes = new Map<string, Capacity>();
  return {
    scale: {
      read: async (resource) => {
        tell(...capacityReads(resource));
        const capacity = sizes.get(resourceText(resource));
        return capacity === undefined ? behind.scale.read(resource) : { kind: 'read', capacity };
      },
      set: async ({ resource, desired, mayLower }) => {
        tell(...capacityReads(resource));
        const key = resourceText(resource);
        const reading = await behind.scale.read(resource);
        const known = sizes.get(key) ?? (reading.kind === 'read' ? reading.capacity : null);
        const from = known?.desired ?? null;
        const to = mayLower ? desired : Math.max(desired, from ?? 0);
        tell(...(from === to ? [] : capacityChanges(resource, { from, to })));
        sizes.set(key, { desired: to, ready: to, max: known?.max ?? null });
        return DONE;
      },
    },
    database: {
      read: (database) => {
        tell(...databaseReads(database));
        return behind.database.read(database);
      },
      promote: async (database, { to, mode }) => {
        tell(...databaseReads(database), promotion(database, to, mode));
        return DONE;
      },
    },
    ...describeCalls(tell),
  };
}

function describeCalls(tell: Tell): Pick<ActionPorts, 'invoke' | 'notify' | 'tables'> {
  const done = async (call: DescribedCall) => {
    tell(call);
    return DONE;
  };
  return {
    invoke: {
      lambda: ({ functionName, region }) =>
        done(changes('lambda:Invoke', `${functionName} in ${region}`)),
      webhook: ({ url, secretName }) =>
        done(
          changes(
            'http:POST',
            secretName === null ? urlOrigin(url) : `${urlOrigin(url)}, signed by ${secretName}`,
          ),
        ),
    },
    notify: {
      notify: (target, { subject }) =>
        done(
          target.kind === 'sns'
            ? changes('sns:Publish', `${target.topicArn}: ${subject}`)
            : changes('http:POST', `${urlOrigin(target.url)}: ${subject}`),
        ),
    },
    tables: {
      snapshot: ({ region, table }) =>
        done(changes('dynamodb:Scan, store:put', `all items of ${table} in ${region}`)),
      restore: (source, into) =>
        done(
          changes(
            'store:get, dynamodb:CreateTable, dynamodb:BatchWriteItem',
            `the newest copy of ${source.table} into ${into.table} in ${into.region}`,
          ),
        ),
    },
  };
}

/**
 * The world as the log has it, for a process that has no ports to look with: an API function on AWS may
 * not even read the zone. What is printed then is what would be done if nothing differs.
 */
export function assumedPorts(assumed: {
  readonly recordSets: readonly RecordSet[];
  readonly sizes: { readonly [resource: string]: number };
  readonly writer: string;
}): ReadablePorts {
  const refuse = (): never => {
    throw new Error('a described port was asked to change something');
  };
  return {
    switchPort: {
      read: async (names) => {
        const wanted = new Set(names.map(canonicalName));
        const here = assumed.recordSets.filter(({ name }) => wanted.has(canonicalName(name)));
        return { kind: 'read', recordSets: here, foreign: [] };
      },
      change: refuse,
      changeStatus: refuse,
    },
    verifyPort: {
      resolve: refuse,
      probe: async () => ({ kind: 'serving', status: 200, elapsedMs: 0 }),
    },
    routingPort: { status: async () => ({ kind: 'unknown', cause: 'nobody looks' }) },
    actions: {
      scale: {
        read: async (resource) => {
          const size = ownValue(assumed.sizes, resourceText(resource)) ?? 0;
          return { kind: 'read', capacity: { desired: size, ready: size, max: null } };
        },
        set: refuse,
      },
      database: {
        read: async ({ members }) => ({
          kind: 'read',
          members: Object.fromEntries(
            Object.keys(members).map((site) => [
              site,
              { isWriter: site === assumed.writer, status: 'available' },
            ]),
          ),
        }),
        promote: refuse,
      },
      invoke: { lambda: refuse, webhook: refuse },
      notify: { notify: refuse },
      tables: { snapshot: refuse, restore: refuse },
    },
  };
}
