import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServiceState } from '../../../lib/recovery/state.ts';
import { roleOf } from '../../../lib/recovery/traffic.ts';
import type { LogStory } from '../../support/log-story.ts';
import { FENCED, heal, live, openRuns, plots, SEED } from '../../support/plots.ts';

/** Longer than a day, after which the budget of automatic runs has room again. */
const HOURS = 27;
/** A drill comes home, a handover is ended, shares come back: each by a run or two. */
const RUNS_MAX = 8;
const ANN = { by: 'ann', reason: 'a test' } as const;

/** Who asks by force for the site that the log calls active has the records written anew. */
function settle(story: LogStory, { policy, activeSite }: ServiceState): string {
  const asked = { service: policy.service, force: true, ...ANN } as const;
  const { code } =
    policy.strategy === 'active-active'
      ? story.write({ kind: 'failback', ...asked })
      : story.write({ kind: 'failover', to: activeSite, ...asked });
  heal(story, 1);
  return code;
}

test('whatever befell a service, in a world that is well again it serves, and one request settles it', () => {
  const seen = { settled: 0, unsettled: 0 };
  const stories = fc
    .sample(plots, { seed: SEED, numRuns: 40 })
    .flatMap(({ first, plot }) => [first, FENCED].map((policy) => live(plot, [], policy)));
  for (const story of stories) {
    const before = story.state().runs.at(-1)?.id;
    heal(story, HOURS);
    const runs = story.state().runs.map(({ id }) => id);
    expect(runs.length - 1 - runs.lastIndexOf(before ?? '')).toBeLessThanOrEqual(RUNS_MAX);
    expect(openRuns(story.state())).toEqual([]);
    for (const service of Object.values(story.state().services)) {
      const roles = service.policy.sites.map(({ site }) => roleOf(service, site));
      const active = roles.filter((role) => role === 'active').length;
      expect(active).toBeGreaterThan(0);
      expect(service.policy.strategy === 'active-active' || active === 1).toBe(true);
      expect(service.drill).toBeNull();
      const isSteady = service.phase.kind === 'steady';
      seen[isSteady ? 'settled' : 'unsettled'] += 1;
      const code = isSteady ? '' : settle(story, service);
      expect(story.service(service.policy.service).phase, code).toEqual({ kind: 'steady' });
    }
  }
  expect(seen.settled).toBeGreaterThan(0);
  expect(seen.unsettled).toBeGreaterThan(0);
});
