/** What one exchange with a register makes of every answer that a store can give. */
import { describe, expect, test } from 'vitest';
import { type CommandId, commandId, logIndex, term } from '../../../lib/base/identifiers.ts';
import type { LogEvent } from '../../../lib/base/log.ts';
import type { Message } from '../../../lib/consensus/messages.ts';
import { RegisterClient } from '../../../lib/consensus/register-client.ts';
import type { Identity, Server } from '../../../lib/consensus/server.ts';
import { step } from '../../../lib/consensus/step.ts';
import { MemoryRegister, memoryRegisterPort } from '../../../lib/simulation/memory-register.ts';
import { emptyServer, identityOf, MEMBERS } from '../../support/servers.ts';
import { type FaultyPort, faultyPort, gate } from './faulty-port.ts';
import { settle } from './processes.ts';

interface Fixture extends FaultyPort {
  readonly store: MemoryRegister;
  readonly client: RegisterClient;
  /** Another process's client of the same register. */
  readonly other: RegisterClient;
  readonly logged: string[];
}

const CAMPAIGN: Message = { kind: 'campaign', term: term(1) };
const LEAD: Message = { kind: 'lead', term: term(1) };

function fixture(server: Server | null = emptyServer()): Fixture {
  const store = new MemoryRegister();
  if (server !== null) {
    store.compareAndSet(0, server);
  }
  const logged: string[] = [];
  const log: LogEvent = (level, event) => logged.push(`${level} ${event}`);
  const faulty = faultyPort(memoryRegisterPort(store, identityOf()));
  return Object.assign(faulty, {
    store,
    logged,
    client: new RegisterClient(faulty.port, log),
    other: new RegisterClient(memoryRegisterPort(store, identityOf()), log),
  });
}

async function leadingFixture(): Promise<Fixture> {
  const made = fixture();
  await made.client.exchange(() => CAMPAIGN);
  await made.client.exchange(() => LEAD);
  return made;
}

function proposal(id: string): Message {
  const command = { id: commandId(id), basis: logIndex(0), body: id };
  return { kind: 'propose', term: term(1), commands: [command], commit: emptyServer().base };
}

function idsIn({ store }: Fixture): readonly (CommandId | undefined)[] {
  return store.copy?.server.entries.map(({ command }) => command?.id) ?? [];
}

describe('an exchange in the steady state', () => {
  test('is one write and no read', async () => {
    const { client, calls } = await leadingFixture();
    const readsBefore = calls.read;
    const writesBefore = calls.compareAndSet;
    for (const id of ['a', 'b', 'c']) {
      const answer = await client.exchange(() => proposal(id));
      expect(answer).toMatchObject({ kind: 'answered', reply: { kind: 'yes' } });
    }
    expect(calls.read - readsBefore).toBe(0);
    expect(calls.compareAndSet - writesBefore).toBe(3);
  });

  test('goes on from the copy that a conflict brings back, without a read', async () => {
    const made = await leadingFixture();
    await made.other.exchange(() => proposal('theirs'));
    const readsBefore = made.calls.read;
    await made.client.exchange(() => proposal('ours'));
    expect(idsIn(made)).toEqual([undefined, 'theirs', 'ours']);
    expect(made.calls.read).toBe(readsBefore);
  });

  test('runs one at a time: two callers of one process never conflict with each other', async () => {
    const made = await leadingFixture();
    const writesBefore = made.calls.compareAndSet;
    await Promise.all(['a', 'b', 'c'].map((id) => made.client.exchange(() => proposal(id))));
    expect(idsIn(made)).toEqual([undefined, 'a', 'b', 'c']);
    expect(made.calls.compareAndSet - writesBefore).toBe(3);
  });
});

describe('a reply that needs no write', () => {
  test('is never given from the cache, which may be older than the answer', async () => {
    const { client, other, calls } = await leadingFixture();
    const stranger: Message = {
      kind: 'vote',
      term: term(5),
      candidate: MEMBERS[1] ?? identityOf().region,
      last: { index: logIndex(9), term: term(4) },
    };
    await other.exchange(() => stranger);
    const readsBefore = calls.read;
    // The cached copy still leads and holds nothing to refuse: only the store knows better.
    const answer = await client.exchange(() => LEAD);
    expect(answer).toMatchObject({ reply: { kind: 'no', reason: 'term-moved-on' } });
    expect(calls.read).toBe(readsBefore + 1);
  });

  test('is given at once from a copy that a conflict brought back', async () => {
    const { client, other, calls } = await leadingFixture();
    await other.exchange(() => proposal('a'));
    const readsBefore = calls.read;
    const answer = await client.exchange(() => proposal('a'));
    expect(answer).toMatchObject({ kind: 'answered', reply: { kind: 'yes' } });
    expect(calls.read).toBe(readsBefore);
  });
});

