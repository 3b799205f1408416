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
function createRegion(
  lagOfWest: (second: number) => number | null,
  hears: (site: string, second: number) => boolean = () => true,
) {
  const story = createLogStory();
  story.configure(servicePolicy({ automatic: false }));
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
    if (!hears(site, second)) {
      return;
    }
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
      // What one region says, all say: an opinion takes a majority.
      const by = command.kind === 'verdict' ? OBSERVERS : [region];
      for (const name of by) {
        story.write({ ...command, observer: name } as ControlCommand);
      }
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

  test('that is the silence of a dead active site is no rise and no risk, nor is its end', async () => {
    // The standby catches up ten seconds after the active site is back.
    const [diesAt, returnsAt] = [300, 420];
    const isAway = (second: number) => second > diesAt && second < returnsAt;
    const { run, story } = createRegion(
      (second) => 300 + (isAway(second) ? (second - diesAt) * 1000 : 0),
      (site, second) => site === WEST || !isAway(second),
    );
    await run(400);
    expect(story.service().sites[EAST]?.opinion.state).toBe('failed');
    await run(200);
    expect(story.service().sites[EAST]?.opinion.state).toBe('healthy');
    const kinds = story.state().timeline.map(({ kind }) => kind);
    expect(kinds).not.toContain('warning');
    expect(kinds).not.toContain('replication');
  });

  test('that fell back is no rise: of a site that was away, only its return is told', async () => {
    const { run, story } = createRegion((second) => (second === 300 ? 360_000 : 300));
    await run(460);
    const told = story
      .state()
      .timeline.filter(({ kind }) => kind === 'warning' || kind === 'replication');
    expect(told.map(({ sentence }) => sentence)).toEqual([
      expect.stringContaining('rpo-at-risk: replication lag 6 min 0 s is above the RPO'),
      expect.stringContaining('no risk to the RPO'),
    ]);
    expect(told.map(({ at }) => (at - T0) / 1000)).toEqual([300, 360]);
  });

  test('that is reported no more is unknown', async () => {
    const { run, story, now } = createRegion((second) => (second < 20 ? 40 : null));
    await run(30);
    expect(lagOf(story.service(), now(), WEST)).toBeNull();
  });
});
