import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochMillis, type RegionId, regionId } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import type { AppliedEntry } from '../../../lib/consensus/replica.ts';
import { Ingest } from '../../../lib/control/ingest.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { Observer } from '../../../lib/control/observe.ts';
import { logWarnings } from '../../../lib/control/warnings.ts';
import { FORECAST_CODES, type ForecastCode } from '../../../lib/detection/forecast.ts';
import type { MonitorPolicy } from '../../../lib/recovery/policy.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { EAST, OBSERVERS, servicePolicy, T0, WEST } from '../../support/service-states.ts';

const [A = regionId('a'), B = regionId('b')] = OBSERVERS;

function warn(
  story: LogStory,
  [observer, code]: readonly [RegionId, ForecastCode | null],
  place: string = EAST,
) {
  return story.write({
    kind: 'warning',
    observer,
    service: 'checkout',
    site: place,
    warning: {
      state: code === null ? 'none' : 'watch',
      code,
      sentence: `a test says ${code}`,
      since: T0,
    },
  });
}

function told(story: LogStory): readonly string[] {
  return story
    .state()
    .timeline.filter(({ kind }) => kind === 'warning')
    .map(({ sentence }) => sentence);
}

describe('a warning', () => {
  test('is told once, however many observers see it, and once when all lost it', () => {
    const story = steadyStory();
    warn(story, [A, 'interval-drift']);
    warn(story, [B, 'interval-drift']);
    expect(Object.keys(story.service().sites[EAST]?.warnings ?? {})).toEqual([A, B]);
    warn(story, [A, null]);
    expect(told(story)).toHaveLength(1);
    warn(story, [B, null]);
    expect(told(story)).toEqual([
      `${EAST}: interval-drift: a test says interval-drift (as ${A} sees it)`,
      `${EAST}: interval-drift is over`,
    ]);
    expect(story.service().sites[EAST]?.warnings).toEqual({});
  });

  test('of another kind is told as well', () => {
    const story = steadyStory();
    warn(story, [A, 'interval-drift']);
    warn(story, [A, 'lag-rising']);
    expect(told(story)).toHaveLength(2);
  });

  test('about no site, or from no control region, is refused', () => {
    const story = steadyStory();
    expect(warn(story, [A, 'lag-rising'], 'mars')).toMatchObject({ code: 'unknown-site' });
    expect(warn(story, [regionId('mars'), 'lag-rising'])).toMatchObject({
      code: 'unknown-observer',
    });
    expect(told(story)).toEqual([]);
  });

  test('is a line in the log of the region that brought it', () => {
    const story = steadyStory();
    warn(story, [A, 'lag-rising']);
    const applied = story.log().map(
      ({ index, term, command }) =>
        ({
          index,
          entry: { term, command: { body: command as unknown as JsonValue } },
        }) as unknown as AppliedEntry,
    );
    const lines: unknown[] = [];
    logWarnings(applied, B, (level, event) => lines.push([level, event]));
    expect(lines).toEqual([]);
    logWarnings(applied, A, (level, event, fields) => lines.push([level, event, fields?.['site']]));
    expect(lines).toEqual([['warn', 'early-warning', EAST]]);
  });
});

test('a monitored site whose lag begins to rise is warned of once, by the round after the beat that shows it', async () => {
  const clock = createManualClock(T0);
  const story = steadyStory();
  const watched: MonitorPolicy = {
    service: 'mirror',
    detection: servicePolicy().detection,
    provisioning: null,
    sites: [{ site: EAST, tokenHashes: ['b'.repeat(64)], schedule: null }],
  };
  const configured = { configHash: 'monitored', policies: [servicePolicy()], monitors: [watched] };
  story.write({ kind: 'configure', by: 'ann', reason: 'a test', ...configured });
  const health = memoryHealthStore(new MemoryHealthTable());
  const ingest = new Ingest(health, story.state);
  const observer = new Observer({ region: A, health, clock, takeStoreErrors: () => 0 });
  const warned: number[] = [];
  for (let sequence = 1; sequence <= 300; sequence += 1) {
    const beat = { service: 'mirror', site: EAST, bootId: 'boot-1', status: 'ok' } as const;
    const replicationLagMs = 50 + 100 * Math.max(0, sequence - 150);
    await ingest.ingest({ ...beat, sequence, replicationLagMs, receivedAt: clock.wallNow() });
    for (const command of await observer.observe(story.state())) {
      story.write(command, command.at);
      warned.push(...(command.kind === 'warning' ? [sequence] : []));
    }
    await observer.tidy(story.state());
    await clock.advance(1000);
  }
  expect(warned).toHaveLength(1);
  expect(warned[0]).toBeGreaterThan(150);
  expect(warned[0]).toBeLessThan(200);
  const { monitors } = story.state();
  expect(monitors['mirror']?.sites[EAST]?.warnings?.[A]?.warning).toMatchObject({
    state: 'watch',
    code: 'lag-rising',
  });
  expect(told(story)).toHaveLength(1);
});

