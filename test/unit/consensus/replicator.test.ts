/** How followers are brought level, in the cases where two processes or two leaders are at it. */
import { describe, expect, test } from 'vitest';
import { logIndex, type RegionId, term } from '../../../lib/base/identifiers.ts';
import type { Message } from '../../../lib/consensus/messages.ts';
import { Replicator } from '../../../lib/consensus/replicator.ts';
import type { Server } from '../../../lib/consensus/server.ts';
import { LOCAL_TIMINGS } from '../../../lib/consensus/settings.ts';
import { gate } from './faulty-port.ts';
import {
  A,
  B,
  bodiesOf,
  C,
  createRegisters,
  D,
  E,
  idOf,
  type Process,
  portOf,
  propose,
  type Registers,
  settle,
  takeLead,
} from './processes.ts';

async function sendTo(process: Process, region: RegionId, message: Message): Promise<Server> {
  const answer = await process.cluster.clients.get(region)?.exchange(() => message);
  if (answer?.kind !== 'answered') {
    throw new Error(`${region} answered ${JSON.stringify(answer)}`);
  }
  return answer.server;
}

/** Makes a region lead by the votes of the others named, without replicating anything. */
async function makeLead(
  process: Process,
  candidate: RegionId,
  { voters, inTerm }: { voters: readonly RegionId[]; inTerm: number },
): Promise<Server> {
  const at = term(inTerm);
  const stood = await sendTo(process, candidate, { kind: 'campaign', term: at });
  const { index, term: lastTerm } = stood.entries.at(-1) ?? stood.base;
  const last = { index, term: lastTerm };
  for (const voter of voters) {
    await sendTo(process, voter, { kind: 'vote', term: at, candidate, last });
  }
  return sendTo(process, candidate, { kind: 'lead', term: at });
}

function append(process: Process, leader: Server, names: readonly string[]): Promise<Server> {
  return sendTo(process, leader.identity.region, {
    kind: 'propose',
    term: leader.term,
    commands: names.map((name) => ({ id: idOf(name), basis: logIndex(0), body: name })),
    commit: { index: logIndex(0), term: term(0) },
  });
}

test('a copy of an older leader changes nothing for whoever knows the newer one', async () => {
  const registers = await createRegisters();
  const process = registers.process(A);
  const old = await makeLead(process, A, { voters: [B], inTerm: 1 });
  const latest = await makeLead(process, B, { voters: [C], inTerm: 2 });
  const replicator = new Replicator(process.cluster);
  await replicator.advance(latest);
  expect(await replicator.advance(old)).toEqual({ kind: 'deposed' });
  expect(replicator.leader?.term).toBe(2);
  await settle();
});

