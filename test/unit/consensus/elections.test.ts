/** Elections and the pulse: who is made to lead, and who only thinks so. */
import { describe, expect, test } from 'vitest';
import { type RegionId, term } from '../../../lib/base/identifiers.ts';
import { clientOf } from '../../../lib/consensus/cluster.ts';
import { elect, isLeaderless } from '../../../lib/consensus/elector.ts';
import type { Message } from '../../../lib/consensus/messages.ts';
import { Pulse } from '../../../lib/consensus/pulse.ts';
import { lastEntry } from '../../../lib/consensus/server.ts';
import { LOCAL_TIMINGS } from '../../../lib/consensus/settings.ts';
import { gate } from './faulty-port.ts';
import {
  A,
  B,
  C,
  createRegisters,
  leadersOf,
  type Process,
  portOf,
  propose,
  type Registers,
  settle,
  takeLead,
} from './processes.ts';

const { beatMs, electionTimeoutMsMax } = LOCAL_TIMINGS;
/** Detection, pre-vote, and some rounds more. */
const ELECTION_MS = 6 * electionTimeoutMsMax;

/** Lets a process's pulse run for ever; a pulse that rejects fails the test. */
function pulsate({ clock }: Registers, { cluster, host }: Process): void {
  const pulse = new Pulse(cluster, host);
  void (async () => {
    for (;;) {
      await pulse.tick();
      await clock.sleep(beatMs);
    }
  })();
}

async function pulsating(): Promise<{ registers: Registers; processes: readonly Process[] }> {
  const registers = await createRegisters();
  const processes = registers.regions.map((region) => registers.process(region));
  for (const process of processes) {
    pulsate(registers, process);
  }
  await registers.clock.advance(ELECTION_MS);
  return { registers, processes };
}

describe('an election', () => {
  test('is won by the votes of a majority, and one register that hangs delays nobody', async () => {
    const registers = await createRegisters();
    await takeLead(registers.process(A));
    const process = registers.process(B);
    for (const method of ['read', 'compareAndSet'] as const) {
      portOf(process, A).plan(method, { gate: gate().closed });
    }
    expect(await elect(process.cluster)).toMatchObject({ kind: 'won' });
    expect(registers.serverAt(B).leaderOf).toBe(2);
  });

  test('makes the region with the most up-to-date log lead, its own only if that is as good', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    await takeLead(process);
    portOf(process, C).isDown = true;
    await propose(process, 'x');
    await settle();
    const lagging = registers.process(C);
    portOf(lagging, A).isDown = true;
    expect(await elect(lagging.cluster)).toMatchObject({
      kind: 'won',
      leader: { identity: { region: B } },
    });
  });

  test('is impossible without a majority', async () => {
    const registers = await createRegisters();
    await takeLead(registers.process(A));
    const process = registers.process(A);
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    expect(await elect(process.cluster)).toEqual({ kind: 'no-quorum' });
  });

  test('needs every register the first time: a cluster that is being made must not vote', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    portOf(process, C).isDown = true;
    expect(await elect(process.cluster)).toEqual({ kind: 'no-quorum' });
    expect(registers.serverAt(A).term).toBe(0);
    portOf(process, C).isDown = false;
    expect(await elect(process.cluster)).toMatchObject({ kind: 'won' });
  });

  test('goes above a term that was seen in a register which is not asked', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    await takeLead(process);
    const election = await elect(process.cluster, { termSeen: 7, region: null });
    expect(election).toMatchObject({ kind: 'won', leader: { term: 8 } });
  });

  test('counts no vote whose write is in doubt', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    for (const region of [B, C]) {
      portOf(process, region).plan('compareAndSet', 'lost-reply');
      portOf(process, region).plan('read', 'pass', 'lost-request');
    }
    expect(await elect(process.cluster)).toMatchObject({ kind: 'lost' });
    expect(leadersOf(registers)).toEqual([]);
  });

  test('by every process at once makes at most one leader a term', async () => {
    const registers = await createRegisters();
    const processes = registers.regions.map((region) => registers.process(region));
    const outcomes = await Promise.all(processes.map(({ cluster }) => elect(cluster)));
    const terms = outcomes.flatMap((outcome) =>
      outcome.kind === 'won' ? [`${outcome.leader.term} ${outcome.leader.identity.region}`] : [],
    );
    expect(new Set(terms.map((text) => text.split(' ')[0])).size).toBe(new Set(terms).size);
  });
});

