import { describe, expect, test } from 'vitest';
import { regionId } from '../../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import type { HealthStore } from '../../../lib/control/health-store.ts';
import { Ingest } from '../../../lib/control/ingest.ts';
import { Observer } from '../../../lib/control/observe.ts';
import {
  MemoryHealthTable,
  memoryHealthStore,
} from '../../../lib/simulation/memory-health-store.ts';
import { createLogStory, type LogStory, steadyStory } from '../../support/log-story.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { EAST, OBSERVERS, servicePolicy, T0, WEST } from '../../support/service-states.ts';

const [A = regionId('a'), B = regionId('b'), C = regionId('c')] = OBSERVERS;
const TICK_MS = 1000;

interface Harness {
  readonly clock: ManualClock;
  readonly story: LogStory;
  readonly observer: Observer;
  readonly table: MemoryHealthTable;
  readonly setListable: (isListable: boolean) => void;
  readonly beat: (...sites: readonly string[]) => Promise<void>;
  /** One round, whose news are committed, as the control region would do. */
  readonly round: () => Promise<readonly ControlCommand[]>;
  /** A beat of each of these sites and a round, once a second. */
  readonly rounds: (
    count: number,
    ...sites: readonly string[]
  ) => Promise<readonly ControlCommand[]>;
  readonly restart: () => Observer;
}

function createHarness(): Harness {
  const clock = createManualClock(T0);
  const story = createLogStory();
  story.configure();
  story.finishRuns();
  const table = new MemoryHealthTable();
  const store = memoryHealthStore(table);
  let isListable = true;
  const health: HealthStore = {
    ...store,
    due: async (until, limit) => (isListable ? store.due(until, limit) : null),
    list: async (after, limit) => (isListable ? store.list(after, limit) : null),
  };
  const ingest = new Ingest(health, story.state);
  const create = () =>
    new Observer({ region: A, health, clock, takeStoreErrors: () => ingest.takeStoreErrors() });
  const observer = create();
  let sequence = 0;
  const beat: Harness['beat'] = async (...sites) => {
    sequence += 1;
    for (const site of sites) {
      const common = { service: 'checkout', bootId: 'boot-1', status: 'ok' } as const;
      const said = { ...common, site, sequence, replicationLagMs: 30 };
      await ingest.ingest({ ...said, receivedAt: clock.wallNow() });
    }
  };
  const round = async () => {
    const commands = await observer.observe(story.state());
    for (const command of commands) {
      story.write(command, command.at);
    }
    await observer.tidy(story.state());
    return commands;
  };
  return {
    clock,
    story,
    observer,
    table,
    setListable: (next) => {
      isListable = next;
    },
    beat,
    round,
    rounds: async (count, ...sites) => {
      const news: ControlCommand[] = [];
      for (let rounds = 0; rounds < count; rounds += 1) {
        await beat(...sites);
        news.push(...(await round()));
        await clock.advance(TICK_MS);
      }
      return news;
    },
    restart: create,
  };
}

const statesOf = (commands: readonly ControlCommand[]) =>
  commands.map((command) =>
    command.kind === 'verdict' ? `${command.site} ${command.verdict.state}` : command.kind,
  );

describe('an observer', () => {
  test('tells once what it sees, and nothing more of a fleet that is quiet', async () => {
    const { rounds } = createHarness();
    expect(statesOf(await rounds(1, EAST))).toEqual([`${EAST} healthy`, 'lag', `${WEST} pending`]);
    expect(statesOf(await rounds(1, EAST, WEST))).toEqual([`${WEST} healthy`, 'lag']);
    expect(await rounds(60, EAST, WEST)).toEqual([]);
  });

  test('tells a silence as it grows: suspect, then failed, with lag and last beat', async () => {
    const { rounds, story } = createHarness();
    await rounds(30, EAST, WEST);
    const news = await rounds(15, WEST);
    expect(statesOf(news)).toEqual([`${EAST} suspect`, `${EAST} failed`]);
    expect(story.service().sites[EAST]?.verdicts[A]).toMatchObject({
      verdict: { state: 'failed', lastSequence: 30 },
      replicationLagMs: 30,
    });
  });

  test('takes back what it said when the site is heard again, after a few beats', async () => {
    const { rounds } = createHarness();
    await rounds(30, EAST, WEST);
    await rounds(15, WEST);
    expect(statesOf(await rounds(10, EAST, WEST))).toEqual([`${EAST} suspect`, `${EAST} healthy`]);
  });

  test('brings fresh proof of life while as many accuse the site as hear it, not more', async () => {
    const { rounds, story } = createHarness();
    await rounds(30, EAST, WEST);
    story.say(EAST, 'suspect', { by: [B], lastSequence: 1 });
    const news = await rounds(12, EAST, WEST);
    expect(statesOf(news)).toEqual(Array.from({ length: 4 }, () => `${EAST} healthy`));
    const sequences = news.map((command) =>
      command.kind === 'verdict' ? command.verdict.lastSequence : null,
    );
    expect(sequences).toEqual([31, 34, 37, 40]);
    story.say(EAST, 'healthy', { by: [B] });
    expect(await rounds(12, EAST, WEST)).toEqual([]);
  });

  test('brings none while most observers hear it: one that is cut off costs no entry', async () => {
    const { rounds, story } = createHarness();
    await rounds(30, EAST, WEST);
    story.say(EAST, 'healthy', { by: [C], lastSequence: 1 });
    story.say(EAST, 'failed', { by: [B], lastSequence: 1 });
    expect(await rounds(60, EAST, WEST)).toEqual([]);
  });

  test('proves nothing that it does not hear itself', async () => {
    const { rounds, story } = createHarness();
    await rounds(30, EAST, WEST);
    await rounds(15, WEST);
    story.say(EAST, 'failed', { by: [B] });
    expect(await rounds(10, WEST)).toEqual([]);
  });
});

