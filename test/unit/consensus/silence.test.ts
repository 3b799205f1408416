/** How long a region bears the silence of a leader, by what is known of that leader's register. */
import { describe, expect, test } from 'vitest';
import type { RegionId } from '../../../lib/base/identifiers.ts';
import { clientOf } from '../../../lib/consensus/cluster.ts';
import { LOCAL_TIMINGS } from '../../../lib/consensus/settings.ts';
import { PRE_VOTE_BEATS, Silence } from '../../../lib/consensus/silence.ts';
import { A, B, C, createRegisters, portOf, type Registers } from './processes.ts';

const { beatMs, electionTimeoutMsMin, electionTimeoutMsMax } = LOCAL_TIMINGS;

/** How long this region bears it; every register was asked once. */
async function patienceMs(
  registers: Registers,
  { at, leader, down }: { at: RegionId; leader: RegionId | null; down: readonly RegionId[] },
): Promise<number> {
  const process = registers.process(at);
  for (const region of down) {
    portOf(process, region).isDown = true;
  }
  for (const region of registers.regions) {
    await clientOf(process.cluster, region).readBeat();
  }
  const silence = new Silence(process.cluster);
  if (leader !== null) {
    silence.hear('1/1', leader);
  }
  const since = registers.clock.monotonicNow();
  while (!silence.isOver) {
    await registers.clock.advance(1);
  }
  return registers.clock.monotonicNow() - since;
}

describe('a region that hears no beat', () => {
  test.each([A, null])(
    'waits an election timeout while nothing is in a hurry (leader %s)',
    async (leader) => {
      const waitMs = await patienceMs(await createRegisters(), { at: B, leader, down: [] });
      expect(waitMs).toBeGreaterThanOrEqual(electionTimeoutMsMin);
      expect(waitMs).toBeLessThanOrEqual(electionTimeoutMsMax + 1);
    },
  );

  test('stands in its turn, a pre-vote after the one before, when the register is gone too', async () => {
    const waits: number[] = [];
    for (const [at, leader] of [
      [C, B],
      [A, B],
      [A, C],
      [B, C],
    ] as const) {
      waits.push(await patienceMs(await createRegisters(), { at, leader, down: [leader] }));
    }
    const [first, second] = [3.5 * beatMs, (3.5 + PRE_VOTE_BEATS) * beatMs];
    expect(waits).toEqual([first, second, first, second]);
  });

  test('waits twice as long when it is the one that is cut off', async () => {
    const cutOff = await patienceMs(await createRegisters(), { at: A, leader: C, down: [A, C] });
    expect(cutOff).toBe(2 * 3.5 * beatMs);
  });

  test('asks the others at the first missing beat, and takes only a new one for a sign of life', async () => {
    const registers = await createRegisters();
    const { cluster } = registers.process(B);
    for (const region of registers.regions) {
      await clientOf(cluster, region).readBeat();
    }
    const silence = new Silence(cluster);
    silence.hear('1/1', A);
    expect(silence.isDoubtful).toBe(false);
    await registers.clock.advance(beatMs / 2 + 1);
    expect(silence.isDoubtful).toBe(true);
    silence.noteAsked();
    await registers.clock.advance(electionTimeoutMsMax);
    expect(silence.isDoubtful).toBe(true);
    silence.hear('1/2', A);
    expect(silence.isDoubtful).toBe(false);
    expect(silence.isOver).toBe(false);
    silence.hear('1/2', A);
    await registers.clock.advance(electionTimeoutMsMax);
    silence.hear('1/2', A);
    expect(silence.isOver, 'the same beat is no sign of life').toBe(true);
  });
});
