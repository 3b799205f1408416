import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,scenario,simulation,architecture,docs}/**/*.test.ts'],
    testTimeout: 30_000,
    maxWorkers: 2,
  },
});
