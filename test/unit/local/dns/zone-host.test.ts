import { describe, expect, test } from 'vitest';
import { createZone, recordSetsAt, type Zone } from '../../../../lib/local/dns/zone.ts';
import type { ZoneStore } from '../../../../lib/local/dns/zone-file.ts';
import { openZoneHost } from '../../../../lib/local/dns/zone-host.ts';
import type { Change } from '../../../../lib/recovery/switch-port.ts';

const FIRST = createZone('example.test', '127.0.0.1');

describe('the zone host', () => {
  test('saves the first zone before it serves it', async () => {
    const disk = memoryDisk(null);
    const host = await openZoneHost(disk.store, FIRST);
    expect(disk.saved()).toBe(host.current());
  });

  test('serves a loaded zone and does not write it again', async () => {
    const loaded = { ...FIRST, serial: 7 };
    const disk = memoryDisk(loaded);
    const host = await openZoneHost(disk.store, FIRST);
    expect(host.current()).toBe(loaded);
    expect(disk.saves()).toBe(0);
  });

  test('does not start on a damaged disk', async () => {
    const store: ZoneStore = {
      load: () => Promise.reject(new Error('damaged')),
      save: () => Promise.resolve(),
    };
    await expect(openZoneHost(store, FIRST)).rejects.toThrow('damaged');
  });

  test('serves a change only once it is on disk', async () => {
    const disk = memoryDisk(FIRST);
    const host = await openZoneHost(disk.store, FIRST);
    let servedWhileSaving: number | null = null;
    disk.onSave(() => {
      servedWhileSaving = host.current().serial;
    });
    expect(await host.change([create('a')])).toEqual({ kind: 'applied', serial: 2 });
    expect(servedWhileSaving).toBe(1);
    expect(host.current().serial).toBe(2);
  });

  test('is busy while a change is being written, and free after it', async () => {
    const disk = memoryDisk(FIRST);
    const host = await openZoneHost(disk.store, FIRST);
    const first = host.change([create('a')]);
    expect(await host.change([create('b')])).toEqual({ kind: 'busy' });
    expect((await first).kind).toBe('applied');
    expect((await host.change([create('b')])).kind).toBe('applied');
  });

  test('writes nothing for a conflict or a refusal', async () => {
    const disk = memoryDisk(FIRST);
    const host = await openZoneHost(disk.store, FIRST);
    await host.change([create('a')]);
    expect((await host.change([create('a')])).kind).toBe('conflict');
    expect((await host.change([])).kind).toBe('refused');
    expect(disk.saves()).toBe(1);
  });

  test.each([
    ['before the write', false],
    ['after the write', true],
  ])('when the disk fails %s the outcome is unknown and the disk decides', async (_, isWritten) => {
    const disk = memoryDisk(FIRST);
    const host = await openZoneHost(disk.store, FIRST);
    disk.failNextSave({ isWritten });
    expect(await host.change([create('a')])).toMatchObject({ kind: 'unknown' });
    expect(recordSetsAt(host.current(), 'a.example.test')).toEqual([]);
    const again = await host.change([create('a')]);
    expect(again.kind).toBe(isWritten ? 'conflict' : 'applied');
    expect(recordSetsAt(host.current(), 'a.example.test')).toHaveLength(1);
  });

  test('goes on serving the last zone while the disk stays broken', async () => {
    const disk = memoryDisk(FIRST);
    const host = await openZoneHost(disk.store, FIRST);
    disk.failNextSave({ isWritten: false });
    await host.change([create('a')]);
    disk.breakLoads();
    expect((await host.change([create('a')])).kind).toBe('unknown');
    expect(host.current()).toBe(FIRST);
  });
});

function create(label: string): Change {
  const name = `${label}.example.test`;
  return { action: 'CREATE', recordSet: { name, type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] } };
}

function memoryDisk(initial: Zone | null) {
  let zone = initial;
  let saves = 0;
  let failure: { readonly isWritten: boolean } | null = null;
  let isBroken = false;
  let onSave: () => void = () => undefined;
  const store: ZoneStore = {
    load: async () => {
      if (isBroken) {
        throw new Error('the disk cannot be read');
      }
      return zone;
    },
    save: async (next) => {
      onSave();
      const failing = failure;
      failure = null;
      if (failing?.isWritten !== false) {
        zone = next;
        saves += 1;
      }
      if (failing !== null) {
        throw new Error('the disk cannot be written');
      }
    },
  };
  return {
    store,
    saved: () => zone,
    saves: () => saves,
    onSave: (hook: () => void) => {
      onSave = hook;
    },
    failNextSave: (how: { readonly isWritten: boolean }) => {
      failure = how;
    },
    breakLoads: () => {
      isBroken = true;
    },
  };
}