describe('before an election', () => {
  test('a single new beat in the majority that answers is enough to hold back', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    const leaderless = isLeaderless(process.cluster);
    await settle();
    const commit = registers.serverAt(B).base;
    for (const region of [B, C]) {
      registers.storeAt(region).writeBeat({ term: term(1), leader: B, counter: 1, commit });
    }
    await registers.clock.advance(3 * beatMs);
    expect(await leaderless).toBe(false);
  });

  test('nobody concludes anything from the silence of a minority', async () => {
    const registers = await createRegisters();
    const process = registers.process(A);
    portOf(process, B).isDown = true;
    portOf(process, C).isDown = true;
    const leaderless = isLeaderless(process.cluster);
    await registers.clock.advance(3 * beatMs);
    expect(await leaderless).toBe(false);
  });
});

describe('the pulses of three regions', () => {
  test('elect one leader, and keep it', async () => {
    const { registers } = await pulsating();
    const [leader] = leadersOf(registers);
    const elected = registers.serverAt(leader ?? A).term;
    await registers.clock.advance(10 * ELECTION_MS);
    expect(leadersOf(registers)).toEqual([leader]);
    expect(registers.serverAt(leader ?? A).term).toBe(elected);
  });

  test('write no register while nobody proposes anything', async () => {
    const { registers } = await pulsating();
    const revisions = () =>
      registers.regions.map((region) => registers.storeAt(region).copy?.revision);
    const before = revisions();
    await registers.clock.advance(10_000);
    expect(revisions()).toEqual(before);
  });

  test('elect another leader when the register of the first is lost, though its process beats on', async () => {
    const { registers, processes } = await pulsating();
    const [lost = A] = leadersOf(registers);
    for (const process of processes) {
      portOf(process, lost).isDown = true;
    }
    await registers.clock.advance(ELECTION_MS);
    const others = registers.regions.filter((region) => region !== lost);
    const leaders = leadersOf(registers).filter((region) => region !== lost);
    expect(leaders).toHaveLength(1);
    expect(registers.serverAt(leaders[0] ?? A).term).toBeGreaterThan(registers.serverAt(lost).term);
    expect(others).toContain(leaders[0]);
  });

  test('are over a lost region within a few beats, by one election and not by split votes', async () => {
    const { registers, processes } = await pulsating();
    const [lost = A] = leadersOf(registers);
    const before = registers.serverAt(lost).term;
    for (const process of processes) {
      for (const region of registers.regions) {
        const isLost = region === lost || process.cluster.identity.region === lost;
        portOf(process, region).isDown = isLost;
      }
    }
    await registers.clock.advance(7 * beatMs);
    const [leader, ...others] = leadersOf(registers).filter((region) => region !== lost);
    expect(others).toEqual([]);
    expect(registers.serverAt(leader ?? lost).term).toBe(before + 1);
  });

  test('follow the leader of a later term instead of unseating it, when an old one comes back', async () => {
    const { registers, processes } = await pulsating();
    const [old = A] = leadersOf(registers);
    for (const process of processes) {
      portOf(process, old).isDown = process.cluster.identity.region !== old;
    }
    const cutOff = processes.find(({ cluster }) => cluster.identity.region === old);
    const others = registers.regions.filter((region) => region !== old);
    for (const region of others) {
      if (cutOff !== undefined) {
        portOf(cutOff, region).isDown = true;
      }
    }
    await registers.clock.advance(ELECTION_MS);
    const highest = Math.max(...registers.regions.map((region) => registers.serverAt(region).term));
    for (const process of processes) {
      for (const region of registers.regions) {
        portOf(process, region).isDown = false;
      }
    }
    await registers.clock.advance(ELECTION_MS);
    expect(registers.regions.map((region) => registers.serverAt(region).term)).toEqual(
      Array(3).fill(highest),
    );
  });

  test('bring back a register that voted in a term that came to nothing', async () => {
    const { registers } = await pulsating();
    const [leader = A] = leadersOf(registers);
    const other = registers.regions.find((region) => region !== leader) ?? B;
    const stranger = registers.process(other);
    await stranger.cluster.clients
      .get(other)
      ?.exchange(() => ({ kind: 'campaign', term: term(9) }));
    void propose(registers.process(leader), 'x');
    await registers.clock.advance(ELECTION_MS);
    const terms = registers.regions.map((region) => registers.serverAt(region).term);
    expect(new Set(terms)).toEqual(new Set([10]));
  });

  test('make a region beat that another region made lead', async () => {
    const { registers } = await pulsating();
    const [leader = A] = leadersOf(registers);
    const other = registers.regions.find((region) => region !== leader) ?? B;
    // A process of no region's pulse elects, on behalf of `other`.
    const election = await elect(registers.process(other).cluster);
    expect(election).toMatchObject({ kind: 'won' });
    await registers.clock.advance(ELECTION_MS);
    expect(leadersOf(registers)).toHaveLength(1);
    const [now = A] = leadersOf(registers);
    const beat = registers.storeAt(A).beat;
    expect(beat?.leader).toBe(now);
    expect(beat?.term).toBe(registers.serverAt(now).term);
  });
});

