/** A table takes the place of another, and a region takes over the lead: over memory registers. */
import { describe, expect, test } from 'vitest';
import { logIndex, type RegionId } from '../../../lib/base/identifiers.ts';
import { transferLeadership } from '../../../lib/consensus/leadership.ts';
import {
  type ChangeOutcome,
  type Replacement,
  replaceMember,
} from '../../../lib/consensus/membership-change.ts';
import { configurationOf, memberOf, pristineServer } from '../../../lib/consensus/server.ts';
import { gate } from './faulty-port.ts';
import {
  A,
  B,
  C,
  createRegisters,
  D,
  leadersOf,
  type Process,
  portOf,
  propose,
  type Registers,
  settle,
  takeLead,
} from './processes.ts';

/** The member that stands in the lost table's place. */
const newcomer = ({ serverAt }: Registers) => memberOf(serverAt(C));
const TIMEOUT_MS = 3000;

function replace(
  { clock }: Registers,
  { cluster, host, ports }: Process,
  replacement: Replacement,
): Promise<ChangeOutcome> {
  const registers = [...ports.values()].map(({ port }) => port);
  const change = replaceMember({ cluster, host, registers, timeoutMs: TIMEOUT_MS }, replacement);
  return clock.advance(2 * TIMEOUT_MS).then(() => change);
}

/** Three regions, some entries, and the table of the third is lost. */
async function withLostTable(): Promise<{ registers: Registers; process: Process }> {
  const registers = await createRegisters();
  const process = registers.process(A);
  await takeLead(process);
  await propose(process, 'before');
  await settle();
  registers.storeAt(C).lose();
  return { registers, process };
}

describe('replacing a lost table', () => {
  test('gives the region a voter of its own again, with all entries', async () => {
    const { registers, process } = await withLostTable();
    const outcome = await replace(registers, process, { leaving: C, joining: C });
    expect(outcome).toEqual({
      kind: 'done',
      configuration: { voters: [A, B, newcomer(registers)].sort(), outgoing: null, learners: [] },
      isChanged: true,
    });
    await propose(process, 'after');
    await settle();
    expect(newcomer(registers)).not.toBe(C);
    expect(registers.serverAt(C).entries).toEqual(registers.serverAt(A).entries);
  });

  test('is noticed by a process that had halted the lost one', async () => {
    const { registers, process } = await withLostTable();
    await process.host.confirmLeadership();
    const witness = registers.process(B);
    registers.storeAt(C).lose();
    await replace(registers, process, { leaving: C, joining: C });
    expect(process.logged).toContain('error register-halted');
    expect(process.logged).toContain('info register-replaced');
    portOf(witness, A).isDown = true;
    expect(await witness.host.confirmLeadership()).toBe(false);
    portOf(witness, A).isDown = false;
    portOf(witness, B).isDown = true;
    expect(await witness.host.confirmLeadership()).toBe(true);
  });

  test('makes it a voter only after it learnt: an election in between does without it', async () => {
    const { registers, process } = await withLostTable();
    portOf(process, C).plan('compareAndSet', 'pass', ...Array(5000).fill('lost-request'));
    const outcome = await replace(registers, process, { leaving: C, joining: C });
    expect(outcome).toEqual({ kind: 'unfinished', code: 'not-level' });
    expect(configurationOf(registers.serverAt(A))).toEqual({
      voters: [A, B, C].sort(),
      outgoing: null,
      learners: [newcomer(registers)],
    });
    const other = registers.process(B);
    portOf(other, A).isDown = true;
    await expect(takeLead(other)).rejects.toThrow(/no-quorum/);
  });

  test('goes on where it stopped, whoever asks again', async () => {
    const { registers, process } = await withLostTable();
    portOf(process, C).plan('compareAndSet', 'pass', ...Array(5000).fill('lost-request'));
    await replace(registers, process, { leaving: C, joining: C });
    const other = registers.process(B);
    expect(await replace(registers, other, { leaving: C, joining: C })).toMatchObject({
      kind: 'done',
      configuration: { voters: [A, B, newcomer(registers)].sort() },
    });
    expect(await replace(registers, other, { leaving: C, joining: C })).toMatchObject({
      kind: 'done',
      isChanged: false,
    });
  });

  test('by two at once comes out once', async () => {
    const { registers, process } = await withLostTable();
    const other = registers.process(B);
    const outcomes = await Promise.all([
      replace(registers, process, { leaving: C, joining: C }),
      replace(registers, other, { leaving: C, joining: C }),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        kind: 'done',
        configuration: { voters: [A, B, newcomer(registers)].sort() },
      });
    }
  });

  test('gives a table that is lost a second time a number of its own', async () => {
    const { registers, process } = await withLostTable();
    await replace(registers, process, { leaving: C, joining: C });
    registers.storeAt(C).lose();
    const fresh = registers.process(A);
    expect(await replace(registers, fresh, { leaving: C, joining: C })).toMatchObject({
      kind: 'done',
      configuration: { voters: [A, B, newcomer(registers)].sort() },
    });
  });

  test('needs a quorum of those that are left', async () => {
    const { registers, process } = await withLostTable();
    portOf(process, B).isDown = true;
    expect(await replace(registers, process, { leaving: C, joining: C })).toEqual({
      kind: 'unfinished',
      code: 'no-quorum',
    });
    expect(registers.storeAt(C).copy).toBeNull();
  });
});

