/** Bundles a function as the stacks do: the same options, through esbuild's own interface. */
import { build, type Metafile } from 'esbuild';
import {
  BUNDLE_ALIASES,
  BUNDLE_BANNER,
  BUNDLE_MAIN_FIELDS,
  BUNDLE_TARGET,
} from '../../infra/bundling.ts';
import type { FunctionRole } from '../../lib/config/names.ts';
import { ROOT } from './infra.ts';

export interface FunctionBundle {
  /** Path of the ES module. */
  readonly path: string;
  readonly bytes: number;
  readonly output: Metafile['outputs'][string];
}

export async function bundleFunction(role: FunctionRole, folder: string): Promise<FunctionBundle> {
  const path = `${folder}/${role}.mjs`;
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${role}.ts`],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: BUNDLE_TARGET,
    mainFields: [...BUNDLE_MAIN_FIELDS],
    banner: { js: BUNDLE_BANNER },
    alias: Object.fromEntries(BUNDLE_ALIASES.map((alias) => [alias.name, `${ROOT}${alias.path}`])),
    minify: true,
    metafile: true,
    logLevel: 'warning',
  });
  const output = Object.values(metafile.outputs)[0];
  if (output === undefined) {
    throw new Error(`esbuild wrote nothing for ${role}`);
  }
  return { path, bytes: output.bytes, output };
}
