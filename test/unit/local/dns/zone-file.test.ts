import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyBatch, createZone, recordSetsOf, type Zone } from '../../../../lib/local/dns/zone.ts';
import { zoneFile } from '../../../../lib/local/dns/zone-file.ts';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tripoint-zone-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ZONE = withRecords(createZone('example.test', '127.0.0.1'));

describe('the zone file', () => {
  test('that does not exist is no zone, not an error', async () => {
    expect(await zoneFile(freshPath()).load()).toBeNull();
  });

  test('gives back the zone that was saved, in a folder that it made', async () => {
    const path = join(folder, 'deep', 'er', 'zone.json');
    await zoneFile(path).save(ZONE);
    const loaded = await zoneFile(path).load();
    expect(loaded).toEqual(ZONE);
    expect(loaded === null ? [] : recordSetsOf(loaded)).toHaveLength(3);
  });

  test('keeps the weights', async () => {
    const path = freshPath();
    const weighted = ['a', 'b'].map((id, place) => ({
      action: 'CREATE' as const,
      recordSet: {
        name: 'split.example.test',
        type: 'A' as const,
        ttlSeconds: 5,
        values: [`192.0.2.${place + 1}`],
        weighted: { id, weight: 40 + place * 20 },
      },
    }));
    const outcome = applyBatch(ZONE, weighted);
    const zone = outcome.kind === 'applied' ? outcome.zone : ZONE;
    await zoneFile(path).save(zone);
    expect(await zoneFile(path).load()).toEqual(zone);
    expect(recordSetsOf(zone)).toHaveLength(5);
  });

  test('holds the newest of two saves and leaves no other file behind', async () => {
    const path = join(folder, 'alone', 'zone.json');
    await zoneFile(path).save(createZone('example.test', '127.0.0.1'));
    await zoneFile(path).save(ZONE);
    expect((await zoneFile(path).load())?.serial).toBe(ZONE.serial);
    expect(await readdir(join(folder, 'alone'))).toEqual(['zone.json']);
  });

  test('survives a save that died before its rename', async () => {
    const path = freshPath();
    await zoneFile(path).save(ZONE);
    await writeFile(`${path}.new`, '{"half":');
    expect(await zoneFile(path).load()).toEqual(ZONE);
    await zoneFile(path).save(ZONE);
    expect(await zoneFile(path).load()).toEqual(ZONE);
  });

  test('is an error, never an empty zone, when any single byte is changed', async () => {
    const path = freshPath();
    await zoneFile(path).save(ZONE);
    const good = await readFile(path);
    for (let position = 0; position < good.length; position += 7) {
      const bad = Buffer.from(good);
      bad.writeUInt8((bad.readUInt8(position) + 1) & 0x7f, position);
      await writeFile(path, bad);
      await expect(zoneFile(path).load()).rejects.toMatchObject({ code: 'zone-file-corrupt' });
    }
  });

  test.each([
    ['is empty', ''],
    ['is cut off', '{"sha256":"'],
    ['is JSON of another kind', '[]'],
    ['has a member too many', '{"sha256":"","zone":{},"extra":1}'],
  ])('is an error with a hint when it %s', async (_, text) => {
    const path = freshPath();
    await writeFile(path, text);
    await expect(zoneFile(path).load()).rejects.toMatchObject({
      code: 'zone-file-corrupt',
      hint: expect.stringContaining('Restore'),
    });
  });

  test('that cannot be read is an error of its own', async () => {
    await expect(zoneFile(folder).load()).rejects.toMatchObject({ code: 'zone-file-unreadable' });
  });
});

function freshPath(): string {
  files += 1;
  return join(folder, `zone-${files}.json`);
}

function withRecords(zone: Zone): Zone {
  const outcome = applyBatch(zone, [
    {
      action: 'CREATE',
      recordSet: { name: 'a.example.test', type: 'A', ttlSeconds: 5, values: ['192.0.2.1'] },
    },
    {
      action: 'CREATE',
      recordSet: { name: '_tripoint.a.example.test', type: 'TXT', ttlSeconds: 5, values: ['"é\\'] },
    },
  ]);
  return outcome.kind === 'applied' ? outcome.zone : zone;
}
