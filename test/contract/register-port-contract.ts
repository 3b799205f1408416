/**
 * What every register must do, whatever keeps it: run on the memory register, on the embedded
 * store, on DynamoDB Local (`npm run conformance`) and, on demand, on AWS.
 *
 * Lost replies, late requests and other troubles of the network are in
 * `register-table-contract.ts`, for stores that are reached over one.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandId, commandId, logIndex, regionId, term } from '../../lib/base/identifiers.ts';
import type { Beat, Copy, RegisterPort, RegisterRead } from '../../lib/consensus/register-port.ts';
import type { Base, Entry, Identity, Server } from '../../lib/consensus/server.ts';
import { emptyServer, identityOf, serverWith } from '../support/servers.ts';

export interface RegisterHarness {
  /** A port on the register named `group` of one store; ports of one group share it. */
  readonly open: (identity: Identity, group: string) => RegisterPort;
  readonly close: () => Promise<void>;
}

const STRANGERS: readonly (readonly [string, Identity])[] = [
  ['cluster', identityOf({ clusterId: 'another-cluster' })],
  ['region', identityOf({ region: regionId('us-east-2') })],
  ['founders', identityOf({ founders: [regionId('us-east-1'), regionId('us-east-2')] })],
];

export function registerPortContract(name: string, start: () => Promise<RegisterHarness>): void {
  describe(`register port: ${name}`, () => {
    let harness: RegisterHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.close());

    const open = (identity = identityOf()): RegisterPort => harness.open(identity, randomUUID());
    const openTwo = (): readonly [RegisterPort, RegisterPort] => {
      const group = randomUUID();
      return [harness.open(identityOf(), group), harness.open(identityOf(), group)];
    };

    compareAndSetCases(open, openTwo);
    contentCases(open);
    identityCases(() => harness);
    beatCases(open);
    snapshotCases(open, () => harness);
  });
}

function compareAndSetCases(
  open: () => RegisterPort,
  openTwo: () => readonly [RegisterPort, RegisterPort],
): void {
  test('a register that nobody created is absent', async () => {
    expect(await open().read()).toEqual({ kind: 'absent' });
  });

  test('a created register is found at revision 1 with what was written', async () => {
    const [register, other] = openTwo();
    expect(await register.compareAndSet(0, emptyServer())).toEqual({ kind: 'applied' });
    expect(await other.read()).toEqual({
      kind: 'found',
      copy: { revision: 1, server: emptyServer() },
    });
  });

  test('of 20 concurrent creators exactly one creates, and 19 get its register back', async () => {
    const [left, right] = openTwo();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, creator) =>
        (creator % 2 === 0 ? left : right).compareAndSet(0, serverWith([{ creator }])),
      ),
    );
    const read = await left.read();
    expect(outcomes.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind !== 'applied')).toEqual(
      Array(19).fill({ kind: 'conflict', copy: foundCopy(read) }),
    );
  });

  test('of 20 concurrent changes exactly one wins, and 19 get the winner back', async () => {
    const [left, right] = openTwo();
    await left.compareAndSet(0, emptyServer());
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, writer) =>
        (writer % 2 === 0 ? left : right).compareAndSet(1, serverWith([{ writer }])),
      ),
    );
    const winner = outcomes.findIndex(({ kind }) => kind === 'applied');
    const copy: Copy = { revision: 2, server: serverWith([{ writer: winner }]) };
    expect(outcomes.toSpliced(winner, 1)).toEqual(Array(19).fill({ kind: 'conflict', copy }));
    expect(await left.read()).toEqual({ kind: 'found', copy });
  });

  test('a stale revision is refused and changes nothing', async () => {
    const [register, other] = openTwo();
    await register.compareAndSet(0, emptyServer());
    await register.compareAndSet(1, serverWith(['second']));
    const copy: Copy = { revision: 2, server: serverWith(['second']) };
    expect(await other.compareAndSet(1, serverWith(['late']))).toEqual({ kind: 'conflict', copy });
    expect(await other.compareAndSet(0, serverWith(['late']))).toEqual({ kind: 'conflict', copy });
    expect(await register.read()).toEqual({ kind: 'found', copy });
  });

  test('a change of a register that does not exist conflicts with nothing', async () => {
    const register = open();
    expect(await register.compareAndSet(4, emptyServer())).toEqual({
      kind: 'conflict',
      copy: null,
    });
    expect(await register.read()).toEqual({ kind: 'absent' });
  });

  test('a register that went back in time halts its caller', async () => {
    const register = open();
    await register.compareAndSet(0, emptyServer());
    await expect(register.compareAndSet(7, emptyServer())).rejects.toMatchObject({
      code: 'register-rolled-back',
    });
  });

  test('the revision rises by one with each write, and no concurrent append is lost', async () => {
    const [left, right] = openTwo();
    await left.compareAndSet(0, emptyServer());
    const revisions = await Promise.all([left, right, left, right].map(appendTen));
    const copy = foundCopy(await left.read());
    const ids = copy.server.entries.map(({ command }) => command?.id);
    expect(copy.revision).toBe(41);
    expect(revisions.flat().toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, write) => write + 2),
    );
    expect(new Set(ids).size).toBe(40);
  });
}

