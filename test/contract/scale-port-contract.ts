/** What every kind of capacity must do: run on the memory twin, on stand-ins of AWS, and on a hook. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ScalePort } from '../../lib/recovery/action-ports.ts';
import type { ScalableResource } from '../../lib/recovery/plan.ts';

export interface ScaleHarness {
  readonly port: ScalePort;
  readonly resource: ScalableResource;
  /** One of the same kind that is not there. */
  readonly missing: ScalableResource;
  /** Puts the resource there with so many units, all ready, and forgets what was done before. */
  readonly stand: (desired: number) => void;
  /** Whatever was asked for becomes ready. */
  readonly settle: () => void | Promise<void>;
  /** Changes that the resource has taken since `stand`. */
  readonly changes: () => number;
  /** The next change is made and its answer lost; null = answers of this one are never lost. */
  readonly loseNextAnswer: (() => void) | null;
  /** More than the resource may ever have. */
  readonly tooMany: number;
  readonly close: () => Promise<void>;
}

export function scalePortContract(name: string, start: () => Promise<ScaleHarness>): void {
  describe(`scale port: ${name}`, () => {
    let harness: ScaleHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.stand(2));

    const set = (desired: number, mayLower = false) => {
      const { port, resource } = harness;
      return port.set({ resource, desired, mayLower, token: 'checkout-9/scale' });
    };

    test('is read as it stands', async () => {
      const reading = await harness.port.read(harness.resource);
      expect(reading).toMatchObject({ kind: 'read', capacity: { desired: 2, ready: 2 } });
    });

    test('grows, waits until all of it is ready, and is asked for once', async () => {
      expect(await set(5)).toMatchObject({ kind: 'pending', code: 'capacity-growing' });
      expect(await set(5)).toMatchObject({ kind: 'pending', code: 'capacity-growing' });
      await harness.settle();
      expect(await set(5)).toMatchObject({ kind: 'done', evidence: { desired: 5, ready: 5 } });
      expect(harness.changes()).toBe(1);
    });

    test('is done at once, and not touched, where it is as wanted', async () => {
      expect(await set(2)).toMatchObject({ kind: 'done' });
      expect(harness.changes()).toBe(0);
    });

    test('is never made smaller unless that was asked for', async () => {
      harness.stand(7);
      expect(await set(5)).toMatchObject({ kind: 'done', evidence: { desired: 7 } });
      expect(harness.changes()).toBe(0);
      await set(5, true);
      const reading = await harness.port.read(harness.resource);
      expect(reading).toMatchObject({ kind: 'read', capacity: { desired: 5 } });
    });

    test('beyond its maximum it is refused, says what to do, and nothing is changed', async () => {
      const outcome = await set(harness.tooMany);
      expect(outcome).toMatchObject({ kind: 'refused', code: 'capacity-over-max' });
      expect(harness.changes()).toBe(0);
    });

    test('one that is not there is refused', async () => {
      const { port, missing } = harness;
      const absent = { kind: 'refused', code: 'resource-absent' };
      expect(await port.read(missing)).toMatchObject(absent);
      const request = { resource: missing, desired: 3, mayLower: false, token: 'checkout-9/scale' };
      expect(await port.set(request)).toMatchObject(absent);
    });

    test('a change whose answer was lost is found, and not made again', async (context) => {
      if (harness.loseNextAnswer === null) {
        context.skip('its answers are never lost');
      }
      harness.loseNextAnswer?.();
      expect(await set(4)).toMatchObject({ kind: 'unknown' });
      await harness.settle();
      expect(await set(4)).toMatchObject({ kind: 'done', evidence: { desired: 4, ready: 4 } });
      expect(harness.changes()).toBe(1);
    });
  });
}
