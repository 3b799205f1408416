/**
 * The action ports on a world in memory: capacity that takes time to grow, databases that take time to
 * move, receivers that answer what they are told to, tables as lists of items.
 *
 * What it must have in common with `lib/aws/actions` is held by the contract suites: a repeat finds
 * its work done and does nothing, nothing is ever made smaller unasked, nothing is overwritten.
 * Everything that happened stands in `effects`, once for each real change.
 */
import type { Clock } from '../base/clock.ts';
import type { JsonValue } from '../base/json.ts';
import {
  type ActionContext,
  type ActionOutcome,
  type ActionPorts,
  type ActionRefusal,
  actionToken,
  type Capacity,
  type CapacityReading,
  type DatabaseReading,
  type Promotion,
  type ScaleRequest,
} from '../recovery/action-ports.ts';
import type {
  DatabasePolicy,
  NotificationTarget,
  ScalableResource,
  TableReference,
} from '../recovery/plan.ts';

export interface MemoryActionsOptions {
  readonly clock: Pick<Clock, 'monotonicNow'>;
  /** From a change of capacity until it is ready. */
  readonly growMs: number;
  /** From a promotion until its database has moved. */
  readonly moveMs: number;
}

export interface ActionEffect {
  readonly kind: 'scale' | 'promote' | 'lambda' | 'webhook' | 'notify' | 'snapshot' | 'restore';
  readonly subject: string;
  readonly token: string;
  readonly detail: JsonValue;
}

interface MemoryCapacity {
  desired: number;
  readyBefore: number;
  readyAt: number;
  readonly max: number | null;
}

interface MemoryDatabase {
  writer: string;
  writerBefore: string;
  movedAt: number;
}

const REFUSED_ABSENT = 'resource-absent';

export class MemoryActions {
  readonly effects: ActionEffect[] = [];
  readonly ports: ActionPorts = {
    scale: {
      read: async (resource) => this.#readCapacity(resource),
      set: async (request) => this.#scale(request),
    },
    database: {
      read: async (database) => this.#readDatabase(database),
      promote: async (database, promotion) => this.#promote(database, promotion),
    },
    invoke: {
      lambda: async ({ region, functionName }, context) =>
        this.#call('lambda', `${region}/${functionName}`, context),
      webhook: async ({ url }, context) => this.#call('webhook', url, context),
    },
    notify: {
      notify: async (target, { sentence }, token) =>
        this.#once({ kind: 'notify', subject: notifiedSubject(target), token, detail: sentence }),
    },
    tables: {
      snapshot: async (source, token) => this.#snapshot(source, token),
      restore: async (source, into, token) => this.#restore({ source, into, token }),
    },
  };
  readonly #options: MemoryActionsOptions;
  readonly #capacities = new Map<string, MemoryCapacity>();
  readonly #databases = new Map<string, MemoryDatabase>();
  readonly #tables = new Map<string, readonly JsonValue[]>();
  readonly #copies = new Map<string, readonly JsonValue[]>();
  readonly #answers = new Map<string, ActionOutcome>();
  /** Calls with an effect of their own, by kind, subject and token: a receiver that heeds the token. */
  readonly #taken = new Map<string, ActionOutcome>();

  constructor(options: MemoryActionsOptions) {
    this.#options = options;
  }

  /** A resource with so many units, all ready. */
  addCapacity(resource: ScalableResource, desired: number, max: number | null = null): void {
    const readyAt = this.#now();
    this.#capacities.set(subjectOf(resource), { desired, readyBefore: desired, readyAt, max });
  }

  addDatabase(database: DatabasePolicy, writer: string): void {
    const movedAt = this.#now();
    this.#databases.set(databaseSubject(database), { writer, writerBefore: writer, movedAt });
  }

  addTable(table: TableReference, items: readonly JsonValue[]): void {
    this.#tables.set(tableSubject(table), items);
  }

  itemsOf(table: TableReference): readonly JsonValue[] | null {
    return this.#tables.get(tableSubject(table)) ?? null;
  }

  /** What a receiver (URL, `region/function`, topic) answers from now on; null = takes everything. */
  answerWith(receiver: string, outcome: ActionOutcome | null): void {
    if (outcome === null) {
      this.#answers.delete(receiver);
    } else {
      this.#answers.set(receiver, outcome);
    }
  }