describe('a follower', () => {
  test('that holds more than this copy of the leader is level, and is left alone', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const old = await takeLead(process);
    await propose(process, 'x');
    await settle();
    const late = registers.process(A);
    const replicator = new Replicator(late.cluster);
    expect(await replicator.advance(old)).toEqual({ kind: 'committed' });
    await settle();
    expect(replicator.isBehind(old)).toBe(false);
    const reads = portOf(late, B).calls.read + portOf(late, C).calls.read;
    await settle();
    expect(portOf(late, B).calls.read + portOf(late, C).calls.read).toBe(reads);
  });

  test('that was compacted beyond this copy of the leader is level, and gets no old snapshot', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const old = await takeLead(process);
    await propose(process, 'x');
    await settle();
    for (const region of [B, C]) {
      await sendTo(process, region, {
        kind: 'compact',
        base: { index: logIndex(2), term: old.term },
      });
    }
    const late = registers.process(A);
    const replicator = new Replicator(late.cluster);
    expect(await replicator.advance(old)).toEqual({ kind: 'committed' });
    await settle();
    expect(portOf(late, B).calls.writeSnapshot).toBe(0);
    expect(portOf(late, B).calls.read).toBeLessThan(5);
  });

  test('that showed an entry before the leader did counts as soon as the leader shows it', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const first = await takeLead(process);
    await propose(process, 'x');
    await settle();
    const late = registers.process(A);
    const replicator = new Replicator(late.cluster);
    // By the old copy, the followers already show `x`; then the newer copy comes.
    await replicator.advance(first);
    await settle();
    expect(replicator.commit.index).toBe(1);
    expect(await replicator.advance(registers.serverAt(A))).toEqual({ kind: 'committed' });
    expect(replicator.commit.index).toBe(2);
  });

  test('behind the base of the leader gets the snapshot first, then the base, then the rest', async () => {
    const registers = await createRegisters({ limits: { tailEntriesMax: 4, entriesKept: 1 } });
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, C).isDown = true;
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await propose(process, name);
    }
    await process.compactor.tick(logIndex(100));
    await propose(process, 'g');
    await process.compactor.tick(logIndex(100));
    expect(registers.serverAt(A).base.index).toBe(7);
    portOf(process, C).isDown = false;
    await propose(process, 'h');
    await settle();
    expect(registers.serverAt(C).base.index).toBe(7);
    expect(registers.storeAt(C).readSnapshot(registers.serverAt(C).base)).not.toBeNull();
    expect(bodiesOf(registers.serverAt(C))).toEqual(['g', 'h']);
    const returned = registers.process(C);
    await returned.host.follow(process.host.commit);
    expect(returned.host.replica.chain).toBe(process.host.replica.chain);
  });

  test('without processes of its own, whose register only grows, gets the base of the leader', async () => {
    const limits = { tailEntriesMax: 4, entriesKept: 1, abandonedEntriesMax: 12 };
    const registers = await createRegisters({ limits });
    const process = registers.process(A);
    await takeLead(process);
    for (let count = 0; count < 30; count += 1) {
      await propose(process, `c${count}`);
      await process.compactor.tick(logIndex(100));
      await settle();
    }
    const tails = [B, C].map((region) => registers.serverAt(region).entries.length);
    expect(Math.max(...tails)).toBeLessThanOrEqual(limits.abandonedEntriesMax + 1);
  });

  test('whose register has no room gets the base of the leader, and then what it lacks', async () => {
    const registers = await createRegisters({ limits: { tailEntriesMax: 4, entriesKept: 1 } });
    const process = registers.process(A);
    await takeLead(process);
    for (let count = 0; count < 8; count += 1) {
      await propose(process, `c${count}`);
      await settle();
      await process.compactor.tick(logIndex(100));
    }
    portOf(process, C).plan('compareAndSet', 'too-large');
    await propose(process, 'x');
    await settle();
    expect(registers.serverAt(C).base.index).toBe(registers.serverAt(A).base.index);
    expect(bodiesOf(registers.serverAt(C)).at(-1)).toBe('x');
  });
});

describe('when the lead moves while a follower is being levelled', () => {
  /** A leads term 1; its append to B is under way when B leads term 2. */
  async function moved(registers: Registers) {
    const process = registers.process(A);
    const other = registers.process(B);
    const old = await append(process, await makeLead(process, A, { voters: [B, C], inTerm: 1 }), [
      'x',
    ]);
    const replicator = new Replicator(process.cluster);
    const slow = gate();
    portOf(process, B).plan('compareAndSet', { gate: slow.closed });
    portOf(process, C).isDown = true;
    const first = replicator.advance(old);
    await settle();
    return { process, other, replicator, slow, first };
  }

  test('the new leader is never sent its own entries', async () => {
    const registers = await createRegisters();
    const { process, other, replicator, slow, first } = await moved(registers);
    const leader = await makeLead(other, B, { voters: [C], inTerm: 2 });
    portOf(process, C).isDown = false;
    const second = replicator.advance(leader);
    slow.open();
    expect(await second).toEqual({ kind: 'committed' });
    expect(await first).toEqual({ kind: 'deposed' });
    await settle();
    expect(process.logged).not.toContain('error register-halted');
  });

  test('no follower is told that entries of the old one are committed', async () => {
    const registers = await createRegisters({ memberCount: 5 });
    const process = registers.process(A);
    const other = registers.process(B);
    const old = await append(process, await makeLead(process, A, { voters: [B, C], inTerm: 1 }), [
      'lost-1',
      'lost-2',
    ]);
    const replicator = new Replicator(process.cluster);
    for (const region of [B, C, D]) {
      portOf(process, region).isDown = true;
    }
    // The append of term 1 to E waits for its turn behind a slow read.
    const slow = gate();
    portOf(process, E).plan('read', { gate: slow.closed });
    void process.cluster.clients.get(E)?.refresh();
    const first = replicator.advance(old);
    await settle();
    const leader = await append(other, await makeLead(other, B, { voters: [C, D], inTerm: 2 }), [
      'kept-1',
      'kept-2',
    ]);
    const second = replicator.advance({ ...leader, commitIndex: logIndex(3) });
    slow.open();
    await Promise.all([first, second]);
    await settle();
    const follower = registers.serverAt(E);
    const committed = follower.entries.slice(0, follower.commitIndex);
    expect(committed.map(({ command }) => command?.body ?? null)).not.toContain('lost-1');
  });
});

