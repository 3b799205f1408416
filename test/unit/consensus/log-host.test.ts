/** The log as processes use it, over memory registers whose ports a test can break. */
import { describe, expect, test } from 'vitest';
import { logIndex, term } from '../../../lib/base/identifiers.ts';
import { elect } from '../../../lib/consensus/elector.ts';
import { LOCAL_TIMINGS, LOG_LIMITS } from '../../../lib/consensus/settings.ts';
import { gate } from './faulty-port.ts';
import {
  A,
  B,
  bodiesOf,
  C,
  createRegisters,
  idOf,
  type Process,
  portOf,
  propose,
  settle,
  takeLead,
} from './processes.ts';

const TIMEOUT_MS = LOCAL_TIMINGS.proposeTimeoutMs;

async function leading(): Promise<{
  readonly registers: Awaited<ReturnType<typeof createRegisters>>;
  readonly process: Process;
}> {
  const registers = await createRegisters();
  const process = registers.process(A);
  await takeLead(process);
  await propose(process, 'first');
  await settle();
  return { registers, process };
}

describe('in the steady state', () => {
  test('a command costs one write at each register, and no read', async () => {
    const { process } = await leading();
    const costs = () =>
      [...process.ports.values()].map(({ calls }) => [calls.compareAndSet, calls.read]);
    const before = costs();
    for (const name of ['x', 'y', 'z']) {
      expect(await propose(process, name)).toMatchObject({ kind: 'committed' });
      await settle();
    }
    expect(costs()).toEqual(before.map(([writes = 0, reads]) => [writes + 3, reads]));
  });

  test('commands that arrive together are committed together', async () => {
    const { registers, process } = await leading();
    const before = portOf(process, A).calls.compareAndSet;
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, place) => propose(process, `c${place}`)),
    );
    expect(outcomes.every(({ kind }) => kind === 'committed')).toBe(true);
    // The first goes alone, those that came while it was under way go as one batch.
    expect(portOf(process, A).calls.compareAndSet - before).toBe(2);
    expect(bodiesOf(registers.serverAt(A))).toHaveLength(52);
  });

  test('a command is acknowledged as soon as a majority holds it; the third follows', async () => {
    const { registers, process } = await leading();
    const slow = gate();
    portOf(process, C).plan('compareAndSet', { gate: slow.closed });
    expect(await propose(process, 'x')).toMatchObject({ kind: 'committed', index: 3, term: 1 });
    expect(bodiesOf(registers.serverAt(C))).toEqual([null, 'first']);
    slow.open();
    await settle();
    expect(bodiesOf(registers.serverAt(C))).toEqual([null, 'first', 'x']);
  });

  test('nobody reads or writes for ever after two processes have worked at once', async () => {
    const { registers, process } = await leading();
    const other = registers.process(B);
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((name, place) => propose(place % 2 === 0 ? process : other, name)),
    );
    await settle();
    const calls = () =>
      [process, other].flatMap(({ ports }) =>
        [...ports.values()].map((port) => port.calls.read + port.calls.compareAndSet),
      );
    const before = calls();
    await settle();
    expect(calls()).toEqual(before);
  });
});

describe('two processes over one cluster', () => {
  test('are threads of one leader: both commit, and their replicas become equal', async () => {
    const { registers, process } = await leading();
    const other = registers.process(C);
    const outcomes = await Promise.all([propose(process, 'x'), propose(other, 'y')]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'committed']);
    await Promise.all([process.host.confirmLeadership(), other.host.confirmLeadership()]);
    expect(other.host.replica.chain).toBe(process.host.replica.chain);
    expect(process.host.replica.state).toHaveLength(3);
  });

  test('a follower catches up from its own register, by the commit that a beat names', async () => {
    const { registers, process } = await leading();
    const follower = registers.process(B);
    await propose(process, 'x');
    await settle();
    await follower.host.follow(process.host.commit);
    expect(follower.host.replica.state).toEqual(['first', 'x']);
    expect(portOf(follower, A).calls.read).toBe(0);
  });

  test('a follower does not believe a commit that names another entry than the one it holds', async () => {
    const { registers } = await leading();
    const follower = registers.process(B);
    await follower.host.follow({ index: logIndex(2), term: term(9) });
    expect(follower.host.replica.applied.index).toBe(1);
  });
});

