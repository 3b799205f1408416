import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from '../../../lib/simulation/event-queue.ts';

const nothing = () => undefined;

test('gives events by instant, and those of one instant in the order of scheduling', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (instants) => {
      const queue = new EventQueue();
      for (const at of instants) {
        queue.push(at, nothing, '');
      }
      const popped = drained(queue, 20);
      const ordered = popped.toSorted((a, b) => a.at - b.at || a.order - b.order);
      expect(popped).toEqual(ordered);
      expect(popped.length).toBe(instants.length);
    }),
  );
});

test('keeps what is not due yet, and takes in more meanwhile', () => {
  const queue = new EventQueue();
  queue.push(30, nothing, 'late');
  queue.push(10, nothing, 'early');
  expect(queue.popUntil(9)).toBeNull();
  expect(queue.popUntil(10)?.label).toBe('early');
  queue.push(20, nothing, 'between');
  expect(drained(queue, 40).map(({ label }) => label)).toEqual(['between', 'late']);
});

function drained(queue: EventQueue, until: number) {
  const events = [];
  for (let event = queue.popUntil(until); event !== null; event = queue.popUntil(until)) {
    events.push(event);
  }
  return events;
}
