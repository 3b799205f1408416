import { describe, expect, test } from 'vitest';
import type { PutOutcome, SnapshotStore } from '../../../lib/backup/snapshot-store.ts';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { decodeReplica, emptyReplica, type Replica } from '../../../lib/consensus/replica.ts';
import { createControlMachine } from '../../../lib/control/machine.ts';
import { StateSnapshots } from '../../../lib/control/state-snapshot.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { steadyStory } from '../../support/log-story.ts';
import { MemorySnapshotStore } from '../../support/memory-snapshot-store.ts';
import { OBSERVERS } from '../../support/service-states.ts';

function replicaAt(index: number): Replica<RecoveryState> {
  return {
    ...emptyReplica(createControlMachine(OBSERVERS)),
    applied: { index: logIndex(index), term: term(2) },
    state: steadyStory().state(),
  };
}

const answering = (outcome: PutOutcome): SnapshotStore => ({
  ...new MemorySnapshotStore().port,
  put: async () => outcome,
});
const away = answering({ kind: 'unknown', cause: 'away' });

describe('a snapshot of the state', () => {
  test('is stored here and elsewhere, under its place in the log, and can be read back', async () => {
    const [own, other] = [new MemorySnapshotStore(), new MemorySnapshotStore()];
    const outcome = await new StateSnapshots([own.port, other.port]).take(replicaAt(41));
    const key = 'state/0000000000000041.json';
    expect(outcome).toEqual({ kind: 'stored', key, copies: 2 });
    const text = other.text(key);
    expect(text).toBe(own.text(key));
    expect(decodeReplica(text)).toEqual(replicaAt(41));
  });

  test('is not stored twice for the same place, nor before the first entry', async () => {
    const store = new MemorySnapshotStore();
    const snapshots = new StateSnapshots([store.port]);
    expect(await snapshots.take(replicaAt(0))).toEqual({ kind: 'unchanged' });
    await snapshots.take(replicaAt(3));
    expect(await snapshots.take(replicaAt(3))).toEqual({ kind: 'unchanged' });
    expect(await snapshots.take(replicaAt(4))).toMatchObject({ kind: 'stored' });
    expect(store.keys()).toHaveLength(2);
  });

  test('that another region stored at the same place is the same copy', async () => {
    const store = new MemorySnapshotStore();
    await new StateSnapshots([store.port]).take(replicaAt(3));
    expect(await new StateSnapshots([store.port]).take(replicaAt(3))).toMatchObject({
      kind: 'stored',
      copies: 1,
    });
  });

  test('counts where one store took it, and fails where none did', async () => {
    const store = new MemorySnapshotStore();
    expect(await new StateSnapshots([away, store.port]).take(replicaAt(3))).toMatchObject({
      kind: 'stored',
      copies: 1,
    });
    const snapshots = new StateSnapshots([away, away]);
    expect(await snapshots.take(replicaAt(3))).toMatchObject({ kind: 'failed' });
    expect(await snapshots.take(replicaAt(3)), 'is tried again').toMatchObject({ kind: 'failed' });
  });

  test('is an alarm where another state stands at the same place of the log', async () => {
    const store = new MemorySnapshotStore();
    const stores = [store.port, answering({ kind: 'conflict' })];
    const outcome = await new StateSnapshots(stores).take(replicaAt(3));
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect(outcome.kind === 'failed' && outcome.detail).toContain('two regions disagree');
  });
});