/** Appends ten commands by compare-and-set; returns the revisions that its writes made. */
async function appendTen(register: RegisterPort, writer: number): Promise<readonly number[]> {
  const revisions: number[] = [];
  let copy = foundCopy(await register.read());
  while (revisions.length < 10) {
    const id = commandId(`writer-${writer}-${revisions.length}`);
    const outcome = await register.compareAndSet(copy.revision, appended(copy.server, id));
    if (outcome.kind === 'applied') {
      copy = { revision: copy.revision + 1, server: appended(copy.server, id) };
      revisions.push(copy.revision);
    } else if (outcome.kind === 'conflict' && outcome.copy !== null) {
      expect(outcome.copy.revision).toBeGreaterThan(copy.revision);
      copy = outcome.copy;
    } else {
      throw new Error(`not expected of a healthy store: ${JSON.stringify(outcome)}`);
    }
  }
  return revisions;
}

function appended(server: Server, id: CommandId): Server {
  const index = logIndex(server.entries.length + 1);
  const command = { id, basis: logIndex(0), body: null };
  return { ...server, entries: [...server.entries, { index, term: server.term, command }] };
}

function contentCases(open: (identity?: Identity) => RegisterPort): void {
  test.each<readonly [string, Server]>([
    ['every field at work', busyServer()],
    ['a single founder', emptyServer(identityOf({ founders: [regionId('us-east-1')] }))],
    ['the largest counters', largestCounters()],
    ['bodies of every JSON type', serverWith([null, false, 0, -1.5e-7, '', [], {}, [{ a: [] }]])],
    ['text of every plane', serverWith(['Ærø 東京 🗻 \u0000 \u2028 " \\', { 'ключ 🔑': '' }])],
    ['lone surrogates', serverWith(['\ud83d', { '\udc00': '\udc00\ud83d' }])],
    ['a member named __proto__', serverWith([JSON.parse('{"__proto__":{"a":1}}')])],
  ])('keeps %s', async (_, server) => {
    const register = open(server.identity);
    expect(await register.compareAndSet(0, server)).toEqual({ kind: 'applied' });
    expect(await register.read()).toEqual({ kind: 'found', copy: { revision: 1, server } });
  });

  test('keeps a register of 300 KB', async () => {
    const register = open();
    const server = serverWith(Array(300).fill('x'.repeat(1000)));
    expect(await register.compareAndSet(0, server)).toEqual({ kind: 'applied' });
    expect(foundCopy(await register.read()).server).toEqual(server);
  });

  test('an over-size register is refused as too large and changes nothing', async () => {
    const register = open();
    await register.compareAndSet(0, emptyServer());
    const outcome = await register.compareAndSet(1, serverWith(Array(400).fill('x'.repeat(1024))));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'too-large' });
    expect(foundCopy(await register.read())).toEqual({ revision: 1, server: emptyServer() });
  });

  test('a server that breaks an invariant of Raft is never written', async () => {
    const register = open();
    const broken = { ...emptyServer(), commitIndex: logIndex(9) };
    await expect(register.compareAndSet(0, broken)).rejects.toMatchObject({
      code: 'commit-beyond-log',
    });
    expect(await register.read()).toEqual({ kind: 'absent' });
  });
}

function identityCases(harness: () => RegisterHarness): void {
  describe.each(STRANGERS)('the register of another %s', (_, stranger) => {
    let register: RegisterPort;
    let strangersRegister: RegisterPort;
    beforeAll(async () => {
      const group = randomUUID();
      register = harness().open(identityOf(), group);
      strangersRegister = harness().open(stranger, group);
      await strangersRegister.compareAndSet(0, emptyServer(stranger));
    });

    test('halts a read', async () => {
      await expect(register.read()).rejects.toMatchObject(IDENTITY_MISMATCH);
    });

    test.each([0, 1])('halts a write at revision %i, and is not overwritten', async (expected) => {
      await expect(register.compareAndSet(expected, emptyServer())).rejects.toMatchObject(
        IDENTITY_MISMATCH,
      );
      expect(foundCopy(await strangersRegister.read()).server.identity).toEqual(stranger);
    });
  });

  test('a server of another region is not written through this port', async () => {
    const register = harness().open(identityOf(), randomUUID());
    const stranger = emptyServer(identityOf({ region: regionId('us-east-2') }));
    await expect(register.compareAndSet(0, stranger)).rejects.toMatchObject(IDENTITY_MISMATCH);
    expect(await register.read()).toEqual({ kind: 'absent' });
  });
}

