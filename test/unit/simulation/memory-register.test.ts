/** What only the memory register does; the rest is in the register contract. */
import { expect, test } from 'vitest';
import { regionId } from '../../../lib/base/identifiers.ts';
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
  const store = new MemoryRegister(500);
  expect(store.compareAndSet(0, emptyServer())).toEqual({ kind: 'applied' });
  expect(store.compareAndSet(1, serverWith(['x'.repeat(500)]))).toMatchObject({
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