describe('an observer that doubts itself', () => {
  test('convicts nobody while its table does not answer, nor for what it missed', async () => {
    const { rounds, setListable, story } = createHarness();
    await rounds(30, EAST, WEST);
    setListable(false);
    const blind = await rounds(20);
    expect(statesOf(blind).toSorted()).toEqual([`${EAST} unknown`, `${WEST} unknown`]);
    setListable(true);
    const back = await rounds(20, EAST, WEST);
    expect(statesOf([...blind, ...back]).filter((said) => said.endsWith('failed'))).toEqual([]);
    expect(story.service().sites[EAST]?.verdicts[A]?.verdict.state).toBe('healthy');
  });

  test('convicts nobody after it was frozen, until it has watched long enough', async () => {
    const { rounds, clock, round } = createHarness();
    await rounds(30, EAST, WEST);
    await clock.freeze(60_000);
    expect(statesOf(await round())).toEqual([`${EAST} unknown`, `${WEST} unknown`]);
    await clock.advance(TICK_MS);
    const later = await rounds(15, WEST);
    expect(statesOf(later).at(-1)).toBe(`${EAST} failed`);
    expect(statesOf(later)).not.toContain(`${WEST} failed`);
  });

  test('remembers over a restart when it watched last', async () => {
    const { rounds, restart, clock, story } = createHarness();
    await rounds(30, EAST, WEST);
    await clock.advance(60_000);
    const news = await restart().observe(story.state());
    expect(statesOf(news)).toEqual([`${EAST} unknown`, `${WEST} unknown`]);
  });

  test('is not set back by a short restart', async () => {
    const { rounds, restart, story } = createHarness();
    await rounds(30, EAST, WEST);
    expect(await restart().observe(story.state())).toEqual([]);
  });
});

describe('what an observer shows', () => {
  test('is fresher than the log', async () => {
    const { rounds, observer, story, clock } = createHarness();
    await rounds(30, EAST, WEST);
    await clock.advance(2000);
    const [east, west] = observer.observations(story.state());
    expect(east).toMatchObject({
      service: 'checkout',
      site: EAST,
      silentMs: 3000,
      lastBeatAt: T0 + 29_000,
      replicationLagMs: 30,
    });
    expect(east?.phi).toBeGreaterThan(0);
    expect(east?.suspectAt).toBeLessThan(east?.failAt ?? 0);
    expect(west?.site).toBe(WEST);
  });

  test('is nothing of a site that nobody heard', () => {
    const { observer } = createHarness();
    expect(observer.observations(steadyStory().state())[0]).toMatchObject({
      phi: 0,
      silentMs: null,
      lastBeatAt: null,
      suspectAt: null,
    });
    expect(observer.nextDeadline()).toBeNull();
  });

  test('says when the next site becomes suspect, then failed, then nothing', async () => {
    const { rounds, observer, clock, table, story } = createHarness();
    await rounds(30, EAST);
    const record = table.read('checkout', EAST);
    expect(observer.nextDeadline()).toBe(record?.suspectAt);
    await clock.advance((record?.suspectAt ?? 0) - clock.wallNow());
    expect(observer.nextDeadline()).toBe(record?.failAt);
    await clock.advance((record?.failAt ?? 0) - clock.wallNow());
    expect(observer.nextDeadline()).toBeNull();
    expect(story.service().activeSite).toBe(EAST);
  });

  test('of a process without rounds of its own is what the controller left', async () => {
    const { rounds, restart, story, clock, table } = createHarness();
    await rounds(30, EAST, WEST);
    const onlooker = restart();
    const before = table.observer;
    await clock.advance(3000);
    await onlooker.look();
    expect(onlooker.observations(story.state())[0]).toMatchObject({ silentMs: 4000 });
    expect(table.observer).toBe(before);
  });
});