  #now(): number {
    return this.#options.clock.monotonicNow();
  }

  #readCapacity(resource: ScalableResource): CapacityReading {
    const found = this.#capacities.get(subjectOf(resource));
    return found === undefined
      ? refused(REFUSED_ABSENT, `there is no ${subjectOf(resource)}`)
      : { kind: 'read', capacity: this.#capacityNow(found) };
  }

  #capacityNow({ desired, readyBefore, readyAt, max }: MemoryCapacity): Capacity {
    return { desired, ready: this.#now() >= readyAt ? desired : readyBefore, max };
  }

  #scale({ resource, desired, mayLower, token }: ScaleRequest): ActionOutcome {
    const subject = subjectOf(resource);
    const found = this.#capacities.get(subject);
    if (found === undefined) {
      return refused(REFUSED_ABSENT, `there is no ${subject}`);
    }
    if (found.max !== null && desired > found.max) {
      return refused('capacity-over-max', `${subject} may have ${found.max} at most`);
    }
    const isChange = mayLower ? found.desired !== desired : found.desired < desired;
    if (isChange) {
      found.readyBefore = this.#capacityNow(found).ready;
      found.desired = desired;
      found.readyAt = this.#now() + this.#options.growMs;
      this.effects.push({ kind: 'scale', subject, token, detail: desired });
    }
    const { ready } = this.#capacityNow(found);
    const evidence = { resource: subject, desired: found.desired, ready };
    if (ready < found.desired) {
      return { kind: 'pending', code: 'capacity-growing', evidence };
    }
    return { kind: 'done', evidence };
  }

  #readDatabase(database: DatabasePolicy): DatabaseReading {
    const found = this.#databases.get(databaseSubject(database));
    if (found === undefined) {
      return refused(REFUSED_ABSENT, `there is no ${databaseSubject(database)}`);
    }
    const isMoving = this.#now() < found.movedAt;
    const writer = isMoving ? found.writerBefore : found.writer;
    const members = Object.keys(database.members).map((site) => [
      site,
      { isWriter: site === writer, status: isMoving ? 'moving' : 'available' },
    ]);
    return { kind: 'read', members: Object.fromEntries(members) };
  }

  #promote(database: DatabasePolicy, { to, token }: Promotion): ActionOutcome {
    const subject = databaseSubject(database);
    const found = this.#databases.get(subject);
    if (found === undefined || database.members[to] === undefined) {
      const code = found === undefined ? REFUSED_ABSENT : 'not-a-member';
      return refused(code, `${to} has no member of ${subject}`);
    }
    if (found.writer !== to) {
      found.writerBefore = found.writer;
      found.writer = to;
      found.movedAt = this.#now() + this.#options.moveMs;
      this.effects.push({ kind: 'promote', subject, token, detail: to });
    }
    const evidence = { database: subject, writer: to };
    return this.#now() < found.movedAt
      ? { kind: 'pending', code: 'database-moving', evidence }
      : { kind: 'done', evidence };
  }

  #call(kind: 'lambda' | 'webhook', receiver: string, context: ActionContext): ActionOutcome {
    return this.#once({
      kind,
      subject: receiver,
      token: actionToken(context),
      detail: { epoch: context.epoch, mode: context.mode, from: context.from, to: context.to },
    });
  }

  #once(effect: ActionEffect): ActionOutcome {
    const told = this.#answers.get(effect.subject);
    if (told !== undefined) {
      return told;
    }
    const key = `${effect.kind} ${effect.subject} ${effect.token}`;
    const taken = this.#taken.get(key);
    if (taken !== undefined) {
      return taken;
    }
    const outcome: ActionOutcome = { kind: 'done', evidence: { receiver: effect.subject } };
    this.#taken.set(key, outcome);
    this.effects.push(effect);
    return outcome;
  }

  #snapshot(source: TableReference, token: string): ActionOutcome {
    const subject = tableSubject(source);
    const items = this.#tables.get(subject);
    if (items === undefined) {
      return refused(REFUSED_ABSENT, `there is no ${subject}`);
    }
    if (!this.#taken.has(`snapshot ${subject} ${token}`)) {
      this.#copies.set(subject, items);
    }
    return this.#once({ kind: 'snapshot', subject, token, detail: items.length });
  }

  #restore(request: {
    readonly source: TableReference;
    readonly into: TableReference;
    readonly token: string;
  }): ActionOutcome {
    const subject = tableSubject(request.into);
    const copy = this.#copies.get(tableSubject(request.source));
    const standing = this.#tables.get(subject);
    if (copy === undefined) {
      return refused('copy-absent', `no copy of ${tableSubject(request.source)}`);
    }
    const effect = { kind: 'restore', subject, token: request.token } as const;
    const isOurs = this.#taken.has(`restore ${subject} ${request.token}`);
    if (standing !== undefined && standing.length > 0 && !isOurs) {
      return refused('table-has-items', `${subject} has ${standing.length} items`);
    }
    this.#tables.set(subject, copy);
    return this.#once({ ...effect, detail: copy.length });
  }
}

function refused(code: ActionRefusal, detail: string): ActionOutcome & { kind: 'refused' } {
  return { kind: 'refused', code, detail };
}

/** One text for each resource. */
function subjectOf(resource: ScalableResource): string {
  switch (resource.kind) {
    case 'auto-scaling-group':
      return `${resource.region}/${resource.group}`;
    case 'ecs-service':
      return `${resource.region}/${resource.cluster}/${resource.service}`;
    case 'lambda-concurrency':
      return `${resource.region}/${resource.functionName}:${resource.qualifier}`;
    case 'hook':
      return resource.url;
  }
}

function databaseSubject(database: DatabasePolicy): string {
  return database.kind === 'aurora-global'
    ? database.globalCluster
    : Object.values(database.members)
        .map(({ region, instance }) => `${region}/${instance}`)
        .join(' ');
}

function notifiedSubject(target: NotificationTarget): string {
  return target.kind === 'sns' ? target.topicArn : target.url;
}

function tableSubject({ region, table }: TableReference): string {
  return `${region}/${table}`;
}
