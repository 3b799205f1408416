/** What only the memory register does; the rest is in the register contract. */
import { expect, test } from 'vitest';
import { logIndex, regionId, term } from '../../../lib/base/identifiers.ts';
import { registerBytes } from '../../../lib/consensus/size.ts';
import { MemoryRegister } from '../../../lib/simulation/memory-register.ts';
import { emptyServer, identityOf, serverWith } from '../../support/servers.ts';

test('what is stored cannot be changed through the value that was written', () => {
  const store = new MemoryRegister();
  const server = serverWith([{ note: 'kept' }]);
  store.compareAndSet(0, server);
  const body = server.entries[0]?.command?.body;
  expect(() => Object.assign(body ?? {}, { note: 'changed' })).toThrow(TypeError);
});

test('the wall can be moved closer', () => {
  const store = new MemoryRegister(1500);
  expect(store.compareAndSet(0, emptyServer())).toEqual({ kind: 'applied' });
  expect(store.compareAndSet(1, serverWith(['x'.repeat(1000)]))).toMatchObject({
    kind: 'refused',
    code: 'too-large',
  });
});

test('a late write of another region halts at the store itself', () => {
  const store = new MemoryRegister();
  store.compareAndSet(0, emptyServer());
  const stranger = emptyServer(identityOf({ region: regionId('us-east-2') }));
  expect(() => store.compareAndSet(1, stranger)).toThrow(
    expect.objectContaining({ code: 'register-identity-mismatch' }),
  );
});

test('its size is that of what stands in it, whatever stood there before', () => {
  const store = new MemoryRegister();
  const logs = [['a'], ['a', 'b'.repeat(300), 'c'], ['d'.repeat(40)], []];
  for (const [expected, bodies] of logs.entries()) {
    const server = serverWith(bodies);
    store.compareAndSet(expected, server);
    expect(store.bytes).toBe(registerBytes(server));
  }
});

test('its size falls with the entries that a new base covers', () => {
  const store = new MemoryRegister();
  const server = serverWith(['a', 'b'.repeat(300), 'c']);
  store.compareAndSet(0, server);
  const [, second] = server.entries;
  const base = { index: logIndex(2), term: second?.term ?? term(0) };
  const compacted = { ...server, base, commitIndex: base.index, entries: server.entries.slice(2) };
  store.compareAndSet(1, compacted);
  expect(store.bytes).toBe(registerBytes(compacted));
});
