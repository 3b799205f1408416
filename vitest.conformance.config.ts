import { defineConfig } from 'vitest/config';

/** What needs a peer: the store contracts on the official DynamoDB Local (Java), switches on BIND 9, the shell agent and pages with curl. */
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    globalSetup: ['test/conformance/global-setup.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