describe('what an observer reads', () => {
  test('is only what is due: nothing of sites whose deadline is far', async () => {
    const clock = createManualClock(T0);
    const story = createLogStory();
    const detection = { intervalMs: 60_000, suspectPhi: 8, failPhi: 16, silenceMsMax: 720_000 };
    story.configure(servicePolicy({ detection }));
    story.finishRuns();
    const read: string[] = [];
    const table = new MemoryHealthTable();
    const store = memoryHealthStore(table);
    const health: HealthStore = {
      ...store,
      readMany: (sites) => {
        read.push(...sites.map(({ site }) => site));
        return store.readMany(sites);
      },
      list: async () => null,
    };
    const observer = new Observer({ region: A, health, clock, takeStoreErrors: () => 0 });
    const ingest = new Ingest(store, story.state);
    const round = async () => {
      for (const command of await observer.observe(story.state())) {
        story.write(command, command.at);
      }
      await observer.tidy(story.state());
      await clock.advance(TICK_MS);
    };
    const said = { service: 'checkout', sequence: 1, bootId: 'boot-1', status: 'ok' } as const;
    for (const site of [EAST, WEST]) {
      await ingest.ingest({ ...said, site, replicationLagMs: null, receivedAt: clock.wallNow() });
    }
    await round();
    await round();
    expect(table.timers.map(({ at, awaits }) => [at, awaits])).toEqual(
      [EAST, WEST].map((site) => [table.read('checkout', site)?.suspectAt, 0]),
    );
    read.length = 0;
    for (let rounds = 0; rounds < 60; rounds += 1) {
      await round();
    }
    expect(read).toEqual([]);
    expect(story.service().sites[EAST]?.verdicts[A]?.verdict.state).toBe('healthy');
  });

  test('is a failed site no more, until it beats again', async () => {
    const { rounds, table, story } = createHarness();
    await rounds(30, EAST, WEST);
    await rounds(20, WEST);
    expect(story.service().sites[EAST]?.verdicts[A]?.verdict.state).toBe('failed');
    expect(table.timers.filter(({ site }) => site === EAST)).toEqual([]);
    expect(table.read('checkout', EAST)).toMatchObject({ wakesOnBeat: true });
    expect(statesOf(await rounds(1, EAST, WEST))).toEqual([`${EAST} suspect`]);
    expect(table.read('checkout', EAST)).toMatchObject({ wakesOnBeat: false });
  });

  test('is what somebody else woke it for', async () => {
    const { rounds, table, clock, story } = createHarness();
    await rounds(30, EAST, WEST);
    const record = table.read('checkout', EAST);
    if (record === null) {
      throw new Error('the site was never heard');
    }
    table.write(record.revision, { ...record, reportedStatus: 'failing' });
    await memoryHealthStore(table).wake(clock.wallNow(), 'checkout', EAST);
    expect(statesOf(await rounds(1, WEST))).toEqual([`${EAST} degraded`]);
    expect(story.service().sites[EAST]?.verdicts[A]?.verdict.code).toBe('reports-failing');
  });

  test('is what no timer brings up, within minutes, by the slow sweep', async () => {
    const { rounds, table, story } = createHarness();
    await rounds(30, EAST, WEST);
    for (const timer of table.timers) {
      table.dropTimer(timer);
    }
    const news = await rounds(320, WEST);
    expect(statesOf(news)).toContain(`${EAST} failed`);
    expect(story.service().sites[WEST]?.verdicts[A]?.verdict.state).toBe('healthy');
  });

  test('are all sites of a service whose policy changed, whatever their timers say', async () => {
    const { rounds, story } = createHarness();
    await rounds(30, EAST, WEST);
    const detection = { intervalMs: 100, suspectPhi: 8, failPhi: 16, silenceMsMax: 1200 };
    story.configure(servicePolicy({ detection }));
    expect(statesOf(await rounds(3))).toContain(`${EAST} failed`);
  });

  test('is for a status view everything, once however many ask at once', async () => {
    const { table, clock, story } = createHarness();
    const store = memoryHealthStore(table);
    let lists = 0;
    const health: HealthStore = {
      ...store,
      list: (after, limit) => {
        lists += 1;
        return store.list(after, limit);
      },
    };
    const onlooker = new Observer({ region: A, health, clock, takeStoreErrors: () => 0 });
    const ingest = new Ingest(store, story.state);
    const said = { service: 'checkout', bootId: 'b', status: 'ok', replicationLagMs: 1 } as const;
    const beat = (sequence: number) =>
      ingest.ingest({ ...said, site: EAST, sequence, receivedAt: clock.wallNow() });
    await beat(1);
    await Promise.all([onlooker.look(), onlooker.look(), onlooker.look()]);
    expect(lists).toBe(1);
    await clock.advance(2000);
    await beat(2);
    await onlooker.look();
    expect(onlooker.observations(story.state())[0]).toMatchObject({ silentMs: 0 });
    expect(lists).toBe(2);
  });
});
