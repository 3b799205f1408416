import { expect, test } from 'vitest';
import { Errand } from '../../../lib/control/errand.ts';

test('one errand is under way at a time, and another may follow it', async () => {
  const errand = new Errand();
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const begin = (name: string) => async () => {
    begun.push(name);
    await gate.promise;
  };
  errand.start(begin('first'));
  errand.start(begin('second'));
  gate.resolve();
  await errand.settled();
  errand.start(begin('third'));
  await errand.settled();
  expect(begun).toEqual(['first', 'third']);
});

test('what an errand throws is nobody else’s: whoever asks next is told, and it stays so', async () => {
  const errand = new Errand();
  errand.start(() => Promise.reject(new Error('a bug')));
  // An unhandled rejection would end this process here.
  await new Promise((resolve) => setImmediate(resolve));
  await expect(errand.settled()).rejects.toThrow('a bug');
  errand.start(async () => undefined);
  await expect(errand.settled()).rejects.toThrow('a bug');
});
