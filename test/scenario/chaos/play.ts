/** One scenario of the whole simulation on the policy of the tests, and the figures that a test tells. */
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { runScenario, type ScenarioResult } from '../../../lib/simulation/whole/run-scenario.ts';
import { servicePolicy } from '../../support/service-states.ts';

export interface Played {
  readonly seed?: number;
  readonly path?: 'a' | 'b';
  readonly changes?: Partial<ServicePolicy>;
}

export function play(scenario: string, played: Played = {}): Promise<ScenarioResult> {
  const { seed = 1, path = 'b', changes = {} } = played;
  return runScenario({
    scenario,
    seed,
    path,
    service: 'checkout',
    configHash: '0'.repeat(64),
    policies: [servicePolicy(changes)],
  });
}

/** Sentences of the log in the order of the timeline. */
export function logOf({ timeline }: ScenarioResult): readonly string[] {
  return timeline.filter(({ source }) => source === 'log').map(({ sentence }) => sentence);
}