describe('an outcome that is not known', () => {
  test('is settled by reading: the write had been applied, and is not made again', async () => {
    const made = await leadingFixture();
    made.plan('compareAndSet', 'lost-reply');
    const answer = await made.client.exchange(() => proposal('a'));
    expect(answer).toMatchObject({ kind: 'answered', reply: { kind: 'yes' } });
    expect(idsIn(made)).toEqual([undefined, 'a']);
  });

  test('is settled by writing again: the late first write then finds its revision gone', async () => {
    const made = await leadingFixture();
    const late = gate();
    made.plan('compareAndSet', { late: late.closed });
    await made.client.exchange(() => proposal('a'));
    const revision = made.store.copy?.revision;
    late.open();
    await settle();
    expect(made.store.copy?.revision).toBe(revision);
    expect(idsIn(made)).toEqual([undefined, 'a']);
  });

  test('stays unknown when the register then does not answer', async () => {
    const made = await leadingFixture();
    made.plan('compareAndSet', 'lost-request');
    made.plan('read', 'lost-request');
    expect(await made.client.exchange(() => proposal('a'))).toMatchObject({ kind: 'unknown' });
  });

  test('stays unknown when the register then refuses: the write may stand below the refusal', async () => {
    const made = await leadingFixture();
    const moved = gate();
    made.plan('compareAndSet', 'lost-reply');
    made.plan('read', { gate: moved.closed });
    const answer = made.client.exchange(() => proposal('a'));
    await settle();
    await made.other.exchange(() => ({ kind: 'campaign', term: term(7) }));
    moved.open();
    // The entry of term 1 is in the log, so that a leader of term 8 may commit it.
    expect(await answer).toMatchObject({ kind: 'unknown', cause: 'term-moved-on' });
    expect(idsIn(made)).toEqual([undefined, 'a']);
  });

  test('is what a refused repetition leaves: a store that repeats a request conflicts with itself', async () => {
    const made = await leadingFixture();
    const { port } = made;
    const repeating = new RegisterClient(
      {
        ...port,
        compareAndSet: async (expected, server) => {
          await port.compareAndSet(expected, server);
          await made.other.exchange(() => ({ kind: 'campaign', term: term(7) }));
          return port.compareAndSet(expected, server);
        },
      },
      () => undefined,
    );
    await repeating.refresh();
    const answer = await repeating.exchange(() => proposal('a'));
    expect(idsIn(made)).toEqual([undefined, 'a']);
    expect(answer.kind).toBe('unknown');
  });

  test('is what a register leaves that halts in the middle', async () => {
    const made = await leadingFixture();
    made.plan('compareAndSet', 'lost-reply');
    made.plan('read', 'throws');
    expect(await made.client.exchange(() => proposal('a'))).toMatchObject({ kind: 'unknown' });
  });

  test('has an end: after eight tries in vain the exchange gives up', async () => {
    const made = await leadingFixture();
    made.plan('compareAndSet', ...Array(20).fill('lost-request'));
    const writesBefore = made.calls.compareAndSet;
    expect(await made.client.exchange(() => proposal('a'))).toMatchObject({ kind: 'unknown' });
    expect(made.calls.compareAndSet - writesBefore).toBe(8);
  });
});

describe('a refusal', () => {
  test.each(['refused', 'too-large'] as const)('that is %s changed nothing', async (fault) => {
    const made = await leadingFixture();
    made.plan('compareAndSet', fault);
    expect(await made.client.exchange(() => proposal('a'))).toMatchObject({ kind: 'refused' });
    expect(idsIn(made)).toEqual([undefined]);
  });

  test('after a write in doubt is still in doubt', async () => {
    const made = await leadingFixture();
    made.plan('compareAndSet', 'lost-request', 'refused');
    expect(await made.client.exchange(() => proposal('a'))).toMatchObject({ kind: 'unknown' });
  });
});

