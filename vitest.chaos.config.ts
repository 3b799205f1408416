import { defineConfig } from 'vitest/config';

/** The chaos scenarios of the specification, and the proof that the checkers of the whole simulation bite. */
export default defineConfig({
  test: {
    include: ['test/scenario/chaos/**/*.test.ts'],
    testTimeout: 120_000,
    maxWorkers: 2,
  },
});
