/**
 * Stands in for `zod` in the bundled functions: all of it but its 60 languages of error messages.
 *
 * `import { z } from 'zod'` keeps the whole namespace alive, and with it 264 KB of translations that
 * no function ever speaks and every cold start would read. English is built in elsewhere and stays.
 */
// biome-ignore-all lint/performance/noReExportAll: it stands in for a package and has all it exports.
// biome-ignore-all lint/performance/noBarrelFile: the same.
import * as z from './zod-exports.ts';

export * from './zod-exports.ts';
export { z };
