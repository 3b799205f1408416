import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ArrivalWindow, Beat } from '../../../lib/detection/arrival-window.ts';
import { FORMER_BOOTS_MAX } from '../../../lib/detection/limits.ts';
import { recordArrival } from '../../../lib/detection/record-arrival.ts';
import { decodeWindow, encodeWindow } from '../../../lib/detection/window-codec.ts';
import { accept, INTERVAL_MS, POLICY, START } from './arrivals.ts';

const REMEMBERED = 1 + FORMER_BOOTS_MAX;

function stored(window: ArrivalWindow): ArrivalWindow {
  const outcome = decodeWindow(encodeWindow(window));
  if (outcome.kind !== 'decoded') {
    throw new Error(outcome.code);
  }
  return outcome.window;
}

/** Boots that come, go and come back; each of their beats is sent once, in its order. */
const lives = fc.array(
  fc.record({ boot: fc.nat(REMEMBERED - 1), beats: fc.integer({ min: 1, max: 4 }) }),
  { minLength: 1, maxLength: 30 },
);

test('no beat that was heard changes anything when it is delivered again, of whatever boot', () => {
  fc.assert(
    fc.property(lives, (turns) => {
      const heard: Beat[] = [];
      const sent = new Map<string, number>();
      let window: ArrivalWindow | null = null;
      for (const { boot, beats } of turns) {
        const bootId = `boot-${boot}`;
        for (let turn = 0; turn < beats; turn += 1) {
          const sequence = (sent.get(bootId) ?? 0) + 1;
          sent.set(bootId, sequence);
          const arrivedAt = epochMillis(START + INTERVAL_MS * heard.length);
          heard.push({ bootId, sequence, arrivedAt });
          window = accept(window, { bootId, sequence, arrivedAt });
          expect(window).toMatchObject({
            bootId,
            lastSequence: sequence,
            lastArrivalAt: arrivedAt,
          });
        }
        const back = stored(
          accept(window, heard.at(-1) ?? { bootId: 'x', sequence: 0, arrivedAt: START }),
        );
        const later = epochMillis(START + INTERVAL_MS * (heard.length + 60));
        for (const beat of heard) {
          const outcome = recordArrival(back, { ...beat, arrivedAt: later }, POLICY);
          expect(outcome).toEqual({ kind: 'duplicate', window: back });
        }
      }
    }),
    { numRuns: 100, seed: 9 },
  );
});

test('a site does not live on old beats of many boots that go round', () => {
  let window: ArrivalWindow | null = null;
  let arrivedAt = START;
  const beat = (boot: number, sequence: number): Beat => {
    arrivedAt = epochMillis(arrivedAt + INTERVAL_MS);
    return { bootId: `boot-${boot}`, sequence, arrivedAt };
  };
  for (let boot = 0; boot < REMEMBERED; boot += 1) {
    window = accept(accept(window, beat(boot, 1)), beat(boot, 2));
  }
  const lastAt = window?.lastArrivalAt;
  for (let turn = 0; turn < 300; turn += 1) {
    window = accept(window, beat(turn % REMEMBERED, 1 + (turn % 2)));
  }
  expect(window?.lastArrivalAt).toBe(lastAt);
});

test('a boot that comes back with newer beats is heard, and is remembered once', () => {
  let window: ArrivalWindow | null = null;
  for (let turn = 0; turn < 40; turn += 1) {
    const arrivedAt = epochMillis(START + INTERVAL_MS * turn);
    window = accept(window, { bootId: `replica-${turn % 4}`, sequence: turn, arrivedAt });
    expect(window).toMatchObject({ bootId: `replica-${turn % 4}`, lastSequence: turn });
  }
  expect(window?.formerBoots.map(({ lastSequence }) => lastSequence)).toEqual([38, 37, 36]);
});
