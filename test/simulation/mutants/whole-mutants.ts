/**
 * Bugs in how a role is lent, withdrawn and moved, which the checkers of the whole simulation must see.
 * The lives of the log know of no sites, so these are hunted by scenarios.
 */
import type { Mutant } from './mutant.ts';

const LEASES = 'test/scenario/chaos/lease.test.ts';
const SWITCHES = 'test/scenario/chaos/late-switch.test.ts';

export const WHOLE_MUTANTS: readonly Mutant[] = [
  {
    name: 'fence-not-awaited',
    file: 'lib/control/step-effects/fence.ts',
    find: 'if (now >= until) {',
    replace: 'if (now >= until - waitMs) {',
    why: 'The other site is promoted while the lease of the one before still runs.',
    tests: LEASES,
  },
  {
    name: 'lease-without-confirmation',
    file: 'lib/control/ingest.ts',
    find: '(this.#lender?.lendMs(beat, detection.intervalMs) ?? 0)',
    replace: 'LEASE_INTERVALS * detection.intervalMs',
    why: 'A region that is cut off with the old site lends it the role for ever.',
    tests: LEASES,
  },
  {
    name: 'lapsed-lease-believed',
    file: 'lib/agent/lease.ts',
    find: 'return until !== null && now < until ? granted',
    replace: 'return until !== null ? granted',
    why: 'A site that hears nobody keeps its role.',
    tests: LEASES,
  },
  {
    name: 'older-switch-over-a-newer-one',
    file: 'lib/recovery/switch-plan.ts',
    find: 'if (order > 0) {',
    replace: 'if (order > 1e9) {',
    why: 'A worker that wakes up late puts an old plan over a newer one (us-east-1, October 2025).',
    tests: SWITCHES,
  },
];
