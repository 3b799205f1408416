/** Batches that wait for what the stores can serve, and what becomes of those that cannot wait. */
import { describe, expect, test } from 'vitest';
import { logIndex, type RegionId } from '../../../lib/base/identifiers.ts';
import { elect } from '../../../lib/consensus/elector.ts';
import { LOCAL_TIMINGS, LOG_LIMITS, type LogLimits } from '../../../lib/consensus/settings.ts';
import { registerBytes, writeUnits } from '../../../lib/consensus/size.ts';
import {
  A,
  B,
  bodiesOf,
  C,
  createRegisters,
  portOf,
  propose,
  settle,
  takeLead,
} from './processes.ts';

/** Each write of these small registers costs one unit: five at once, then ten a second. */
const LIMITS = { partitionUnitsPerSecond: 20, reservedUnitsPerSecond: 10, burstUnits: 5 };
const UNIT_MS = 100;

async function leading(limits: Partial<LogLimits> = LIMITS) {
  const registers = await createRegisters({ limits });
  const process = registers.process(A);
  await takeLead(process);
  await settle();
  const writesAt = (region: RegionId) => portOf(process, region).calls.compareAndSet;
  return { registers, process, writesAt };
}

describe('commands beyond what the registers can take', () => {
  test('wait, and go as one batch when their time has come', async () => {
    const { registers, process, writesAt } = await leading();
    // The no-op of the lead was the first.
    for (let place = 1; place < LIMITS.burstUnits; place += 1) {
      expect(await propose(process, `c${place}`)).toMatchObject({ kind: 'committed' });
      await settle();
    }
    const before = writesAt(A);
    const waiting = Array.from({ length: 20 }, (_, place) => propose(process, `w${place}`));
    await settle();
    expect(writesAt(A)).toBe(before);
    await registers.clock.advance(UNIT_MS - 10);
    expect(writesAt(A)).toBe(before);
    // As a batch they make the register a bit larger than one unit.
    await registers.clock.advance(5 * UNIT_MS);
    const outcomes = await Promise.all(waiting);
    expect(outcomes.every(({ kind }) => kind === 'committed')).toBe(true);
    expect(writesAt(A)).toBe(before + 1);
  });

  test('take no register more units than it serves, however many come', async () => {
    const { registers, process, writesAt } = await leading();
    const before = [A, B, C].map(writesAt);
    let committed = 0;
    for (let place = 0; place < 60; place += 1) {
      void propose(process, `c${place}`).then(({ kind }) => {
        committed += kind === 'committed' ? 1 : 0;
      });
      await registers.clock.advance(20);
    }
    await registers.clock.advance(UNIT_MS);
    expect(committed).toBe(60);
    const allowed = LIMITS.burstUnits + (60 * 20 + UNIT_MS) / UNIT_MS;
    for (const [place, region] of [A, B, C].entries()) {
      expect(writesAt(region) - (before[place] ?? 0)).toBeLessThanOrEqual(allowed);
    }
  });

  test('are rejected as busy at once when their time would be over before', async () => {
    const slow = { ...LIMITS, reservedUnitsPerSecond: LIMITS.partitionUnitsPerSecond - 0.1 };
    const { registers, process, writesAt } = await leading({ ...slow, burstUnits: 2 });
    expect(await propose(process, 'x')).toMatchObject({ kind: 'committed' });
    await settle();
    const before = writesAt(A);
    expect(await propose(process, 'y')).toEqual({ kind: 'rejected', code: 'busy' });
    expect(writesAt(A)).toBe(before);
    expect(bodiesOf(registers.serverAt(A))).not.toContain('y');
  });

  test('count what other processes wrote to the same registers', async () => {
    const { registers, process } = await leading();
    const other = registers.process(B);
    await propose(process, 'first');
    for (let place = 0; place < 4; place += 1) {
      expect(await propose(other, `o${place}`)).toMatchObject({ kind: 'committed' });
      await settle();
    }
    const { flow } = process.cluster;
    expect(flow.waitMs(A, 1)).toBe(0);
    // Four writes that it did not make, and a condition that fails by them.
    expect(await propose(process, 'x')).toMatchObject({ kind: 'committed' });
    expect(flow.waitMs(A, 1)).toBeGreaterThan(0);
  });

  test('do not wait for a follower that the quorum does not need; it gets them later', async () => {
    const { registers, process } = await leading();
    await propose(process, 'first');
    await settle();
    const store = registers.storeAt(C);
    for (let writes = 0; writes < 12; writes += 1) {
      store.compareAndSet(store.copy?.revision ?? 0, { ...registers.serverAt(C) });
    }
    await process.cluster.clients.get(C)?.refresh();
    expect(await propose(process, 'x')).toMatchObject({ kind: 'committed' });
    await settle();
    expect(bodiesOf(registers.serverAt(C))).not.toContain('x');
    await registers.clock.advance(20 * UNIT_MS);
    expect(bodiesOf(registers.serverAt(C))).toContain('x');
  });
});