describe('the outcome of a proposal', () => {
  test('is rejected while nobody leads: nothing was written', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const outcome = propose(process, 'x');
    await registers.clock.advance(TIMEOUT_MS + 200);
    expect(await outcome).toEqual({ kind: 'rejected', code: 'no-leader' });
    expect(portOf(process, A).calls.compareAndSet).toBe(0);
  });

  test('is unknown when the leader has it and no follower answers', async () => {
    const { registers, process } = await leading();
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    const outcome = propose(process, 'x');
    await registers.clock.advance(TIMEOUT_MS + 200);
    expect(await outcome).toEqual({ kind: 'unknown' });
    expect(bodiesOf(registers.serverAt(A))).toEqual([null, 'first', 'x']);
  });

  test('is rejected for a later command: without a quorum nothing more is appended', async () => {
    const { registers, process } = await leading();
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    const first = propose(process, 'x');
    await registers.clock.advance(TIMEOUT_MS + 200);
    await first;
    const second = propose(process, 'y');
    await registers.clock.advance(TIMEOUT_MS + 200);
    expect(await second).toEqual({ kind: 'rejected', code: 'no-quorum' });
    expect(bodiesOf(registers.serverAt(A))).not.toContain('y');
  });

  test('is unknown when the write was applied, unheard of, below a refusal', async () => {
    const { registers, process } = await leading();
    const other = registers.process(B);
    const moved = gate();
    portOf(process, A).plan('compareAndSet', 'lost-reply');
    portOf(process, A).plan('read', { gate: moved.closed });
    const outcome = propose(process, 'x');
    await settle();
    // Another process makes a leader of the log that holds `x`, and x commits.
    expect((await elect(other.cluster)).kind).toBe('won');
    portOf(process, A).isDown = true;
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    moved.open();
    await registers.clock.advance(TIMEOUT_MS + 200);
    expect(await outcome).toEqual({ kind: 'unknown' });
  });

  test('is committed once when the answer was lost and the command was sent again', async () => {
    const { registers, process } = await leading();
    portOf(process, A).plan('compareAndSet', 'lost-reply');
    portOf(process, B).plan('compareAndSet', 'lost-reply');
    expect(await propose(process, 'x')).toMatchObject({ kind: 'committed', index: 3 });
    expect(bodiesOf(registers.serverAt(A))).toEqual([null, 'first', 'x']);
    expect(process.host.replica.state).toEqual(['first', 'x']);
  });

  test('is the same for a repetition through a process that never heard of the first', async () => {
    const { registers, process } = await leading();
    const outcome = await propose(process, 'x');
    const other = registers.process(C);
    expect(await propose(other, 'x')).toEqual(outcome);
    expect(other.host.replica.state).toEqual(['first', 'x']);
  });

  test('tells an id that was used for another command from a repetition', async () => {
    const { registers, process } = await leading();
    const reused = { kind: 'rejected', code: 'command-id-reused' };
    expect(await process.host.propose(idOf('first'), 'something else')).toEqual(reused);
    const other = registers.process(C);
    expect(await other.host.propose(idOf('first'), 'something else')).toEqual(reused);
  });

  test('holds up nobody: each command leaves when its own time is over', async () => {
    const { registers, process } = await leading();
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    const settled: string[] = [];
    for (const name of ['x', 'y', 'z']) {
      void propose(process, name).then(({ kind }) => settled.push(`${name} ${kind}`));
      await registers.clock.advance(TIMEOUT_MS / 4);
    }
    await registers.clock.advance(TIMEOUT_MS / 4 + 200);
    expect(settled).toEqual(['x unknown']);
    portOf(process, B).isDown = false;
    portOf(process, C).isDown = false;
    await registers.clock.advance(1000);
    expect(settled).toEqual(['x unknown', 'y committed', 'z committed']);
  });

  test('is too large by its bytes, not by its characters', async () => {
    const { process } = await leading();
    const characters = LOG_LIMITS.commandBytesMax / 2;
    const small = process.host.propose(idOf('small'), 'x'.repeat(characters));
    expect(await small).toMatchObject({ kind: 'committed' });
    const large = process.host.propose(idOf('large'), '東'.repeat(characters));
    expect(await large).toEqual({ kind: 'rejected', code: 'too-large' });
  });

  test('is busy when too many wait', async () => {
    const registers = await createRegisters({ limits: { queuedCommandsMax: 2 } });
    const process = registers.process(A);
    const waiting = [propose(process, 'x'), propose(process, 'y')];
    expect(await propose(process, 'z')).toEqual({ kind: 'rejected', code: 'busy' });
    await registers.clock.advance(TIMEOUT_MS + 200);
    await Promise.all(waiting);
  });

  test('is log-full when the register has no room', async () => {
    const { registers, process } = await leading();
    portOf(process, A).plan('compareAndSet', ...Array(200).fill('too-large'));
    const outcome = propose(process, 'x');
    await registers.clock.advance(TIMEOUT_MS + 200);
    expect(await outcome).toEqual({ kind: 'rejected', code: 'log-full' });
  });

  test('is unknown, and the process stops, when a committed command cannot be applied', async () => {
    const { process } = await leading();
    process.host.onApplied(() => {
      throw new Error('a bug in a listener');
    });
    expect(await propose(process, 'x')).toEqual({ kind: 'unknown' });
    expect(process.logged).toContain('error apply-failed');
    await expect(process.host.follow(null)).rejects.toThrow('a bug in a listener');
  });
});