test('a pulse whose log is broken says so at its next tick', async () => {
  const registers = await createRegisters();
  const process = registers.process(A);
  await takeLead(process);
  process.host.onApplied(() => {
    throw new Error('a bug in a listener');
  });
  const pulse = new Pulse(process.cluster, process.host);
  void propose(process, 'x');
  await settle();
  await pulse.tick();
  await settle();
  await expect(pulse.tick()).rejects.toThrow('a bug in a listener');
});

test('a beat never waits for data', async () => {
  const registers = await createRegisters();
  const process = registers.process(A);
  await takeLead(process);
  const pulse = new Pulse(process.cluster, process.host);
  portOf(process, A).plan('read', { gate: gate().closed });
  for (let ticks = 0; ticks < 3; ticks += 1) {
    await pulse.tick();
    await settle();
  }
  expect(portOf(process, B).calls.writeBeat).toBe(3);
});

test('an election that died after its votes, on an idle cluster, is followed by another', async () => {
  const { registers, processes } = await pulsating();
  const [leader] = leadersOf(registers);
  const [candidate = C, voter = C] = registers.regions.filter((region) => region !== leader);
  const next = term(registers.serverAt(candidate).term + 1);
  const dying = registers.process(candidate);
  await sendTo(dying, candidate, { kind: 'campaign', term: next });
  const { index, term: lastTerm } = lastEntry(registers.serverAt(candidate));
  const last = { index, term: lastTerm };
  await sendTo(dying, voter, { kind: 'vote', term: next, candidate, last });
  await registers.clock.advance(3 * ELECTION_MS);
  const [successor, ...others] = leadersOf(registers).map((region) => registers.serverAt(region));
  expect(others).toEqual([]);
  expect(successor?.term).toBeGreaterThan(next);
  for (const { host } of processes) {
    expect(await host.confirmLeadership()).toBe(true);
  }
});

async function sendTo({ cluster }: Process, region: RegionId, message: Message): Promise<void> {
  expect(await clientOf(cluster, region).exchange(() => message)).toMatchObject({
    kind: 'answered',
    reply: { kind: 'yes' },
  });
}
