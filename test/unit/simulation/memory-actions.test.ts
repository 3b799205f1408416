import { beforeEach, expect, test } from 'vitest';
import { MemoryActions } from '../../../lib/simulation/memory-actions.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const CONTEXT = {
  ...{ run: 'checkout-9', step: 'page', service: 'checkout', from: 'east', to: 'west' },
  ...{ epoch: { term: 3, index: 9 }, mode: 'emergency' as const },
};
const HOOK = { kind: 'webhook', url: 'http://pager.test/', secretName: null } as const;
const SOURCE = { region: 'us-east-1', table: 'orders' };
const INTO = { region: 'us-west-2', table: 'orders-2' };

let clock: ManualClock;
let world: MemoryActions;
beforeEach(() => {
  clock = createManualClock();
  world = new MemoryActions({ clock, growMs: 1000, moveMs: 1000 });
});

test('a receiver that heeds the token acts once for a step, and again for another', async () => {
  const { webhook } = world.ports.invoke;
  await webhook(HOOK, CONTEXT);
  await webhook(HOOK, CONTEXT);
  await webhook(HOOK, { ...CONTEXT, step: 'page-again' });
  expect(world.effects.map(({ token }) => token)).toEqual([
    'checkout-9/page',
    'checkout-9/page-again',
  ]);
});

test('a receiver answers what it is told to, and does nothing meanwhile', async () => {
  const pending = { kind: 'pending', code: 'receiver-pending', evidence: null } as const;
  world.answerWith(HOOK.url, pending);
  expect(await world.ports.invoke.webhook(HOOK, CONTEXT)).toEqual(pending);
  expect(world.effects).toEqual([]);
  world.answerWith(HOOK.url, null);
  expect(await world.ports.invoke.webhook(HOOK, CONTEXT)).toMatchObject({ kind: 'done' });
});

test('a table is restored as it was when it was copied, and never over items', async () => {
  const { snapshot, restore } = world.ports.tables;
  expect(await restore(SOURCE, INTO, 'a/restore')).toMatchObject({ code: 'copy-absent' });
  world.addTable(SOURCE, ['one', 'two']);
  await snapshot(SOURCE, 'a/copy');
  world.addTable(SOURCE, ['one', 'two', 'three']);
  await snapshot(SOURCE, 'a/copy');
  expect(await restore(SOURCE, INTO, 'a/restore')).toMatchObject({ kind: 'done' });
  expect(await restore(SOURCE, INTO, 'a/restore')).toMatchObject({ kind: 'done' });
  expect(world.itemsOf(INTO)).toEqual(['one', 'two']);
  expect(await restore(SOURCE, INTO, 'b/restore')).toMatchObject({ code: 'table-has-items' });
});
