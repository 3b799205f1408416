/**
 * The register port on one DynamoDB table: AWS, DynamoDB Local, or the embedded store.
 *
 * A compare-and-set is one conditional PutItem of the whole item. Its condition has named parts:
 *
 *   creation:  the item is absent
 *   change:    revision = expected  AND  cluster, region, founders and incarnation are ours
 *
 * The revision alone orders all writes: it rises by one with each, so a request can be applied at
 * most once, and a write that was held up on its way meets a higher revision and fails. The identity
 * is in the condition too, so that not even a register that took our item's place is overwritten;
 * what the condition refuses comes back and is examined, and a stranger's register halts the caller.
 */
import { invariant } from '../../base/invariant.ts';
import {
  requireNotRolledBack,
  requireSameIdentity,
  type Seen,
} from '../../consensus/register-guard.ts';
import type {
  Beat,
  BeatRead,
  Copy,
  RegisterPort,
  RegisterRead,
  RegisterWrite,
  Revision,
} from '../../consensus/register-port.ts';
import {
  type ClusterIdentity,
  checkServer,
  type Identity,
  type Server,
} from '../../consensus/server.ts';
import { type Item, integerValue, itemBytes, keyItem } from './attributes.ts';
import type { DynamoClient } from './client.ts';
import { all, type Condition, either, isAbsent, isAtMost, isEqual } from './conditions.ts';
import { REGISTER_BYTES_MAX } from './limits.ts';
import {
  beatKey,
  decodeBeat,
  decodeRegister,
  encodeBeat,
  encodeIdentity,
  encodeRegister,
  registerKey,
} from './mapping.ts';
import { compareAndPut, getItem, putItem, type Table } from './requests.ts';
import { dropSnapshotsBelow, readSnapshot, writeSnapshot } from './snapshot-items.ts';

export interface RegisterStoreOptions {
  readonly client: DynamoClient;
  readonly tableName: string;
  /** Whose register this must be; anything else found in its place halts. */
  readonly identity: ClusterIdentity;
  /** Raft group: lower-case letters, digits and dashes. One group needs no name. */
  readonly group?: string;
}

interface Register {
  readonly table: Table;
  readonly identity: ClusterIdentity;
  readonly group: string;
}

/**
 * @example
 * const register = createRegisterStore({ client, tableName: TABLES.consensus, identity });
 * const outcome = await register.compareAndSet(0, emptyServer);
 */
export function createRegisterStore(options: RegisterStoreOptions): RegisterPort {
  const group = options.group ?? 'main';
  invariant(/^[a-z0-9][a-z0-9-]{0,62}$/.test(group), 'register-group-malformed', { group });
  const table: Table = { client: options.client, tableName: options.tableName };
  const register: Register = { table, identity: options.identity, group };
  const snapshots = { table, group };
  return {
    region: options.identity.region,
    read: () => read(register),
    compareAndSet: (expected, server) => compareAndSet(register, expected, server),
    readBeat: () => readBeat(register),
    writeBeat: (beat) => writeBeat(register, beat),
    readSnapshot: (base) => readSnapshot(snapshots, base),
    writeSnapshot: (base, text) => writeSnapshot(snapshots, base, text),
    dropSnapshotsBelow: (index) => dropSnapshotsBelow(snapshots, index),
  };
}

async function read(register: Register): Promise<RegisterRead> {
  const outcome = await getItem(register.table, registerKey(register.group));
  return outcome.kind === 'found'
    ? { kind: 'found', copy: ownCopy(register, outcome.item) }
    : outcome;
}

async function compareAndSet(
  register: Register,
  expected: Revision,
  server: Server,
): Promise<RegisterWrite> {
  invariant(Number.isSafeInteger(expected) && expected >= 0, 'revision-malformed', { expected });
  requireSameIdentity(register.identity, server.identity);
  checkServer(server);
  const key = registerKey(register.group);
  const item = encodeRegister(expected + 1, server);
  const bytes = itemBytes({ ...keyItem(key), ...item });
  if (bytes > REGISTER_BYTES_MAX) {
    const cause = `the register would take ${bytes} bytes of ${REGISTER_BYTES_MAX}`;
    return { kind: 'refused', code: 'too-large', cause };
  }
  const condition = expected === 0 ? isAbsent() : isUnchanged(server.identity, expected);
  const outcome = await compareAndPut(register.table, key, { item, condition });
  const seen = { revision: expected, incarnation: server.identity.incarnation };
  return outcome.kind === 'conflict' ? conflict(register, seen, outcome.item) : outcome;
}

function isUnchanged(identity: Identity, revision: Revision): Condition {
  const { cluster, region, founders, incarnation } = encodeIdentity(identity);
  return all(
    isEqual('revision', integerValue(revision)),
    isEqual('cluster', cluster),
    isEqual('region', region),
    isEqual('founders', founders),
    isEqual('incarnation', incarnation),
  );
}

function conflict(register: Register, seen: Seen, item: Item | null): RegisterWrite {
  if (item === null) {
    return { kind: 'conflict', copy: null };
  }
  const copy = ownCopy(register, item);
  requireNotRolledBack(seen, copy);
  return { kind: 'conflict', copy };
}

function ownCopy(register: Register, item: Item): Copy {
  const copy = decodeRegister(item);
  requireSameIdentity(register.identity, copy.server.identity);
  return copy;
}

async function readBeat(register: Register): Promise<BeatRead> {
  const outcome = await getItem(register.table, beatKey(register.group));
  return outcome.kind === 'found' ? { kind: 'found', beat: decodeBeat(outcome.item) } : outcome;
}

async function writeBeat(register: Register, beat: Beat): Promise<boolean> {
  const item = { ...keyItem(beatKey(register.group)), ...encodeBeat(beat) };
  const noHigherTerm = either(isAbsent(), isAtMost('term', integerValue(beat.term)));
  const outcome = await putItem(register.table, item, noHigherTerm);
  return outcome.kind === 'applied';
}
