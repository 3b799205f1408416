import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,scenario,simulation,architecture,docs}/**/*.test.ts'],
    // Minutes of virtual time each: `npm run chaos`.
    exclude: ['test/scenario/chaos/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