describe('the followers that a quorum needs', () => {
  test('are the nearest: those that answered fastest the last time', async () => {
    const { registers, process, replicator, leader } = await withFarFollower();
    const next = await append(process, leader, ['x']);
    const slow = gate();
    portOf(process, C).plan('compareAndSet', { gate: slow.closed });
    const advance = replicator.advance(next);
    await settle();
    // B is far, and has not been asked yet: C has a head start.
    expect(bodiesOf(registers.serverAt(B))).toEqual([null]);
    slow.open();
    expect(await advance).toEqual({ kind: 'committed' });
    await settle();
    expect(bodiesOf(registers.serverAt(B))).toEqual([null, 'x']);
  });

  test('keep the others waiting no longer than their head start', async () => {
    const { registers, process, replicator, leader } = await withFarFollower();
    const next = await append(process, leader, ['x']);
    const slow = gate();
    portOf(process, C).plan('compareAndSet', { gate: slow.closed });
    const advance = replicator.advance(next);
    await registers.clock.advance(LOCAL_TIMINGS.headStartMs);
    expect(bodiesOf(registers.serverAt(B))).toEqual([null, 'x']);
    expect(await advance).toEqual({ kind: 'committed' });
    slow.open();
    await settle();
    expect(bodiesOf(registers.serverAt(C))).toEqual([null, 'x']);
  });

  test('are others when one of them does not answer, from the next time on', async () => {
    const { registers, process, replicator, leader } = await withFarFollower();
    portOf(process, C).isDown = true;
    const first = replicator.advance(await append(process, leader, ['x']));
    await registers.clock.advance(LOCAL_TIMINGS.headStartMs);
    expect(await first).toEqual({ kind: 'committed' });
    const second = await append(process, registers.serverAt(A), ['y']);
    expect(await replicator.advance(second)).toEqual({ kind: 'committed' });
  });

  /** The leader is A; B answered after a while, and C at once. */
  async function withFarFollower() {
    const registers = await createRegisters();
    const process = registers.process(A);
    const leader = await makeLead(process, A, { voters: [B], inTerm: 1 });
    const replicator = new Replicator(process.cluster);
    const far = gate();
    portOf(process, B).plan('compareAndSet', { gate: far.closed });
    const advance = replicator.advance(leader);
    await registers.clock.advance(2 * LOCAL_TIMINGS.headStartMs);
    far.open();
    await advance;
    await settle();
    return { registers, process, replicator, leader };
  }
});

describe('a leader that was deposed', () => {
  test('hears of it from the first register in a later term', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const other = registers.process(B);
    const old = await makeLead(process, A, { voters: [B], inTerm: 1 });
    await makeLead(other, B, { voters: [C], inTerm: 2 });
    const replicator = new Replicator(registers.process(A).cluster);
    expect(await replicator.advance(old)).toEqual({ kind: 'deposed' });
    expect(replicator.highestTermSeen).toBe(2);
  });

  test('gets no answer from a minority, and does not take it for one', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const leader = await makeLead(process, A, { voters: [B], inTerm: 1 });
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    expect(await new Replicator(process.cluster).advance(leader)).toEqual({ kind: 'no-majority' });
  });
});