function beatCases(open: () => RegisterPort): void {
  test('a register without a beat says so', async () => {
    expect(await open().readBeat()).toEqual({ kind: 'absent' });
  });

  test('a beat of the same or a higher term replaces the one that stands', async () => {
    const register = open();
    for (const beat of [beatOf(2, 1), beatOf(2, 2), beatOf(3, 1)]) {
      expect(await register.writeBeat(beat)).toBe(true);
      expect(await register.readBeat()).toEqual({ kind: 'found', beat });
    }
  });

  test('a beat of a lower term is not kept', async () => {
    const register = open();
    await register.writeBeat(beatOf(3, 1));
    expect(await register.writeBeat(beatOf(2, 9))).toBe(false);
    expect(await register.readBeat()).toEqual({ kind: 'found', beat: beatOf(3, 1) });
  });

  test('a beat does not touch the register', async () => {
    const register = open();
    await register.compareAndSet(0, emptyServer());
    await register.writeBeat(beatOf(3, 1));
    expect(foundCopy(await register.read()).revision).toBe(1);
  });
}

function snapshotCases(open: () => RegisterPort, harness: () => RegisterHarness): void {
  test.each([
    ['nothing at all', ''],
    ['a few bytes', '{"services":{}}'],
    ['1 MB', JSON.stringify(Array(16_384).fill('x'.repeat(61)))],
    // Four bytes each, one byte off: characters straddle the chunks.
    ['text that chunks would cut through', `.${'🗻'.repeat(160_000)}`],
  ])('keeps a snapshot of %s', async (_, text) => {
    const register = open();
    expect(await register.writeSnapshot(baseOf(7, 2), text)).toBe(true);
    expect((await register.readSnapshot(baseOf(7, 2))) === text).toBe(true);
  });

  test('a snapshot is found by its index and term only', async () => {
    const register = open();
    await register.writeSnapshot(baseOf(7, 2), 'seven');
    expect(await register.readSnapshot(baseOf(7, 3))).toBeNull();
    expect(await register.readSnapshot(baseOf(8, 2))).toBeNull();
  });

  test('writing the same snapshot again, also at the same time, succeeds', async () => {
    const register = open();
    const write = () => register.writeSnapshot(baseOf(7, 2), 'seven');
    expect(await Promise.all([write(), write(), write()])).toEqual([true, true, true]);
    expect(await write()).toBe(true);
    expect(await register.readSnapshot(baseOf(7, 2))).toBe('seven');
  });

  test('another text for the same base halts: two machines diverged', async () => {
    const register = open();
    await register.writeSnapshot(baseOf(7, 2), 'seven');
    await expect(register.writeSnapshot(baseOf(7, 2), 'eight')).rejects.toMatchObject({
      code: 'snapshot-diverged',
    });
    expect(await register.readSnapshot(baseOf(7, 2))).toBe('seven');
  });

  test('a text that has no UTF-8 form is refused, not changed', async () => {
    await expect(open().writeSnapshot(baseOf(1, 1), '\ud83d')).rejects.toMatchObject({
      code: 'snapshot-not-well-formed',
    });
  });

  test('dropping forgets all snapshots below an index, and of this group only', async () => {
    const group = `drop-${randomUUID().slice(0, 8)}`;
    const register = harness().open(identityOf(), group);
    const neighbour = harness().open(identityOf(), `${group}-2`);
    const bases = [baseOf(9, 1), baseOf(10, 1), baseOf(11, 2), baseOf(11, 3), baseOf(100, 3)];
    for (const base of bases) {
      await register.writeSnapshot(base, `${base.index}`);
    }
    await neighbour.writeSnapshot(baseOf(9, 1), 'neighbour');
    await register.dropSnapshotsBelow(logIndex(11));
    const left = await Promise.all(bases.map((base) => register.readSnapshot(base)));
    expect(left).toEqual([null, null, '11', '11', '100']);
    expect(await neighbour.readSnapshot(baseOf(9, 1))).toBe('neighbour');
  });
}

const IDENTITY_MISMATCH = { code: 'register-identity-mismatch' };

function foundCopy(read: RegisterRead): Copy {
  if (read.kind !== 'found') {
    throw new Error(`the register should be found: ${JSON.stringify(read)}`);
  }
  return read.copy;
}

function baseOf(index: number, ofTerm: number): Base {
  return { index: logIndex(index), term: term(ofTerm) };
}

function beatOf(ofTerm: number, counter: number): Beat {
  return { term: term(ofTerm), leader: regionId('us-west-2'), counter, commit: baseOf(5, 1) };
}

/** A follower with a compacted log, entries of several terms, and a no-op. */
function busyServer(): Server {
  const entry = (index: number, ofTerm: number, id: string | null): Entry => ({
    index: logIndex(index),
    term: term(ofTerm),
    command:
      id === null ? null : { id: commandId(id), basis: logIndex(index - 1), body: { note: id } },
  });
  return {
    ...emptyServer(),
    term: term(9),
    votedFor: regionId('us-west-2'),
    base: baseOf(41, 4),
    entries: [entry(42, 4, 'first'), entry(43, 6, null), entry(44, 6, '!~'), entry(45, 8, null)],
    commitIndex: logIndex(44),
  };
}

function largestCounters(): Server {
  const largest = Number.MAX_SAFE_INTEGER;
  return {
    ...emptyServer(),
    term: term(largest),
    base: baseOf(largest, largest),
    commitIndex: logIndex(largest),
  };
}
