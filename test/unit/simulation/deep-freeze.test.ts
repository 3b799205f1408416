import { describe, expect, test } from 'vitest';
import { deepFreeze } from '../../../lib/simulation/deep-freeze.ts';

describe('a frozen value', () => {
  test('refuses changes at every depth', () => {
    const value = deepFreeze({ list: [{ deep: 1 }] });
    expect(() => Object.assign(value.list[0] ?? {}, { deep: 2 })).toThrow(TypeError);
    expect(() => value.list.push({ deep: 3 })).toThrow(TypeError);
  });

  test('is the very value that came in, typed arrays and all', () => {
    const value = { window: new Uint16Array([1, 2]), text: 'a', none: null };
    expect(deepFreeze(value)).toBe(value);
    expect([...value.window]).toEqual([1, 2]);
  });

  test('is frozen below a part that somebody else had frozen at its surface', () => {
    const surface = Object.freeze({ inner: { deep: 1 } });
    deepFreeze({ surface });
    expect(Object.isFrozen(surface.inner)).toBe(true);
  });
});
