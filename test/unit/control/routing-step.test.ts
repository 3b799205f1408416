import { describe, expect, test } from 'vitest';
import { dataPlaneRouting } from '../../../lib/aws/route53/routing-port.ts';
import { performStep } from '../../../lib/control/effects.ts';
import { openSteps, type StepResult } from '../../../lib/recovery/run.ts';
import type { RoutingPort, VerifyPort } from '../../../lib/recovery/switch-port.ts';
import { createEffectWorld, effectContext } from '../../support/effect-ports.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, servicePolicy, T0, WEST } from '../../support/service-states.ts';

const [EAST_ADDRESS, WEST_ADDRESS] = ['192.0.2.11', '192.0.2.12'];

/** What a run whose plan is path A alone says of these answers. */
function routingStep(routingPort: RoutingPort | undefined): Promise<StepResult> {
  const step = {
    name: 'routing',
    action: { kind: 'routing' },
    essential: true,
    timeoutMs: 120_000,
    attemptsMax: 5,
    mode: 'both',
    when: null,
    undo: null,
  } as const;
  const failover = { stages: [[step]], onFailure: 'stop' } as const;
  const story = steadyStory(servicePolicy({ plans: { failover, failback: null } }));
  story.say(EAST, 'failed');
  return perform(story, routingPort);
}

/** A story in which the default plan of a service with a name on path A has come to look at it. */
function besideSwitch(): LogStory {
  const story = steadyStory(servicePolicy({ dataPlaneName: 'checkout.path-a.example.test' }));
  story.say(EAST, 'failed');
  story.finishStep();
  return story;
}

/** Does the `routing` step that is open. */
async function perform(story: LogStory, routingPort: RoutingPort | undefined): Promise<StepResult> {
  const clock = createManualClock(T0);
  const { ports } = createEffectWorld(clock);
  const run = story.run();
  const opened = openSteps(run).find(({ action }) => action.kind === 'routing');
  if (opened === undefined) {
    throw new Error('the plan was not taken');
  }
  const context = effectContext(story, WEST);
  let isOver = false;
  const work = performStep({ ...ports, routingPort }, { run, step: opened }, context).finally(
    () => {
      isOver = true;
    },
  );
  while (!isOver) {
    await clock.advance(100);
  }
  return work;
}

function answering(...values: readonly string[]): VerifyPort['resolve'] {
  return async (name) =>
    name === 'checkout.path-a.example.test'
      ? { kind: 'resolved', values }
      : { kind: 'unknown', cause: 'another name was asked' };
}

const NAMES = new Map([['checkout', 'checkout.path-a.example.test']]);

test('a routing step is done when the name of path A answers with the target', async () => {
  const port = dataPlaneRouting({ names: NAMES, resolve: answering(WEST_ADDRESS) });
  expect(await routingStep(port)).toEqual({
    kind: 'done',
    evidence: { resolved: [WEST_ADDRESS] },
  });
});

test.each([
  ['the source', [EAST_ADDRESS]],
  ['both, on different servers', [EAST_ADDRESS, WEST_ADDRESS]],
  ['nothing', []],
])('it waits, and counts no attempt, while the answer is %s', async (_, values) => {
  const port = dataPlaneRouting({ names: NAMES, resolve: answering(...values) });
  expect(await routingStep(port)).toEqual({ kind: 'waiting', code: 'routing-not-moved-yet' });
});

test('a service without a name of its own is looked for under its one name', async () => {
  const port = dataPlaneRouting({ names: new Map(), resolve: answering(WEST_ADDRESS) });
  // Nothing stands in the zone of this test, so it waits.
  expect(await routingStep(port)).toMatchObject({ kind: 'waiting' });
  expect(await routingStep(undefined)).toMatchObject({ kind: 'waiting' });
});

describe('beside a switch', () => {
  test('it waits for path A alone, and moves neither traffic nor epoch', async () => {
    const story = besideSwitch();
    const { epoch, activeSite } = story.service();
    const [switching] = story.run().steps;
    expect(epoch).toEqual(switching?.epoch);
    expect(activeSite).toBe(WEST);
    const there = dataPlaneRouting({ names: NAMES, resolve: answering(WEST_ADDRESS) });
    expect(await perform(story, there)).toMatchObject({ kind: 'done' });
    const notYet = dataPlaneRouting({ names: NAMES, resolve: answering(EAST_ADDRESS) });
    expect(await perform(story, notYet)).toMatchObject({ kind: 'waiting' });
  });

  test('it never takes the name that is switched for the one of path A', async () => {
    const none = dataPlaneRouting({ names: new Map(), resolve: answering(WEST_ADDRESS) });
    for (const port of [none, undefined]) {
      expect(await perform(besideSwitch(), port)).toEqual({
        kind: 'failed',
        code: 'routing-not-wired',
      });
    }
  });
});