describe('the basis of a command', () => {
  test('of a process that has just started is not the beginning of the log', async () => {
    const limits = { sessionWindowEntries: 10 };
    const registers = await createRegisters({ limits });
    const process = registers.process(A);
    await takeLead(process);
    for (let count = 0; count < 20; count += 1) {
      await propose(process, `c${count}`);
    }
    await settle();
    expect(await propose(registers.process(B), 'x')).toMatchObject({ kind: 'committed' });
  });

  test('of a process that slept is not where the log was when it fell asleep', async () => {
    const limits = { sessionWindowEntries: 10 };
    const registers = await createRegisters({ limits });
    const process = registers.process(A);
    const sleeper = registers.process(B);
    await takeLead(process);
    await propose(sleeper, 'before');
    for (let count = 0; count < 20; count += 1) {
      await propose(process, `c${count}`);
    }
    await registers.clock.advance(TIMEOUT_MS + 1000);
    expect(await propose(sleeper, 'after')).toMatchObject({ kind: 'committed' });
  });

  test('is that of its first try, however often it is tried', async () => {
    const { registers, process } = await leading();
    const other = registers.process(B);
    await propose(other, 'y');
    const basisBefore = process.host.replica.applied.index;
    portOf(process, A).plan('compareAndSet', 'lost-request');
    portOf(process, A).plan('read', 'lost-request');
    const outcome = propose(process, 'x');
    await settle();
    await propose(other, 'z');
    await process.host.confirmLeadership();
    await registers.clock.advance(200);
    expect(await outcome).toMatchObject({ kind: 'committed', index: 5 });
    const entry = registers.serverAt(A).entries.at(-1);
    expect(entry?.command).toEqual({ id: idOf('x'), basis: basisBefore, body: 'x' });
  });
});

