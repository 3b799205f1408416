import { defineConfig } from 'vitest/config';

/** The contract suites against the official DynamoDB Local: `npm run conformance`. Needs Java. */
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    globalSetup: ['test/conformance/global-setup.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
