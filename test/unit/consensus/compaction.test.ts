/** How registers stay small, and how nobody loses anything by it. */
import { describe, expect, test } from 'vitest';
import { logIndex } from '../../../lib/base/identifiers.ts';
import { decodeReplica } from '../../../lib/consensus/replica.ts';
import {
  A,
  B,
  bodiesOf,
  C,
  createRegisters,
  type Process,
  portOf,
  propose,
  settle,
  takeLead,
} from './processes.ts';

const LIMITS = { tailEntriesMax: 6, entriesKept: 2 };
const ALL = logIndex(1_000_000);

async function filled(count = 8) {
  const registers = await createRegisters({ limits: LIMITS });
  const process = registers.process(A);
  await takeLead(process);
  await proposeMany(process, count);
  return { registers, process };
}

async function proposeMany(process: Process, count: number, prefix = 'c'): Promise<void> {
  for (let place = 0; place < count; place += 1) {
    await propose(process, `${prefix}${place}`);
  }
  await settle();
}

describe('compaction', () => {
  test('stores the snapshot first, and moves the base when some entries have followed', async () => {
    const { registers, process } = await filled();
    await process.compactor.tick(ALL);
    const applied = process.host.replica.applied;
    expect(registers.storeAt(A).readSnapshot(applied)).not.toBeNull();
    expect(registers.serverAt(A).base.index).toBe(0);
    await process.compactor.tick(ALL);
    expect(registers.serverAt(A).base.index).toBe(0);
    await proposeMany(process, LIMITS.entriesKept, 'd');
    await process.compactor.tick(ALL);
    expect(registers.serverAt(A).base).toEqual(applied);
    expect(bodiesOf(registers.serverAt(A))).toEqual(['d0', 'd1']);
  });

  test('leaves a small register alone', async () => {
    const { process } = await filled(3);
    await process.compactor.tick(ALL);
    expect(portOf(process, A).calls.writeSnapshot).toBe(0);
  });

  test('gives up no entry that is not archived', async () => {
    const { registers, process } = await filled();
    await process.compactor.tick(logIndex(5));
    await proposeMany(process, 4, 'd');
    await process.compactor.tick(logIndex(5));
    expect(registers.serverAt(A).base.index).toBe(0);
    expect(process.compactor.awaitedIndex).toBe(9);
    await process.compactor.tick(process.compactor.awaitedIndex);
    expect(registers.serverAt(A).base.index).toBe(9);
  });

  test('moves no base to a snapshot that may not be stored', async () => {
    const { registers, process } = await filled();
    portOf(process, A).plan('writeSnapshot', 'lost-request');
    await process.compactor.tick(ALL);
    await proposeMany(process, 4, 'd');
    await process.compactor.tick(ALL);
    expect(registers.serverAt(A).base.index).toBe(0);
  });

  test('keeps the snapshot before the last, which somebody may be loading', async () => {
    const { registers, process } = await filled();
    const bases = [];
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await process.compactor.tick(ALL);
      await proposeMany(process, 8, `r${rounds}-`);
      await process.compactor.tick(ALL);
      bases.push(registers.serverAt(A).base);
    }
    const stored = bases.map((base) => registers.storeAt(A).readSnapshot(base) !== null);
    expect(stored).toEqual([false, true, true]);
  });

  test('waits while the register lags behind the replica', async () => {
    const { registers, process } = await filled();
    const lagging = registers.process(B);
    await lagging.host.confirmLeadership();
    for (const port of process.ports.values()) {
      port.isDown = false;
    }
    portOf(process, B).isDown = true;
    await proposeMany(process, 3, 'd');
    // B's replica reads on at the leader; its own register holds nothing of it.
    await lagging.host.follow(process.host.commit);
    await lagging.cluster.clients.get(B)?.refresh();
    expect(lagging.host.replica.applied.index).toBe(12);
    await lagging.compactor.tick(ALL);
    expect(portOf(lagging, B).calls.writeSnapshot).toBe(0);
  });

  test('ends without harm wherever the process stops', async () => {
    const { registers, process } = await filled();
    await process.compactor.tick(ALL);
    // It dies here: the next process begins anew, at the place where it finds the log.
    const next = registers.process(A);
    await next.host.confirmLeadership();
    await next.compactor.tick(ALL);
    await proposeMany(next, 4, 'd');
    await next.compactor.tick(ALL);
    const { base } = registers.serverAt(A);
    expect(base.index).toBe(9);
    const text = registers.storeAt(A).readSnapshot(base) ?? '';
    expect(decodeReplica(text).applied).toEqual(base);
  });
});

test('a region that was away comes back over a snapshot, equal to the others', async () => {
  const { registers, process } = await filled(2);
  const away = registers.process(C);
  await away.host.follow(process.host.commit);
  portOf(process, C).isDown = true;
  for (let rounds = 0; rounds < 3; rounds += 1) {
    await proposeMany(process, 8, `r${rounds}-`);
    await process.compactor.tick(ALL);
  }
  await proposeMany(process, 3, 'e');
  await process.compactor.tick(ALL);
  expect(registers.serverAt(A).base.index).toBeGreaterThan(registers.serverAt(C).entries.length);
  portOf(process, C).isDown = false;
  await propose(process, 'last');
  await settle();
  await away.host.follow(process.host.commit);
  expect(away.host.replica.chain).toBe(process.host.replica.chain);
  expect(registers.serverAt(C)).toMatchObject({ base: registers.serverAt(A).base });
});