describe('a copy of a leader that was deposed meanwhile', () => {
  /** `x` is in the register of A only, under term 1; B leads term 2 and has `y` at its place. */
  async function deposed() {
    const { registers, process } = await leading();
    const cut = gate();
    for (const region of [B, C]) {
      portOf(process, region).plan('compareAndSet', { gate: cut.closed });
    }
    const outcome = propose(process, 'x');
    await settle();
    const other = registers.process(B);
    portOf(other, A).isDown = true;
    await takeLead(other);
    await propose(other, 'y');
    await settle();
    return { registers, process, other, outcome, cut };
  }

  test('is never applied, whatever the new leader has committed', async () => {
    const { registers, process, other, outcome, cut } = await deposed();
    await propose(other, 'z');
    await settle();
    // The very process whose proposal is under way takes up the new leader, whose register says that
    // the place of `x` is committed, and waits for A; meanwhile its own replication of `x` ends.
    const slow = gate();
    portOf(process, A).plan('compareAndSet', { gate: slow.closed });
    expect(registers.serverAt(B).commitIndex).toBeGreaterThanOrEqual(3);
    const taken = process.host.lead(registers.serverAt(B));
    portOf(process, C).isDown = true;
    cut.open();
    await settle();
    slow.open();
    await registers.clock.advance(1000);
    await Promise.all([taken, outcome]);
    expect(process.host.replica.state.slice(0, 3)).toEqual(['first', 'y', 'z']);
  });

  test('is proposed anew under the new leader, and the command is committed once', async () => {
    const { registers, process, outcome, cut } = await deposed();
    cut.open();
    await registers.clock.advance(1000);
    expect(await outcome).toMatchObject({ kind: 'committed', term: 2 });
    expect(process.host.replica.state).toEqual(['first', 'y', 'x']);
  });
});

describe('a confirmed read', () => {
  test('reflects what another process committed a moment before', async () => {
    const { registers, process } = await leading();
    const reader = registers.process(C);
    await propose(process, 'x');
    expect(await reader.host.confirmLeadership()).toBe(true);
    expect(reader.host.replica.state).toEqual(['first', 'x']);
  });

  test('helps an uncommitted tail to commit', async () => {
    const { registers, process } = await leading();
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    void propose(process, 'x');
    await settle();
    const reader = registers.process(C);
    expect(await reader.host.confirmLeadership()).toBe(true);
    expect(reader.host.replica.state).toEqual(['first', 'x']);
    await registers.clock.advance(TIMEOUT_MS + 200);
  });

  test('is refused without a majority', async () => {
    const { process: reader } = await leading();
    portOf(reader, B).isDown = true;
    portOf(reader, C).isDown = true;
    expect(await reader.host.confirmLeadership()).toBe(false);
  });

  test('is refused by an old leader that its followers have left', async () => {
    const { registers } = await leading();
    const other = registers.process(B);
    portOf(other, A).isDown = true;
    await takeLead(other);
    const reader = registers.process(A);
    portOf(reader, B).isDown = true;
    expect(await reader.host.confirmLeadership()).toBe(false);
  });

  test('does not wait for a region that does not answer', async () => {
    const { registers } = await leading();
    const reader = registers.process(A);
    portOf(reader, C).plan('read', { gate: gate().closed });
    expect(await reader.host.confirmLeadership()).toBe(true);
  });

  test('is refused when the replica needs a snapshot and does not get it', async () => {
    const { registers, process } = await leading();
    const server = registers.serverAt(A);
    const base = { index: logIndex(2), term: term(1) };
    expect(server.entries).toHaveLength(2);
    for (const region of [A, B, C]) {
      // A base whose snapshot cannot be read, as when the table is slow.
      await process.cluster.clients.get(region)?.exchange(() => ({ kind: 'compact', base }));
    }
    const reader = registers.process(B);
    expect(await reader.host.confirmLeadership()).toBe(false);
    expect(reader.host.replica.applied.index).toBe(0);
  });
});