describe('replacing a region by another', () => {
  test('moves the vote, and the lead first when the region that goes has it', async () => {
    const registers = await createRegisters({ spare: D });
    const process = registers.process(A);
    await takeLead(process);
    await propose(process, 'x');
    const outcome = await replace(registers, process, { leaving: A, joining: D });
    expect(outcome).toMatchObject({
      kind: 'done',
      configuration: {
        voters: [B, C, memberOf(registers.serverAt(D))].sort(),
        outgoing: null,
      },
    });
    expect(leadersOf(registers).filter((region) => region !== A)).toHaveLength(1);
    const elsewhere = registers.process(B);
    portOf(elsewhere, A).isDown = true;
    expect(await propose(elsewhere, 'y')).toMatchObject({ kind: 'committed' });
    expect(elsewhere.host.replica.state).toEqual(['x', 'y']);
  });

  test.each<readonly [string, Replacement & { readonly code: string }]>([
    ['a region that has no vote', { leaving: D, joining: D, code: 'no-such-voter' }],
    ['a region by one that votes', { leaving: C, joining: B, code: 'already-votes' }],
  ])('refuses to replace %s', async (_, { leaving, joining, code }) => {
    const registers = await createRegisters({ spare: D });
    const process = registers.process(A);
    await takeLead(process);
    expect(await replace(registers, process, { leaving, joining })).toMatchObject({
      kind: 'refused',
      code,
    });
    expect(configurationOf(registers.serverAt(A)).learners).toEqual([]);
  });

  test('waits for a table that does not answer', async () => {
    const registers = await createRegisters({ spare: D });
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, D).isDown = true;
    expect(await replace(registers, process, { leaving: C, joining: D })).toEqual({
      kind: 'unfinished',
      code: 'no-table',
    });
    portOf(process, D).isDown = false;
    expect(await replace(registers, process, { leaving: C, joining: D })).toMatchObject({
      kind: 'done',
    });
  });
});

describe('the lead', () => {
  test('goes to the region that is asked, with all entries', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    await takeLead(process);
    await propose(process, 'x');
    expect(await transferLeadership(process, C)).toBe(true);
    expect(registers.serverAt(C)).toMatchObject({ leaderOf: 2, term: 2 });
    expect(await propose(process, 'y')).toMatchObject({ kind: 'committed', term: 2 });
    expect(registers.storeAt(A).beat).toMatchObject({ leader: C, term: 2 });
  });

  test('stays where it is when the region that is asked is away', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, C).isDown = true;
    expect(await transferLeadership(process, C)).toBe(false);
    expect(await propose(process, 'x')).toMatchObject({ kind: 'committed', term: 1 });
  });
});

/** Small enough that a handful of commands is compacted. */
const LIMITS = { tailEntriesMax: 4, entriesKept: 1 };
const ALL_ARCHIVED = logIndex(1000);