describe('a store that throttles', () => {
  test('is left alone ever longer, and gets the command when it serves again', async () => {
    const { registers, process, writesAt } = await leading({});
    const before = writesAt(A);
    portOf(process, A).plan('compareAndSet', ...Array(6).fill('throttled'));
    const outcome = propose(process, 'x');
    await registers.clock.advance(LOG_LIMITS.throttleWaitMsMin);
    expect(writesAt(A) - before).toBeLessThan(4);
    await registers.clock.advance(3 * LOG_LIMITS.throttleWaitMsMax);
    expect(await outcome).toMatchObject({ kind: 'committed' });
    expect(writesAt(A) - before).toBe(7);
  });

  test('makes nobody believe that something was written', async () => {
    const { registers, process } = await leading({});
    portOf(process, A).plan('compareAndSet', ...Array(200).fill('throttled'));
    const outcome = propose(process, 'x');
    await registers.clock.advance(LOCAL_TIMINGS.proposeTimeoutMs + LOG_LIMITS.throttleWaitMsMax);
    expect(await outcome).toEqual({ kind: 'rejected', code: 'busy' });
    expect(bodiesOf(registers.serverAt(A))).toEqual([null]);
  });
});

describe('a register near its limit', () => {
  const SMALL = { registerBytesMax: 1200, tailEntriesMax: 4, entriesKept: 0 };

  test('takes no command that has no room, before any write; an election still finds some', async () => {
    const { registers, process, writesAt } = await leading(SMALL);
    const names = Array.from({ length: 40 }, (_, place) => `c${place}`);
    const settled: string[] = [];
    for (const name of names) {
      void propose(process, name).then((outcome) => {
        settled.push(outcome.kind === 'rejected' ? outcome.code : outcome.kind);
      });
      await settle();
    }
    const before = writesAt(A);
    await registers.clock.advance(LOCAL_TIMINGS.proposeTimeoutMs + 500);
    expect(writesAt(A)).toBe(before);
    expect(new Set(settled)).toEqual(new Set(['committed', 'log-full']));
    expect(registerBytes(registers.serverAt(A))).toBeLessThanOrEqual(SMALL.registerBytesMax);
    expect((await elect(process.cluster)).kind).toBe('won');
  });

  test('takes commands again when it was compacted, by whomever', async () => {
    const { registers, process } = await leading(SMALL);
    for (let place = 0; registerBytes(registers.serverAt(A)) < 1126; place += 1) {
      await propose(process, `c${place}`);
      await settle();
    }
    const waiting = propose(process, 'more');
    await registers.clock.advance(100);
    expect(bodiesOf(registers.serverAt(A))).not.toContain('more');
    const other = registers.process(A);
    await other.host.confirmLeadership();
    await other.compactor.tick(logIndex(1_000_000));
    await other.compactor.tick(logIndex(1_000_000));
    await registers.clock.advance(500);
    expect(await waiting).toMatchObject({ kind: 'committed' });
  });
});

test('the largest batch on the largest tail stays below what a register may hold', () => {
  const { tailBytesMax, batchBytesMax, registerBytesMax, burstUnits } = LOG_LIMITS;
  expect(tailBytesMax + 2 * batchBytesMax).toBeLessThan(registerBytesMax);
  expect(writeUnits(registerBytesMax)).toBeLessThanOrEqual(burstUnits);
});
