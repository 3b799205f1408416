/**
 * Three control regions that watch one service: each with its own ingress, table and observer, and
 * one log that all of them write to. Beats go where a test lets them arrive, second by second.
 */
import { epochMillis, type RegionId } from '../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../lib/control/commands.ts';
import type { HealthStore, ReportedStatus } from '../../lib/control/health-store.ts';
import { Ingest } from '../../lib/control/ingest.ts';
import { Observer } from '../../lib/control/observe.ts';
import type { SiteEvidence } from '../../lib/detection/evidence.ts';
import { NO_EVIDENCE } from '../../lib/detection/evidence.ts';
import { MemoryHealthTable, memoryHealthStore } from '../../lib/simulation/memory-health-store.ts';
import { createLogStory, type LogStory } from './log-story.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { OBSERVERS, servicePolicy, sitePolicy, T0 } from './service-states.ts';

const TICK_MS = 1000;

/** What the world does in one second; every member has a default that is all well. */
export interface Weather {
  /** Sites that send a beat in this second. Default: all. */
  readonly sends?: (site: string, second: number) => boolean;
  /** Whether the beat gets to this region. Default: yes. */
  readonly arrives?: (site: string, region: RegionId) => boolean;
  readonly status?: (site: string) => ReportedStatus;
  /** Name of the process that beats. Default: one for ever. */
  readonly boot?: (site: string, second: number) => string;
  /** Whether this region's health table answers. Default: yes. */
  readonly answers?: (region: RegionId, second: number) => boolean;
  /** Whether this region's observer runs. Default: yes. */
  readonly observes?: (region: RegionId, second: number) => boolean;
  readonly evidence?: (site: string, region: RegionId, now: number) => SiteEvidence;
}

export interface ObservedService {
  readonly story: LogStory;
  readonly clock: ManualClock;
  /** Seconds since the start. */
  readonly second: () => number;
  /** @returns what the observers brought to the log meanwhile. */
  readonly live: (seconds: number, weather?: Weather) => Promise<readonly ControlCommand[]>;
}

/** One service of these sites, all of which have beaten for half a minute; the first one is active. */
export async function observedService(sites: readonly string[]): Promise<ObservedService> {
  const clock = createManualClock(T0);
  const story = createLogStory();
  const [primary = ''] = sites;
  story.configure(servicePolicy({ primary, sites: sites.map((site) => sitePolicy(site)) }));
  story.finishRuns();
  let second = 0;
  let weather: Weather = {};
  const regions = OBSERVERS.map((region) =>
    observedRegion(region, { clock, story, weather: () => weather, second: () => second }),
  );
  const live: ObservedService['live'] = async (seconds, given = {}) => {
    weather = given;
    const news: ControlCommand[] = [];
    for (let passed = 0; passed < seconds; passed += 1) {
      second += 1;
      const sending = sites.filter((site) => given.sends?.(site, second) ?? true);
      for (const region of regions) {
        await region.hear(sending);
      }
      for (const region of regions) {
        news.push(...(await region.observe()));
      }
      review(story, clock.wallNow());
      await clock.advance(TICK_MS);
    }
    return news;
  };
  await live(30);
  return { story, clock, second: () => second, live };
}

interface Surroundings {
  readonly clock: ManualClock;
  readonly story: LogStory;
  readonly weather: () => Weather;
  readonly second: () => number;
}

function observedRegion(region: RegionId, { clock, story, weather, second }: Surroundings) {
  const answers = () => weather().answers?.(region, second()) ?? true;
  const health = fallible(memoryHealthStore(new MemoryHealthTable()), answers);
  const ingest = new Ingest(health, story.state);
  const observer = new Observer({
    region,
    health,
    clock,
    takeStoreErrors: () => ingest.takeStoreErrors(),
    evidenceOf: (_, site, now) => weather().evidence?.(site, region, now) ?? NO_EVIDENCE,
  });
  return {
    hear: async (sites: readonly string[]) => {
      const { arrives, status, boot } = weather();
      for (const site of sites.filter((one) => arrives?.(one, region) ?? true)) {
        const said = { status: status?.(site) ?? 'ok', replicationLagMs: null } as const;
        const bootId = boot?.(site, second()) ?? 'boot-1';
        const order = { sequence: second(), receivedAt: clock.wallNow() };
        await ingest.ingest({ service: 'checkout', site, bootId, ...order, ...said });
      }
    },
    observe: async () => {
      if (weather().observes?.(region, second()) === false) {
        return [];
      }
      const commands = await observer.observe(story.state());
      for (const command of commands) {
        story.write(command, command.at);
      }
      await observer.tidy(story.state());
      return commands;
    },
  };
}

/** The store, silent where the weather says so. */
function fallible(store: HealthStore, answers: () => boolean): HealthStore {
  const unknown = { kind: 'unknown', cause: 'a test' } as const;
  return {
    read: async (...words) => (answers() ? store.read(...words) : unknown),
    readMany: async (...words) => (answers() ? store.readMany(...words) : null),
    write: async (...words) => (answers() ? store.write(...words) : unknown),
    list: async (...words) => (answers() ? store.list(...words) : null),
    due: async (...words) => (answers() ? store.due(...words) : null),
    wake: async (...words) => answers() && store.wake(...words),
    settle: async (...words) => answers() && store.settle(...words),
    readObserver: async () => (answers() ? store.readObserver() : unknown),
    writeObserver: async (...words) => answers() && store.writeObserver(...words),
  };
}

/** What the leader does when the time of a service has come. */
function review(story: LogStory, now: number): void {
  for (const { policy, reviewAt } of Object.values(story.state().services)) {
    if (reviewAt !== null && now >= reviewAt) {
      story.write({ kind: 'review', service: policy.service }, epochMillis(now));
    }
  }
}
