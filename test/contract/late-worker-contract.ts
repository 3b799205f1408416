/**
 * A worker that read the zone, fell asleep before its write, and wakes up after two newer switches:
 * whatever it does then changes nothing. This is what happened to us-east-1 in October 2025, with the
 * other ending.
 */
import { expect, test } from 'vitest';
import { logIndex, term } from '../../lib/base/identifiers.ts';
import { switchOnce } from '../../lib/recovery/switch-once.ts';
import { type SwitchIntent, switchNames } from '../../lib/recovery/switch-plan.ts';
import type { ReadOutcome, SwitchPort } from '../../lib/recovery/switch-port.ts';
import type { LateWorkerResult } from '../support/late-worker.ts';

export interface LateWorkerHarness {
  readonly port: SwitchPort;
  /** Begins the switch and stops between its read and its write. */
  readonly freeze: (intent: SwitchIntent) => Promise<{
    readonly wake: () => Promise<LateWorkerResult>;
  }>;
  readonly close: () => Promise<void>;
}

const DNS_NAME = 'late.example.test';

export function lateWorkerContract(name: string, start: () => Promise<LateWorkerHarness>): void {
  test(`${name}: a worker frozen before its write and woken after two newer switches changes nothing`, async () => {
    const harness = await start();
    try {
      const { port } = harness;
      expect((await run(port, intentAt(1))).kind).toBe('done');
      const frozen = await harness.freeze(intentAt(2));
      // It has written nothing: what it read stands.
      expect(fenceIn(await port.read(switchNames(DNS_NAME)))).toContain(' index=1 ');
      expect((await run(port, intentAt(3))).kind).toBe('done');
      expect((await run(port, intentAt(4))).kind).toBe('done');
      const before = await port.read(switchNames(DNS_NAME));
      const { first, outcome } = await frozen.wake();
      expect(first.kind).toBe('conflict');
      expect(outcome).toMatchObject({
        kind: 'stale',
        standing: { run: 'late-4', epoch: { index: 4 } },
      });
      expect(await port.read(switchNames(DNS_NAME))).toEqual(before);
      expect(fenceIn(before)).toContain(' index=4 ');
    } finally {
      await harness.close();
    }
  });
}

function intentAt(index: number): SwitchIntent {
  return {
    dnsName: DNS_NAME,
    recordType: 'A',
    ttlSeconds: 5,
    // 1 and 3 go to the same site: only the fence tells what the late worker read from what stands.
    targets: [{ site: `site-${index % 2}`, address: `192.0.2.${1 + (index % 2)}`, weight: 100 }],
    epoch: { term: term(1), index: logIndex(index) },
    run: `late-${index}`,
  };
}

function run(port: SwitchPort, intent: SwitchIntent) {
  return switchOnce(port, intent, { clock: { sleep: async () => undefined }, random: () => 0 });
}

function fenceIn(reading: ReadOutcome): string {
  const sets = reading.kind === 'read' ? reading.recordSets : [];
  return sets.find(({ type }) => type === 'TXT')?.values[0] ?? '';
}
