import { defineConfig } from 'vitest/config';

/** Tests of rooms that keep nothing between two calls. Their files share a process: it loads the modules once. */
const SHARED =
  'test/unit/{agent,api,aws,base,config,consensus,control,detection,evaluation,recovery,simulation}/**/*.test.ts';

const limits = { testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...limits, name: 'shared', include: [SHARED], isolate: false } },
      {
        test: {
          ...limits,
          name: 'alone',
          include: ['test/{unit,contract,scenario,simulation,architecture,docs}/**/*.test.ts'],
          // The chaos scenarios take minutes of virtual time each: `npm run chaos`.
          exclude: [SHARED, 'test/scenario/chaos/**'],
        },
      },
    ],
  },
});