describe('a snapshot that went with a lost table', () => {
  test('is no base for the table in its place, when its own region compacts', async () => {
    const registers = await createRegisters({ limits: LIMITS });
    const process = registers.process(A);
    await takeLead(process);
    await proposeMany(process, 6);
    const keeper = registers.process(C);
    await keeper.host.confirmLeadership();
    await keeper.compactor.tick(ALL_ARCHIVED);
    registers.storeAt(C).lose();
    await replace(registers, registers.process(B), { leaving: C, joining: C });
    await keeper.host.confirmLeadership();
    for (let ticks = 0; ticks < 4; ticks += 1) {
      await keeper.compactor.tick(ALL_ARCHIVED);
    }
    expect(baseIsBacked(registers, C)).toBe(true);
  });

  test('is no base for the table in its place, when the leader installs it', async () => {
    const registers = await createRegisters({ limits: LIMITS });
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, C).isDown = true;
    await proposeMany(process, 8);
    await process.compactor.tick(ALL_ARCHIVED);
    await propose(process, 'one-more');
    await process.compactor.tick(ALL_ARCHIVED);
    expect(registers.serverAt(A).base.index).toBeGreaterThan(0);
    portOf(process, C).isDown = false;
    const held = gate();
    portOf(process, C).plan('compareAndSet', { gate: held.closed });
    const levelling = process.host.follow(null);
    await settle();
    const { identity } = registers.serverAt(C);
    registers.storeAt(C).lose();
    registers.storeAt(C).compareAndSet(0, pristineServer({ ...identity, incarnation: 2 }));
    held.open();
    await levelling;
    await settle();
    expect(baseIsBacked(registers, C)).toBe(true);
  });
});

async function proposeMany(process: Process, count: number): Promise<void> {
  for (let place = 0; place < count; place += 1) {
    await propose(process, `many-${place}`);
    await settle();
  }
}

/** Whether the register's base has its snapshot in the same table. */
function baseIsBacked({ serverAt, storeAt }: Registers, region: RegionId): boolean {
  const { base } = serverAt(region);
  return base.index === 0 || storeAt(region).readSnapshot(base) !== null;
}

describe('a table that once voted', () => {
  test('does not vote under its old name when its region comes back empty', async () => {
    const registers = await createRegisters({ spare: D });
    const process = registers.process(B);
    await takeLead(process);
    await propose(process, 'x');
    await settle();
    portOf(process, A).isDown = true;
    await replace(registers, process, { leaving: C, joining: D });
    expect(await propose(process, 'acked')).toMatchObject({ kind: 'committed' });
    registers.storeAt(C).lose();
    const operator = registers.process(B);
    portOf(operator, A).isDown = true;
    portOf(operator, C).plan('compareAndSet', 'pass', ...Array(9999).fill('lost-request'));
    await replace(registers, operator, { leaving: D, joining: C });
    expect(newcomer(registers)).not.toBe(C);
    const elsewhere = registers.process(A);
    portOf(elsewhere, B).isDown = true;
    portOf(elsewhere, D).isDown = true;
    await expect(takeLead(elsewhere)).rejects.toThrow(/no-quorum/);
  });

  test('is not made again by an operator who was held up over two losses', async () => {
    const registers = await createRegisters();
    const leading = registers.process(B);
    await takeLead(leading);
    await propose(leading, 'x');
    await settle();
    registers.storeAt(C).lose();
    const late = registers.process(B);
    const held = gate();
    portOf(late, C).plan('compareAndSet', { gate: held.closed });
    void replace(registers, late, { leaving: C, joining: C });
    await settle();
    await replace(registers, registers.process(B), { leaving: C, joining: C });
    const writer = registers.process(B);
    portOf(writer, A).isDown = true;
    expect(await propose(writer, 'acked')).toMatchObject({ kind: 'committed' });
    await settle();
    registers.storeAt(C).lose();
    held.open();
    await settle();
    expect(registers.serverAt(C).term).toBe(0);
    const elsewhere = registers.process(A);
    portOf(elsewhere, B).isDown = true;
    await expect(takeLead(elsewhere)).rejects.toThrow(/no-quorum/);
  });
});

describe('what stands in the way of a replacement', () => {
  test('is no single heir that is away: the next one takes the lead', async () => {
    const registers = await createRegisters({ spare: D });
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, B).isDown = true;
    expect(await replace(registers, process, { leaving: A, joining: D })).toMatchObject({
      kind: 'done',
    });
  });

  test('is another one that was left in the middle, unless it is given up', async () => {
    const registers = await createRegisters({ spare: D });
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, D).plan('compareAndSet', 'pass', ...Array(9999).fill('lost-request'));
    await replace(registers, process, { leaving: C, joining: D });
    registers.storeAt(C).lose();
    const operator = registers.process(B);
    const wish = { leaving: C, joining: C };
    expect(await replace(registers, operator, wish)).toMatchObject({
      kind: 'refused',
      code: 'change-under-way',
    });
    expect(await replace(registers, operator, { ...wish, abandonsOther: true })).toMatchObject({
      kind: 'done',
      configuration: { learners: [] },
    });
  });
});
