import { describe, expect, test } from 'vitest';
import type { RegionId } from '../../../lib/base/identifiers.ts';
import type { CommandResult, ControlCommand } from '../../../lib/control/commands.ts';
import { CONTROL_TIMINGS } from '../../../lib/control/limits.ts';
import { Worker } from '../../../lib/control/worker.ts';
import type { Run, StepResult } from '../../../lib/recovery/run.ts';
import { type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { EAST, OBSERVERS, T0 } from '../../support/service-states.ts';

const { claimTimeoutMs, lostClaimMs, deferMs, tickMs } = CONTROL_TIMINGS;
const DONE: StepResult = { kind: 'done', evidence: null };
const AGAIN: StepResult = { kind: 'again', code: 'dns-did-not-answer' };

/** What becomes of a proposal besides being committed and answered. */
type ProposalFault = 'answer-lost' | 'not-written' | 'stopped-before-the-answer';

interface Fleet {
  readonly clock: ManualClock;
  readonly story: LogStory;
  /** `region step`, in the order in which effects were done. */
  readonly performed: string[];
  readonly results: Map<string, StepResult>;
  /** Taken by the next proposal of this kind. */
  readonly faults: Map<ControlCommand['kind'], ProposalFault>;
  /** Regions whose processes do not run. */
  readonly dead: Set<RegionId>;
  /** Regions that do not answer the others. */
  readonly cutOff: Set<RegionId>;
  /** Steps that never come back. */
  readonly hanging: Set<string>;
  /** Looks once a second, in every region that lives. */
  readonly pass: (durationMs: number) => Promise<void>;
  readonly run: () => Run;
}

const [FIRST, SECOND, NEAREST] = OBSERVERS as readonly [RegionId, RegionId, RegionId];

/** East failed: the run goes to west, whose control region is the nearest. */
function createFleet(): Fleet {
  const clock = createManualClock(T0);
  const story = steadyStory();
  story.say(EAST, 'failed');
  const fleet = {
    clock,
    story,
    performed: [] as string[],
    results: new Map<string, StepResult>(),
    faults: new Map<ControlCommand['kind'], ProposalFault>(),
    dead: new Set<RegionId>(),
    cutOff: new Set<RegionId>(),
    hanging: new Set<string>(),
  };
  const propose = async (command: ControlCommand): Promise<CommandResult | null> => {
    const fault = fleet.faults.get(command.kind);
    fleet.faults.delete(command.kind);
    const result = fault === 'not-written' ? null : story.write(command, command.at);
    if (fault === 'stopped-before-the-answer') {
      await clock.sleep(claimTimeoutMs * 2);
    }
    return fault === 'answer-lost' ? null : result;
  };
  const workers = OBSERVERS.map(
    (region) =>
      [
        region,
        new Worker({
          region,
          state: story.state,
          propose,
          perform: ({ step }) => {
            fleet.performed.push(`${region} ${step.name}`);
            return fleet.hanging.has(step.name)
              ? new Promise<StepResult>(() => undefined)
              : Promise.resolve(fleet.results.get(step.name) ?? DONE);
          },
          isReachable: (other) => !fleet.cutOff.has(other),
          clock,
          random: () => 0,
          log: () => undefined,
        }),
      ] as const,
  );
  const look = () => {
    for (const [region, worker] of workers) {
      if (!fleet.dead.has(region)) {
        void worker.work();
      }
    }
  };
  return {
    ...fleet,
    run: story.run,
    pass: async (durationMs) => {
      look();
      await clock.advance(0);
      for (let passedMs = 0; passedMs < durationMs; passedMs += tickMs) {
        await clock.advance(tickMs);
        look();
        await clock.advance(0);
      }
    },
  };
}

describe('a worker that was stopped after its claim was committed', () => {
  test('does nothing with it when it wakes: others have taken the step over', async () => {
    const { pass, performed, faults, run } = createFleet();
    faults.set('claim-step', 'stopped-before-the-answer');
    await pass(claimTimeoutMs * 3);
    expect(run().outcome.kind).toBe('done');
    expect(performed.filter((line) => line.endsWith(' switch'))).toHaveLength(1);
    expect(performed[0]).not.toBe(`${NEAREST} switch`);
  });
});

describe('a run', () => {
  test('is done step after step by the region nearest to its target, at once', async () => {
    const { pass, performed, run, clock } = createFleet();
    await pass(0);
    expect(performed).toEqual(
      ['switch', 'propagate', 'verify', 'report'].map((step) => `${NEAREST} ${step}`),
    );
    expect(run().outcome.kind).toBe('done');
    expect(clock.wallNow()).toBe(T0);
  });

  test('is done by the next region when the nearest one does nothing', async () => {
    const { pass, performed, dead, run } = createFleet();
    dead.add(NEAREST);
    await pass(deferMs - tickMs);
    expect(performed).toEqual([]);
    await pass(tickMs);
    expect(performed[0]).toBe(`${FIRST} switch`);
    await pass(4 * deferMs);
    expect(run().outcome.kind).toBe('done');
    expect(performed).toHaveLength(4);
  });

  test('does not wait for the turn of a region that does not answer', async () => {
    const { pass, performed, dead, cutOff, run } = createFleet();
    for (const lost of [NEAREST]) {
      dead.add(lost);
      cutOff.add(lost);
    }
    await pass(0);
    expect(performed[0]).toBe(`${FIRST} switch`);
    expect(run().outcome.kind).toBe('done');
  });

  test('is left alone when it is over', async () => {
    const { pass, performed } = createFleet();
    await pass(0);
    await pass(60_000);
    expect(performed).toHaveLength(4);
  });
});

describe('a step that did not work out', () => {
  test('goes to the next region, and so on', async () => {
    const { pass, performed, results } = createFleet();
    results.set('switch', AGAIN);
    await pass(20_000);
    expect(performed.slice(0, 4)).toEqual(
      [NEAREST, FIRST, SECOND, NEAREST].map((region) => `${region} switch`),
    );
  });

  test('is tried ever more rarely, and not for ever', async () => {
    const { pass, performed, results, run } = createFleet();
    results.set('switch', AGAIN);
    await pass(30_000);
    const soon = performed.length;
    await pass(30_000);
    const later = performed.length - soon;
    expect(soon).toBeGreaterThan(later);
    await pass(15 * 60_000);
    expect(run().outcome).toMatchObject({ kind: 'failed', code: 'switch: dns-did-not-answer' });
    expect(performed.filter((done) => done.endsWith(' switch'))).toHaveLength(30);
    expect(performed.slice(30), 'a run that failed tells of it').toEqual([
      expect.stringMatching(/ report$/),
    ]);
  });
});

describe('a step that watches for a change on its way', () => {
  test('is taken up again after one tick, however long that goes on', async () => {
    const { pass, performed, results } = createFleet();
    results.set('propagate', { kind: 'waiting', code: 'change-not-in-sync' });
    await pass(20_000);
    const looks = performed.filter((done) => done === `${NEAREST} propagate`);
    expect(looks.length).toBeGreaterThanOrEqual(10);
  });

  test('backs off for what failed, and not for how often it has looked', async () => {
    const { pass, performed, results } = createFleet();
    results.set('propagate', AGAIN);
    await pass(0);
    results.set('propagate', { kind: 'waiting', code: 'change-not-in-sync' });
    await pass(60_000);
    const before = performed.length;
    await pass(20_000);
    expect(performed.length - before).toBeGreaterThanOrEqual(10);
  });
});

describe('a worker that dies', () => {
  test('is relieved after a while, and its step is done again', async () => {
    const { pass, performed, dead, hanging, run } = createFleet();
    hanging.add('propagate');
    await pass(0);
    expect(performed).toEqual([`${NEAREST} switch`, `${NEAREST} propagate`]);
    dead.add(NEAREST);
    hanging.clear();
    await pass(claimTimeoutMs - tickMs);
    expect(performed).toHaveLength(2);
    await pass(tickMs);
    expect(performed.slice(2)).toEqual([
      `${FIRST} propagate`,
      `${FIRST} verify`,
      `${FIRST} report`,
    ]);
    expect(run().outcome.kind).toBe('done');
  });

  test('is relieved sooner when its whole region does not answer', async () => {
    const { pass, performed, dead, cutOff, hanging, run } = createFleet();
    hanging.add('propagate');
    await pass(0);
    dead.add(NEAREST);
    cutOff.add(NEAREST);
    hanging.clear();
    await pass(lostClaimMs + deferMs);
    expect(performed).toHaveLength(5);
    expect(run().outcome.kind).toBe('done');
  });

  test('and every other one too: the run stays open until one lives', async () => {
    const { pass, dead, run } = createFleet();
    for (const region of OBSERVERS) {
      dead.add(region);
    }
    await pass(600_000);
    expect(run().outcome.kind).toBe('open');
    dead.delete(SECOND);
    await pass(10_000);
    expect(run().outcome.kind).toBe('done');
  });
});

describe('a proposal that is in doubt', () => {
  test('a claim that got in unnoticed is taken over by its own region soon', async () => {
    const { pass, performed, faults, run } = createFleet();
    faults.set('claim-step', 'answer-lost');
    await pass(0);
    expect(performed).toEqual([]);
    await pass(lostClaimMs + 2 * deferMs);
    expect(run().outcome.kind).toBe('done');
    expect(performed).toHaveLength(4);
  });

  test('a claim that did not get in is made again', async () => {
    const { pass, performed, faults, run } = createFleet();
    faults.set('claim-step', 'not-written');
    await pass(0);
    expect(performed).toEqual([]);
    await pass(tickMs);
    expect(run().outcome.kind).toBe('done');
    expect(performed).toHaveLength(4);
  });

  test('a result that got in unnoticed is not done again', async () => {
    const { pass, performed, faults, run } = createFleet();
    faults.set('finish-step', 'answer-lost');
    await pass(deferMs);
    expect(run().outcome.kind).toBe('done');
    expect(performed.filter((done) => done.endsWith('switch'))).toHaveLength(1);
  });

  test('a result that did not get in is worked out again', async () => {
    const { pass, performed, faults, run } = createFleet();
    faults.set('finish-step', 'not-written');
    await pass(claimTimeoutMs + deferMs);
    expect(run().outcome.kind).toBe('done');
    expect(performed.filter((done) => done.endsWith('switch'))).toHaveLength(2);
  });
});

describe('two workers', () => {
  test('that claim at once: one of them works, the other lets go', async () => {
    const { pass, performed, cutOff, run } = createFleet();
    // Nobody hears anybody: each thinks that it is its turn.
    for (const region of OBSERVERS) {
      cutOff.add(region);
    }
    await pass(0);
    expect(performed.filter((done) => done.endsWith('switch'))).toHaveLength(1);
    expect(run().outcome.kind).toBe('done');
  });

  test('a slow one keeps its step to itself, and its late result counts for nothing', async () => {
    const { pass, performed, story, hanging, run } = createFleet();
    hanging.add('switch');
    await pass(claimTimeoutMs + 3 * deferMs);
    hanging.clear();
    expect(performed.slice(0, 2)).toEqual([`${NEAREST} switch`, `${FIRST} switch`]);
    const late = { run: run().id, step: 'switch', attempt: 1, result: DONE } as const;
    expect(story.write({ kind: 'finish-step', ...late })).toMatchObject({
      code: 'claim-superseded',
    });
  });
});