describe('a register that lies', () => {
  const stranger = (changes: Partial<Identity>) => emptyServer(identityOf(changes));

  test.each([
    ['of another cluster', stranger({ clusterId: 'theirs' })],
    ['of a cluster with other founders', stranger({ founders: MEMBERS.slice(1) })],
  ])('because it is %s is halted, loudly and for good', async (_, server) => {
    const { client, logged, calls } = fixture(server);
    expect(await client.refresh()).toBeNull();
    expect(logged).toEqual(['error register-halted']);
    expect(await client.exchange(() => CAMPAIGN)).toMatchObject({ code: 'halted' });
    expect(await client.readBeat()).toMatchObject({ kind: 'unreachable' });
    expect(client.isReachable).toBe(false);
    expect(calls.read + calls.compareAndSet + calls.readBeat).toBe(1);
  });

  test('because it is gone, after it was seen, is halted', async () => {
    const { client, port, logged } = await leadingFixture();
    const forgetful = new RegisterClient(
      { ...port, compareAndSet: async () => ({ kind: 'conflict', copy: null }) },
      (_, event) => logged.push(event),
    );
    await forgetful.refresh();
    await forgetful.exchange(() => proposal('a'));
    expect(logged).toEqual(['register-halted']);
    expect(await forgetful.refresh()).toBeNull();
    expect(client.cached).not.toBeNull();
  });

  test('because it went back in time is halted, even by a read', async () => {
    const made = await leadingFixture();
    const restored = new MemoryRegister();
    restored.compareAndSet(0, emptyServer());
    const backup = memoryRegisterPort(restored, identityOf());
    let isRestored = false;
    const client = new RegisterClient(
      { ...made.port, read: () => (isRestored ? backup.read() : made.port.read()) },
      (_, event) => made.logged.push(event),
    );
    expect(await client.refresh()).not.toBeNull();
    isRestored = true;
    expect(await client.refresh()).toBeNull();
    expect(made.logged).toEqual(['register-halted']);
  });

  test.each([
    'writeBeat',
    'readBeat',
    'readSnapshot',
    'writeSnapshot',
    'dropSnapshotsBelow',
  ] as const)('in %s is halted, and nobody else hears of an exception', async (method) => {
    const { client, plan, logged } = await leadingFixture();
    const { base } = emptyServer();
    plan(method, 'throws');
    const beat = { term: term(1), leader: identityOf().region, counter: 1, commit: base };
    await Promise.all([
      client.writeBeat(beat),
      client.readBeat(),
      client.readSnapshot(base),
      client.writeSnapshot(base, ''),
      client.dropSnapshotsBelow(base.index),
    ]);
    expect(logged).toEqual(['error register-halted']);
  });
});

test('a register that was never made is reported once, and used as soon as it is there', async () => {
  const { client, store, logged } = fixture(null);
  expect(await client.refresh()).toBeNull();
  expect(await client.exchange(() => CAMPAIGN)).toMatchObject({ kind: 'refused' });
  expect(logged).toEqual(['error register-absent']);
  store.compareAndSet(0, emptyServer());
  expect(await client.exchange(() => CAMPAIGN)).toMatchObject({ kind: 'answered' });
});

test('those who wait for a slow register share one read, which begins after all of them asked', async () => {
  const made = await leadingFixture();
  const slow = gate();
  made.plan('read', { gate: slow.closed });
  const readsBefore = made.calls.read;
  const first = made.client.refresh();
  await settle();
  const others = [made.client.refresh(), made.client.refresh(), made.client.refresh()];
  await made.other.exchange(() => proposal('meanwhile'));
  slow.open();
  await first;
  const answers = await Promise.all(others);
  expect(made.calls.read - readsBefore).toBe(2);
  expect(answers.map((server) => server?.entries.length)).toEqual([2, 2, 2]);
});

test('what a yes says is in the store before it is said', async () => {
  const { client, store } = fixture();
  const answer = await client.exchange(() => CAMPAIGN);
  expect(answer).toEqual({
    kind: 'answered',
    reply: { kind: 'yes' },
    server: step(emptyServer(), CAMPAIGN).server,
  });
  expect(store.copy?.server).toEqual(step(emptyServer(), CAMPAIGN).server);
});
