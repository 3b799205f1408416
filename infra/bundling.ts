/**
 * How a function is bundled: one ESM file, with the SDK inside it.
 *
 * The runtime's own SDK changes under a function that nobody deployed; a bundled one is the version
 * that was tested, and the bundler drops what is not used of it, which is most of it. The same
 * options serve the stacks and the test that weighs the bundles.
 */

/** Bytes of one bundled function before compression; a cold start reads and compiles all of it. */
export const BUNDLE_BYTES_MAX = 1_250_000;

/**
 * The controller carries the clients of every service that a plan can act on, 290 kB of them, and starts
 * cold once in a deployment: it is invoked each minute.
 */
export const CONTROLLER_BYTES_MAX = 1_600_000;

export const BUNDLE_TARGET = 'node24';

/** ESM first: a CommonJS build defeats the removal of unused code. */
export const BUNDLE_MAIN_FIELDS: readonly string[] = ['module', 'main'];

/** CommonJS dependencies call `require`, which an ES module does not have. */
export const BUNDLE_BANNER =
  "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

/** Packages that a function gets a smaller equal of; the files say what is left out and why. */
export const BUNDLE_ALIASES: readonly { readonly name: string; readonly path: string }[] = [
  { name: 'zod', path: 'infra/bundled/zod.ts' },
  { name: '@aws-sdk/credential-provider-node', path: 'lib/aws/environment-credentials.ts' },
];
