/** The creation of registers: once, whole, and never over something that has voted. */
import { describe, expect, test } from 'vitest';
import type { RegionId } from '../../../lib/base/identifiers.ts';
import { bootstrapCluster } from '../../../lib/consensus/bootstrap.ts';
import { elect } from '../../../lib/consensus/elector.ts';
import type { RegisterPort } from '../../../lib/consensus/register-port.ts';
import { MemoryRegister, memoryRegisterPort } from '../../../lib/simulation/memory-register.ts';
import { faultyPort } from './faulty-port.ts';
import { A, B, C, createRegisters, propose, takeLead } from './processes.ts';

const MEMBERS = [A, B, C].toSorted();

function portsOver(stores: ReadonlyMap<RegionId, MemoryRegister>): readonly RegisterPort[] {
  return [...stores].map(([region, store]) =>
    memoryRegisterPort(store, { clusterId: 'test', region, founders: MEMBERS }),
  );
}

function emptyStores(): Map<RegionId, MemoryRegister> {
  return new Map(MEMBERS.map((region) => [region, new MemoryRegister()]));
}

const bootstrap = (registers: readonly RegisterPort[]) =>
  bootstrapCluster({ registers, clusterId: 'test', founders: MEMBERS });

describe('bootstrap', () => {
  test('creates all registers, and finds them there the second time', async () => {
    const stores = emptyStores();
    expect(await bootstrap(portsOver(stores))).toBe('created');
    expect(await bootstrap(portsOver(stores))).toBe('already-there');
    expect([...stores.values()].map(({ copy }) => copy?.revision)).toEqual([1, 1, 1]);
  });

  test('by two at once creates each register once', async () => {
    const stores = emptyStores();
    await Promise.all([bootstrap(portsOver(stores)), bootstrap(portsOver(stores))]);
    expect([...stores.values()].map(({ copy }) => copy?.revision)).toEqual([1, 1, 1]);
  });

  test('creates nothing while a register does not answer', async () => {
    const stores = emptyStores();
    const ports = portsOver(stores).map((port) => faultyPort(port));
    ports[2]?.plan('read', 'lost-request');
    await expect(bootstrap(ports.map(({ port }) => port))).rejects.toMatchObject({
      code: 'bootstrap-needs-all',
      retryable: true,
    });
    expect([...stores.values()].every(({ copy }) => copy === null)).toBe(true);
  });

  test('goes on where a creation was in doubt', async () => {
    const stores = emptyStores();
    const ports = portsOver(stores).map((port) => faultyPort(port));
    ports[2]?.plan('compareAndSet', 'lost-request');
    await expect(bootstrap(ports.map(({ port }) => port))).rejects.toMatchObject({
      code: 'bootstrap-unfinished',
    });
    expect(await bootstrap(portsOver(stores))).toBe('created');
    expect([...stores.values()].every(({ copy }) => copy !== null)).toBe(true);
  });

  test('never creates a register anew in a cluster that has voted: it could vote twice', async () => {
    const registers = await createRegisters();
    await takeLead(registers.process(A));
    const stores = new Map(
      MEMBERS.map((region) => [
        region,
        region === C ? new MemoryRegister() : registers.storeAt(region),
      ]),
    );
    await expect(bootstrap(portsOver(stores))).rejects.toMatchObject({ code: 'register-absent' });
    expect(stores.get(C)?.copy).toBeNull();
  });
});

test('processes that were there before the registers go to work as soon as they are made', async () => {
  const registers = await createRegisters({ isBootstrapped: false });
  const process = registers.process(A);
  expect(await elect(process.cluster)).toEqual({ kind: 'no-quorum' });
  await bootstrap(
    portsOver(new Map(registers.regions.map((region) => [region, registers.storeAt(region)]))),
  );
  await takeLead(process);
  expect(await propose(process, 'x')).toMatchObject({ kind: 'committed' });
  expect(process.logged.filter((event) => event === 'error register-absent')).toHaveLength(3);
});
