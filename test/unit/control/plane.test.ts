import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandId, logIndex, term } from '../../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import { outcomeOf } from '../../../lib/control/plane.ts';
import { type MemoryCluster, startMemoryCluster } from '../../support/control-plane.ts';
import { FLEET, untilSteady } from '../../support/control-plane-fixture.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { EAST, T0, WEST } from '../../support/service-states.ts';

const BY = { by: 'ann', reason: 'a test' } as const;
const id = commandId('a-command');

let clock: ManualClock;
let cluster: MemoryCluster;

beforeEach(async () => {
  clock = createManualClock(T0);
  cluster = await startMemoryCluster(clock);
});

afterEach(() => cluster.stop());

const noteAt = (): ControlCommand => ({
  kind: 'note',
  service: 'checkout',
  at: clock.wallNow(),
  ...BY,
});

async function configured(): Promise<MemoryCluster['plane']> {
  const command = { kind: 'configure', at: clock.wallNow(), ...BY, configHash: 'h' } as const;
  await cluster.commit({ ...command, policies: FLEET });
  await untilSteady(cluster.plane, clock);
  return cluster.plane;
}

/** Lets time pass until the answer is there. */
async function settled<Value>(work: Promise<Value>): Promise<Value> {
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await clock.advance(100);
  }
  return work;
}

describe('routing', () => {
  test('says of each site whether it should take traffic, and of nothing else', async () => {
    const plane = await configured();
    expect(plane.routing('checkout', 'us-east-1')).toBe('active');
    expect(plane.routing('checkout', 'us-west-2')).toBe('standby');
    expect(plane.routing('checkout', 'constructor')).toBe('unknown-site');
    expect(plane.routing('toString', 'us-east-1')).toBe('unknown-site');
  });

  test('knows no site before the first configuration', () => {
    expect(cluster.plane.routing('checkout', 'us-east-1')).toBe('unknown-site');
  });

  test('goes on answering from the last state when the quorum is lost', async () => {
    const plane = await configured();
    cluster.setWeather('cut-off');
    await clock.advance(60_000);
    expect(plane.status().position.quorum).toBe(false);
    expect(plane.routing('checkout', 'us-east-1')).toBe('active');
  });
});

describe('a dry run', () => {
  test('says what would happen and changes nothing', async () => {
    const plane = await configured();
    const { state, position } = plane.status();
    const failover = { kind: 'failover', service: 'checkout', at: T0, force: true, ...BY } as const;
    expect(plane.dryRun({ ...failover, to: WEST })).toMatchObject({
      result: { kind: 'accepted' },
      run: { to: WEST, outcome: { kind: 'open' } },
    });
    expect(plane.dryRun({ ...failover, to: EAST, force: false })).toMatchObject({
      result: { code: 'already-active' },
      run: null,
    });
    expect(plane.status()).toMatchObject({ state, position });
  });
});

describe('a command', () => {
  test('takes effect once, however often it is sent, and can be asked about', async () => {
    const plane = await configured();
    const first = await settled(plane.propose(id, noteAt()));
    await clock.advance(5000);
    const second = await settled(plane.propose(id, noteAt()));
    expect(second).toEqual(first);
    const notes = plane.status().state.timeline.filter(({ kind }) => kind === 'note');
    expect(notes).toHaveLength(1);
    expect(await settled(plane.lookUp(id))).toMatchObject({
      kind: 'committed',
      index: first.kind === 'committed' ? first.index : null,
      result: { code: 'noted' },
    });
    expect(await settled(plane.lookUp(commandId('another')))).toEqual({ kind: 'not-found' });
  });

  test('without a quorum is rejected or unknown, in bounded time, and changes nothing', async () => {
    const plane = await configured();
    const { state } = plane.status();
    cluster.setWeather('cut-off');
    const sentAt = clock.monotonicNow();
    const outcomes = [
      await settled(plane.propose(id, noteAt())),
      await settled(plane.propose(commandId('b'), noteAt())),
    ];
    expect(clock.monotonicNow() - sentAt).toBeLessThan(30_000);
    expect(outcomes.map(({ kind }) => kind)).not.toContain('committed');
    expect(await settled(plane.lookUp(id))).toMatchObject({ kind: 'unknown' });
    expect(plane.status().state).toBe(state);
  });
});

describe('a report', () => {
  test('is there when the run has ended, and of no other run', async () => {
    const plane = await configured();
    const failover = { kind: 'failover', service: 'checkout', force: true, ...BY } as const;
    const asked = await cluster.commit({ ...failover, to: WEST, at: clock.wallNow() });
    await untilSteady(plane, clock);
    const run = asked.kind === 'accepted' ? (asked.run ?? '') : '';
    const report = await plane.report(run);
    expect(JSON.parse(report?.json ?? '{}')).toMatchObject({ run, to: WEST });
    expect(report?.markdown).toContain(run);
    expect(await plane.report('checkout-999')).toBeNull();
  });
});

describe("the log's answer in the words of the control plane", () => {
  test('keeps what was committed', () => {
    const result = { kind: 'accepted', code: 'noted', sentence: 'x' };
    const outcome = { kind: 'committed', index: logIndex(4), term: term(2), result } as const;
    expect(outcomeOf(id, outcome)).toEqual({ ...outcome, id });
  });

  test.each([
    'no-leader',
    'no-quorum',
    'too-large',
    'busy',
    'log-full',
    'command-id-reused',
  ] as const)('tells what to do about %s', (code) => {
    const outcome = outcomeOf(id, { kind: 'rejected', code });
    expect(outcome).toMatchObject({ kind: 'rejected', id, code });
    expect(outcome.kind === 'rejected' && outcome.hint.length).toBeGreaterThan(20);
  });

  test('never guesses: what is unknown can be asked about by its id', () => {
    expect(outcomeOf(commandId('a/b'), { kind: 'unknown' })).toMatchObject({
      kind: 'unknown',
      hint: expect.stringContaining('/v1/commands/a%2Fb'),
    });
  });
});