type Move = (story: LogStory) => void;

const site = fc.constantFrom(EAST, WEST);
const warning: fc.Arbitrary<Move> = fc
  .record({
    site,
    observer: fc.constantFrom(...OBSERVERS),
    code: fc.constantFrom(null, ...FORECAST_CODES),
  })
  .map((chosen) => (story) => {
    warn(story, [chosen.observer, chosen.code], chosen.site);
  });
const say: fc.Arbitrary<Move> = fc
  .record({
    site,
    verdict: fc.constantFrom('healthy', 'healthy', 'suspect', 'failed', 'failed', 'degraded'),
    by: fc.subarray([...OBSERVERS], { minLength: 1 }),
    replicationLagMs: fc.constantFrom(null, 10, 60_000),
  })
  .map((said) => (story) => story.say(said.site, said.verdict, said));
const move: fc.Arbitrary<Move> = fc.oneof(
  { arbitrary: warning, weight: 3 },
  { arbitrary: say, weight: 3 },
  fc.nat({ max: 90_000 }).map((durationMs) => (story: LogStory) => story.wait(durationMs)),
  fc.constant((story: LogStory) => story.finishRuns()),
  fc.constant((story: LogStory) => {
    story.write({
      kind: 'failover',
      service: 'checkout',
      to: null,
      force: false,
      by: 'ann',
      reason: 'a test',
    });
  }),
  fc.constant((story: LogStory) => {
    story.configure(servicePolicy({ ttlSeconds: 30 }));
  }),
);

/** All that the log says but what warnings may change: themselves, and what people read. */
function decided(state: RecoveryState): unknown {
  const services = Object.entries(state.services).map(([name, service]) => [
    name,
    {
      ...service,
      sites: Object.entries(service.sites).map(([one, { warnings: _, ...rest }]) => [one, rest]),
    },
  ]);
  return { ...state, services, timeline: state.timeline.filter(({ kind }) => kind !== 'warning') };
}

test('no decision, run or opinion is another one for all the warnings in a life', () => {
  let acted = 0;
  fc.assert(
    fc.property(fc.array(move, { minLength: 5, maxLength: 60 }), (moves) => {
      const story = steadyStory();
      for (const one of moves) {
        one(story);
      }
      let without = createControlMachine(OBSERVERS).initial;
      for (const { command, index, term } of story.log()) {
        if (command.kind !== 'warning') {
          without = reduce(without, command, { index, term }).state;
        }
      }
      acted += without.runs.length;
      expect(decided(story.state())).toEqual(decided(without));
      // Not vacuous: where somebody warned, the states do differ.
      const isWarned = JSON.stringify(story.state()) !== JSON.stringify(without);
      expect(isWarned || !told(story).length).toBe(true);
    }),
    { seed: 12, numRuns: 60 },
  );
  expect(acted).toBeGreaterThan(60);
});

test('an instant of a warning is no instant of the service', () => {
  const story = steadyStory();
  const before = story.service();
  story.write(
    {
      kind: 'warning',
      observer: A,
      service: 'checkout',
      site: EAST,
      warning: { state: 'watch', code: 'loss-rising', sentence: 'losses', since: T0 },
    },
    epochMillis(T0 + 9e9),
  );
  const { sites: _, ...after } = story.service();
  const { sites: __, ...was } = before;
  expect(after).toEqual(was);
});
