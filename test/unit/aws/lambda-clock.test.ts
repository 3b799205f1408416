import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLambdaClock } from '../../../lib/aws/lambda-clock.ts';

function host() {
  const time = { wallMs: 1_000_000, processMs: 50 };
  const clock = createLambdaClock({ wallMs: () => time.wallMs, processMs: () => time.processMs });
  return { time, clock };
}

test('counts the time in which the process was frozen, though its own clock stood still', () => {
  const { time, clock } = host();
  const before = clock.monotonicNow();
  time.wallMs += 3_600_000;
  time.processMs += 2;
  expect(clock.monotonicNow() - before).toBe(3_600_000);
});

test('goes on with the process when the wall clock is set back', () => {
  const { time, clock } = host();
  const before = clock.monotonicNow();
  time.wallMs -= 60_000;
  time.processMs += 250;
  expect(clock.monotonicNow() - before).toBe(250);
  expect(clock.wallNow()).toBe(940_000);
});

test('never goes back, whatever both clocks do', () => {
  const step = fc.record({ wall: fc.integer({ min: -1e6, max: 1e6 }), process: fc.nat(1e6) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const { time, clock } = host();
      let last = clock.monotonicNow();
      return steps.every(({ wall, process }) => {
        time.wallMs += wall;
        time.processMs += process;
        const now = clock.monotonicNow();
        const advanced = now - last;
        last = now;
        return advanced >= Math.max(0, wall, process);
      });
    }),
    { seed: 20_261_123 },
  );
});
