import { describe, expect, test } from 'vitest';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import { DriftWatch } from '../../../lib/control/drift-watch.ts';
import { intentOf } from '../../../lib/control/step-effects/records.ts';
import { switchOnce } from '../../../lib/recovery/switch-once.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { MemoryZone } from '../../support/memory-zone.ts';
import { EAST } from '../../support/service-states.ts';

const NAME = 'checkout.example.test';

interface Harness {
  readonly zone: MemoryZone;
  readonly story: LogStory;
  /** What was proposed since the last look; each is committed. */
  readonly look: (watch?: DriftWatch) => Promise<readonly string[]>;
  readonly another: () => DriftWatch;
  readonly logged: readonly string[];
  isLeading: boolean;
}

/** A service at rest, whose records are as its setup run made them. */
async function createHarness(): Promise<Harness> {
  const story = steadyStory();
  const zone = new MemoryZone();
  await setUp(story, zone);
  const proposed: ControlCommand[] = [];
  const logged: string[] = [];
  const another = () =>
    new DriftWatch({
      state: story.state,
      isLeading: () => harness.isLeading,
      switchPort: zone.switchPort,
      propose: (command) => {
        proposed.push(command);
        story.write(command);
      },
      clock: { wallNow: story.now },
      log: (level, event) => logged.push(`${level} ${event}`),
    });
  const watch = another();
  const harness: Harness = {
    zone,
    story,
    another,
    logged,
    isLeading: true,
    look: async (looker = watch) => {
      proposed.length = 0;
      await looker.round();
      return proposed.map((command) => (command.kind === 'note' ? command.reason : command.kind));
    },
  };
  return harness;
}

/** The records as the setup run of the story makes them. */
async function setUp(story: LogStory, zone: MemoryZone): Promise<void> {
  const [run] = story.state().runs;
  const step = run?.steps.find(({ action }) => action.kind === 'switch');
  const intent = run && step ? intentOf(run, step, story.service()) : null;
  if (intent === null) {
    throw new Error('the story has no setup run');
  }
  const surroundings = { clock: { sleep: async () => undefined }, random: () => 0 };
  await switchOnce(zone.switchPort, intent, surroundings);
}

describe('the watch over records', () => {
  test('says nothing while they are as the log says', async () => {
    const { look } = await createHarness();
    expect(await look()).toEqual([]);
  });

  test('tells of an edit once, on the timeline, and of its end', async () => {
    const { look, zone, story, logged } = await createHarness();
    zone.editByHand(NAME, '203.0.113.9');
    const [told, ...others] = await look();
    expect(told).toMatch(/^dns-drift: checkout\.example\.test: 203\.0\.113\.9 stands there/);
    expect(others).toEqual([]);
    expect(await look()).toEqual([]);
    expect(story.state().timeline.at(-1)?.sentence).toBe(`tripoint: ${told}`);
    zone.editByHand(NAME, '192.0.2.11');
    expect(await look()).toEqual([expect.stringContaining('its TTL is 300 s')]);
    await mend(zone, story.service().policy.ttlSeconds);
    expect(await look()).toEqual(['dns-drift: the records are as the log says again']);
    expect(logged).toEqual(['warn dns-drift', 'warn dns-drift', 'info dns-drift']);
  });

  test('tells nothing twice when another region takes over', async () => {
    const { look, zone, another } = await createHarness();
    zone.editByHand(NAME, '203.0.113.9');
    await look();
    expect(await look(another())).toEqual([]);
  });

  test('leaves it to the leader', async () => {
    const harness = await createHarness();
    harness.zone.editByHand(NAME, '203.0.113.9');
    harness.isLeading = false;
    expect(await harness.look()).toEqual([]);
  });

  test('takes no silence of the zone for news', async () => {
    const { look, zone } = await createHarness();
    zone.fault = 'away';
    expect(await look()).toEqual([]);
  });

  test('does not look while a run is at work on them', async () => {
    const { look, zone, story } = await createHarness();
    zone.editByHand(NAME, '203.0.113.9');
    story.say(EAST, 'failed');
    expect(await look()).toEqual([]);
  });
});

/** Somebody gives the record its TTL back. */
async function mend({ switchPort }: MemoryZone, ttlSeconds: number): Promise<void> {
  const reading = await switchPort.read([NAME]);
  const [standing] = reading.kind === 'read' ? reading.recordSets : [];
  if (standing === undefined) {
    throw new Error('nothing stands there');
  }
  const outcome = await switchPort.change(
    [
      { action: 'DELETE', recordSet: standing },
      { action: 'CREATE', recordSet: { ...standing, ttlSeconds } },
    ],
    'by hand',
  );
  expect(outcome.kind).toBe('applied');
}
