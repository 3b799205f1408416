/** What every kind of database with one writer must do: run on the memory twin and on stand-ins of AWS. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DatabasePort } from '../../lib/recovery/action-ports.ts';
import type { DatabasePolicy, RunMode } from '../../lib/recovery/plan.ts';

export interface DatabaseHarness {
  readonly port: DatabasePort;
  /** With members at `east`, the writer, and `west`. */
  readonly database: DatabasePolicy;
  readonly missing: DatabasePolicy;
  /** Puts the database there, the writer in the east, and forgets what was done before. */
  readonly stand: () => void;
  /** Whatever was asked for has happened. */
  readonly settle: () => void | Promise<void>;
  readonly changes: () => number;
  readonly loseNextAnswer: ((mode: RunMode) => void) | null;
  readonly close: () => Promise<void>;
}

export function databasePortContract(name: string, start: () => Promise<DatabaseHarness>): void {
  describe(`database port: ${name}`, () => {
    let harness: DatabaseHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.stand());

    const promote = (to: string, mode: RunMode = 'emergency') =>
      harness.port.promote(harness.database, { to, mode, token: 'checkout-9/database' });

    test('says which member is the writer', async () => {
      expect(await harness.port.read(harness.database)).toMatchObject({
        kind: 'read',
        members: { east: { isWriter: true }, west: { isWriter: false } },
      });
    });

    for (const mode of ['graceful', 'emergency'] as const) {
      test(`moves the writer once, and waits until it is there (${mode})`, async () => {
        expect(await promote('west', mode)).toMatchObject({ code: 'database-moving' });
        expect(await promote('west', mode)).toMatchObject({ code: 'database-moving' });
        await harness.settle();
        expect(await promote('west', mode)).toMatchObject({ kind: 'done' });
        expect(harness.changes()).toBe(1);
        expect(await harness.port.read(harness.database)).toMatchObject({
          members: { west: { isWriter: true } },
        });
      });

      test(`a promotion whose answer was lost is found, and not made again (${mode})`, async (context) => {
        if (harness.loseNextAnswer === null) {
          context.skip('its answers are never lost');
        }
        harness.loseNextAnswer?.(mode);
        expect(await promote('west', mode)).toMatchObject({ kind: 'unknown' });
        expect(await promote('west', mode)).toMatchObject({ code: 'database-moving' });
        await harness.settle();
        expect(await promote('west', mode)).toMatchObject({ kind: 'done' });
        expect(harness.changes()).toBe(1);
      });
    }

    test('a writer that is where it should be is left alone', async () => {
      expect(await promote('east')).toMatchObject({ kind: 'done' });
      expect(harness.changes()).toBe(0);
    });

    test('a site without a member is refused', async () => {
      expect(await promote('north')).toMatchObject({ kind: 'refused', code: 'not-a-member' });
    });

    test('a database that is not there is refused', async () => {
      const promotion = { to: 'west', mode: 'emergency', token: 'checkout-9/database' } as const;
      expect(await harness.port.promote(harness.missing, promotion)).toMatchObject({
        kind: 'refused',
        code: 'resource-absent',
      });
    });
  });
}
