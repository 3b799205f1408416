/** From the beat of a standby to the word in the log, through every part that has a hand in it. */
import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import { Ingest } from '../../../lib/control/ingest.ts';
import { Observer } from '../../../lib/control/observe.ts';
import { lagOf } from '../../../lib/recovery/replication.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { createLogStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, OBSERVERS, servicePolicy, T0, WEST } from '../../support/service-states.ts';

/** A region that hears two sites each second, and tells its log what it finds. */
function createRegion(lagOfWest: (second: number) => number | null) {
  const story = createLogStory();
  story.configure(servicePolicy());
  story.finishRuns();
  const clock = createManualClock(T0);
  const health = memoryHealthStore(new MemoryHealthTable());
  const ingest = new Ingest(health, story.state);
  const [region] = OBSERVERS;
  if (region === undefined) {
    throw new Error('no observer');
  }
  const observer = new Observer({ region, health, clock, takeStoreErrors: () => 0 });
  const told: Extract<ControlCommand, { kind: 'lag' }>[] = [];
  let second = 0;
  const beat = async (site: string) => {
    const lagMs = site === WEST ? lagOfWest(second) : null;
    await ingest.ingest({
      service: 'checkout',
      site,
      sequence: second,
      bootId: 'b',
      status: 'ok',
      replicationLagMs: lagMs,
      replicationLagWrites: lagMs === null ? null : 3,
      receivedAt: epochMillis(clock.wallNow()),
    });
  };
  const tick = async () => {
    for (const command of await observer.observe(story.state())) {
      story.write(command);
      told.push(...(command.kind === 'lag' ? [command] : []));
    }
    await observer.tidy(story.state());
  };
  const run = async (seconds: number) => {
    for (const end = second + seconds; second < end; ) {
      second += 1;
      await clock.advance(1000);
      story.wait(1000);
      await beat(EAST);
      await beat(WEST);
      await tick();
    }
  };
  return { story, told, run, now: () => clock.wallNow() };
}

describe('the replication lag of a standby', () => {
  test('comes into the log once, and a steady one never again', async () => {
    const { run, told, story, now } = createRegion((second) => 30 + (second % 7));
    await run(120);
    expect(told).toMatchObject([{ site: WEST, lagMs: 31, writes: 3, source: 'heartbeats' }]);
    expect(lagOf(story.service(), now(), WEST)).toMatchObject({ lagMs: 31, writes: 3 });
  });

  test('that rises is told before the objective is broken, and again when it is', async () => {
    const { run, told, story } = createRegion((second) => Math.max(0, second - 90) * 40);
    await run(260);
    expect(told.length).toBeLessThanOrEqual(8);
    const sentences = story
      .state()
      .timeline.filter(({ kind }) => kind === 'replication')
      .map(({ sentence }) => sentence);
    expect(sentences).toEqual([
      expect.stringMatching(
        /rpo-at-risk: replication lag .* and rising; above the RPO of 5.00 s in/,
      ),
      expect.stringMatching(/rpo-at-risk: replication lag .* is above the RPO of 5.00 s/),
    ]);
  });

  test('that is reported no more is unknown', async () => {
    const { run, story, now } = createRegion((second) => (second < 20 ? 40 : null));
    await run(30);
    expect(lagOf(story.service(), now(), WEST)).toBeNull();
  });
});
