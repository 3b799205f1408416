import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as zod from 'zod';
import * as bundled from '../../../infra/bundled/zod.ts';
import * as bundledCore from '../../../infra/bundled/zod-core.ts';
import { BUNDLE_ALIASES } from '../../../infra/bundling.ts';
import { ROOT } from '../../support/infra.ts';

describe('what functions get instead of a package', () => {
  test('is there', () => {
    expect(BUNDLE_ALIASES.filter(({ path }) => !existsSync(`${ROOT}${path}`))).toEqual([]);
  });

  test('has every export of zod but the translations, and the same values', () => {
    const { default: _default, locales: _locales, z: _z, core, ...exports } = zod;
    const { core: _core, z, ...stoodIn } = bundled;
    expect(stoodIn).toEqual(exports);
    expect(new Set(Object.keys(z))).toEqual(new Set([...Object.keys(exports), 'core']));
    const { locales: _coreLocales, ...coreExports } = core;
    expect({ ...bundledCore }).toEqual(coreExports);
  });

  test('speaks English', () => {
    const { error } = bundled.z.string().safeParse(7);
    expect(error?.issues[0]?.message).toBe('Invalid input: expected string, received number');
  });
});
