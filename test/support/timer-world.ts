/**
 * A world that is out to lose a timer: two processes that take heartbeats and two observers, all at
 * once over one health table, whose requests are lost, answered to nobody, or arrive late, and who
 * die between any two of them. One seed, one history.
 *
 * After each step the invariant of `lib/control/health-store.ts` is checked against the table itself.
 */
import { setImmediate } from 'node:timers/promises';
import { epochMillis, type MonotonicMillis } from '../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../lib/control/commands.ts';
import type { HealthStore, SiteRecord } from '../../lib/control/health-store.ts';
import { Ingest } from '../../lib/control/ingest.ts';
import { CONTROL_TIMINGS } from '../../lib/control/limits.ts';
import { Observer } from '../../lib/control/observe.ts';
import { NO_EVIDENCE } from '../../lib/detection/evidence.ts';
import { isNews } from '../../lib/detection/news.ts';
import { changesAt, type JudgeInput, judge, type Verdict } from '../../lib/detection/verdict.ts';
import {
  MemoryHealthTable,
  type MemoryStep,
  memoryHealthStore,
  type Passage,
} from '../../lib/simulation/memory-health-store.ts';
import { integerBetween, seededRandom } from '../../lib/simulation/random.ts';
import { createLogStory } from './log-story.ts';
import { EAST, OBSERVERS, servicePolicy, T0, WEST } from './service-states.ts';

const SITES = [EAST, WEST];
/** Beats slow enough that timers are moved, not only left where they are. */
const INTERVAL_MS = 5000;
const FLEET = servicePolicy({
  detection: { intervalMs: INTERVAL_MS, suspectPhi: 8, failPhi: 16, silenceMsMax: 60_000 },
});
const POLICY = FLEET.detection;
const [REGION] = OBSERVERS;
const TICK_MS = 1000;
const STEPS = 1200;
/** No request is under way for longer; see `timerAwaitMsMax`. */
const LATE_MS_MAX = 20_000;
const FINAL_ROUNDS = 120;

/** Makes the store of one process; a sabotaged one shows that the check can fail. */
export type MakeStore = (table: MemoryHealthTable, pass: Passage) => HealthStore;

interface Request {
  readonly sentAt: number;
  readonly deliver: () => void;
}

interface Process {
  /** Held by whatever it has under way: a dead process gets no answer any more. */
  readonly life: { isDead: boolean };
}

/** Sender of one site's beats. */
interface Sender {
  readonly site: string;
  isUp: boolean;
  status: 'ok' | 'degraded' | 'leaving';
  nextAt: number;
  sequence: number;
}

export interface WorldOptions {
  readonly makeStore?: MakeStore;
  readonly table?: MemoryHealthTable;
  /**
   * What one of two overlapping observers judged earlier may reach the log later. Then the timers
   * alone cannot help, and the slow sweep must.
   */
  readonly isLogDisordered?: boolean;
}

/** @returns what was violated, in words; null = nothing. */
export async function liveThrough(
  seed: number,
  options: WorldOptions = {},
): Promise<string | null> {
  const world = new World(seed, options);
  for (let step = 0; step < STEPS; step += 1) {
    await world.step();
    const violation = options.isLogDisordered ? null : world.violation();
    if (violation !== null) {
      return `step ${step}: ${violation}`;
    }
  }
  return world.finish();
}

class World {
  readonly #random: () => number;
  readonly #table: MemoryHealthTable;
  readonly #story = createLogStory();
  readonly #makeStore: MakeStore;
  readonly #isLogDisordered: boolean;
  readonly #requests: Request[] = [];
  /** Of each site the newest beat that an observer has read. */
  readonly #newestRead = new Map<string, number>();
  readonly #senders: readonly Sender[] = SITES.map((site, place) => ({
    site,
    isUp: true,
    status: 'ok',
    nextAt: T0 + 300 * place,
    sequence: 0,
  }));
  #now: number = T0;
  #isCalm = false;
  readonly #ingests: (Process & { readonly ingest: Ingest })[] = [];
  readonly #observers: (Process & {
    readonly observer: Observer;
    nextAt: number;
    isBusy: boolean;
  })[] = [];

  constructor(seed: number, options: WorldOptions) {
    this.#random = seededRandom(seed);
    this.#makeStore = options.makeStore ?? memoryHealthStore;
    this.#table = options.table ?? new MemoryHealthTable();
    this.#isLogDisordered = options.isLogDisordered ?? false;
    this.#story.configure(FLEET);
    this.#story.finishRuns();
    this.#ingests.push(this.#newIngest(), this.#newIngest());
    this.#observers.push(this.#newObserver(), this.#newObserver());
  }

  async step(): Promise<void> {
    if (this.#requests.length > 0 && this.#random() < 0.75) {
      this.#deliverOne();
    } else {
      this.#now += integerBetween(this.#random, 1, 1000);
      this.#misfortune();
      this.#beat();
      this.#tick();
    }
    await setImmediate();
  }

  /** A site whose verdict time can change, or has changed, and that no timer will bring up. */
  violation(): string | null {
    for (const site of SITES) {
      const record = this.#table.read('checkout', site);
      const own = this.#ownVerdict(site);
      // Of these the log itself reminds the observer in each round (`attention.ts`).
      const isRemembered = own === undefined || own.state === 'unknown' || own.state === 'suspect';
      if (record === null || isRemembered) {
        continue;
      }
      const needed = this.#neededAt(site, record);
      const stands = this.#table.timers.some((timer) => timer.site === site && timer.at <= needed);
      if (!stands && needed < Infinity) {
        const { state } = judge(this.#inputOf(record));
        return `${site} is ${state}, the log says ${own.state}, and no timer stands before ${needed - T0}`;
      }
    }
    return null;
  }

  /** Fair weather: everything arrives, nobody dies. Then the log must soon say what is so. */
  async finish(): Promise<string | null> {
    this.#isCalm = true;
    const rounds = FINAL_ROUNDS + (this.#isLogDisordered ? CONTROL_TIMINGS.sweepMs / TICK_MS : 0);
    for (let round = 0; round < rounds; round += 1) {
      this.#now += TICK_MS;
      this.#beat();
      this.#tick();
      await this.#settle();
    }
    for (const site of SITES) {
      const record = this.#table.read('checkout', site);
      const own = this.#ownVerdict(site);
      if (record !== null && this.#isNews(site, judge(this.#inputOf(record)))) {
        const { state } = judge(this.#inputOf(record));
        return `at the end ${site} is ${state}, but the log says ${own?.state ?? 'nothing'}`;
      }
    }
    return null;
  }

  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      while (this.#requests.length > 0) {
        this.#requests.shift()?.deliver();
        await setImmediate();
      }
      await setImmediate();
    }
  }

  #neededAt(site: string, record: SiteRecord): number {
    const input = this.#inputOf(record);
    return this.#isNews(site, judge(input)) ? this.#now : (changesAt(input) ?? Infinity);
  }

  #ownVerdict(site: string): Verdict | undefined {
    return this.#story.service().sites[site]?.verdicts[REGION ?? '']?.verdict;
  }

  #isNews(site: string, verdict: Verdict): boolean {
    const own = this.#ownVerdict(site);
    const committed = own === undefined ? [] : [own];
    return isNews(verdict, { standing: own, committed, proofMsMax: Infinity });
  }

  #inputOf(record: SiteRecord): JudgeInput {
    return {
      window: record.window,
      reportedStatus: record.reportedStatus,
      evidence: NO_EVIDENCE,
      now: epochMillis(this.#now),
      doubt: null,
      baselineAt: T0,
      policy: POLICY,
    };
  }

  /** Each process asks the table through this, and not any more once it is dead. */
  #passage(process: { isDead: boolean }): Passage {
    return (step, apply) =>
      new Promise((resolve) => {
        const answer = (value: Parameters<typeof resolve>[0]) => {
          if (!process.isDead) {
            resolve(value);
          }
        };
        const deliver = () => {
          const fate = this.#fateOf(step);
          if (fate === 'late') {
            this.#requests.push({ sentAt: this.#now, deliver: () => void apply() });
          }
          const result = fate === 'late' || fate === 'lost' ? null : apply();
          answer(fate === 'done' ? result : null);
        };
        this.#requests.push({ sentAt: this.#now, deliver });
      });
  }

  #fateOf(step: MemoryStep): 'done' | 'lost' | 'unanswered' | 'late' {
    const chance = this.#isCalm ? 1 : this.#random();
    if (chance < 0.04) {
      return 'lost';
    }
    if (step === 'read' || chance > 0.15) {
      return 'done';
    }
    return chance < 0.1 ? 'late' : 'unanswered';
  }

  #deliverOne(): void {
    const [request] = this.#requests.splice(this.#placeOfNext(), 1);
    request?.deliver();
  }

  /** What was under way for too long comes first; else mostly their order, so that a round ends. */
  #placeOfNext(): number {
    const overdue = this.#requests.findIndex(({ sentAt }) => this.#now - sentAt > LATE_MS_MAX);
    const any = integerBetween(this.#random, 0, this.#requests.length - 1);
    if (overdue >= 0) {
      return overdue;
    }
    return this.#random() < 0.7 ? 0 : any;
  }

  #misfortune(): void {
    const chance = this.#random();
    const place = this.#random() < 0.5 ? 0 : 1;
    const sender = this.#senders[place];
    if (chance < 0.02) {
      bury(this.#ingests[place]);
      this.#ingests[place] = this.#newIngest();
    } else if (chance < 0.04) {
      bury(this.#observers[place]);
      this.#observers[place] = this.#newObserver();
    } else if (chance < 0.07 && sender !== undefined) {
      sender.isUp = !sender.isUp;
    } else if (chance < 0.1 && sender !== undefined) {
      const next = this.#random();
      sender.status = next < 0.5 ? 'ok' : next < 0.8 ? 'degraded' : 'leaving';
    }
  }

  #beat(): void {
    for (const sender of this.#senders) {
      if (this.#now < sender.nextAt) {
        continue;
      }
      sender.nextAt = this.#now + INTERVAL_MS;
      sender.sequence += 1;
      if (sender.isUp) {
        const { site, sequence, status } = sender;
        const said = { service: 'checkout', site, sequence, status, bootId: 'boot-1' } as const;
        const receivedAt = epochMillis(this.#now);
        const process = this.#ingests[this.#random() < 0.5 ? 0 : 1];
        void process?.ingest.ingest({ ...said, replicationLagMs: null, receivedAt });
      }
    }
  }

  #tick(): void {
    for (const process of this.#observers) {
      if (!process.isBusy && this.#now >= process.nextAt) {
        process.isBusy = true;
        process.nextAt = this.#now + TICK_MS;
        void this.#round(process.observer).finally(() => {
          process.isBusy = false;
        });
      }
    }
  }

  /** As a control region does it; a proposal may not make it into the log. */
  async #round(observer: Observer): Promise<void> {
    for (const command of await observer.observe(this.#story.state())) {
      if ((this.#isCalm || this.#random() < 0.8) && this.#isInOrder(command)) {
        this.#story.write(command, command.at);
      }
    }
    await observer.tidy(this.#story.state());
  }

  /** Not what was judged before another word of the log, or by a beat that was not the newest read. */
  #isInOrder(command: ControlCommand): boolean {
    if (this.#isLogDisordered || command.kind !== 'verdict') {
      return true;
    }
    const { site, verdict } = command;
    const standing = this.#ownVerdict(site);
    const isOvertaken = (verdict.lastSequence ?? 0) < (this.#newestRead.get(site) ?? 0);
    return !isOvertaken && (standing === undefined || standing.judgedAt <= verdict.judgedAt);
  }

  #newIngest() {
    const life = { isDead: false };
    return { life, ingest: new Ingest(this.#newStore(life), this.#story.state) };
  }

  #newObserver() {
    const life = { isDead: false };
    const store = this.#newStore(life);
    const readMany: HealthStore['readMany'] = async (sites) => {
      const found = await store.readMany(sites);
      for (const { site, window } of found?.records ?? []) {
        const newest = Math.max(window.lastSequence, this.#newestRead.get(site) ?? 0);
        this.#newestRead.set(site, newest);
      }
      return found;
    };
    const health = { ...store, readMany };
    const now = () => epochMillis(this.#now);
    const clock = {
      wallNow: now,
      monotonicNow: () => this.#now as MonotonicMillis,
      sleep: async () => undefined,
    };
    const region = OBSERVERS[0] as (typeof OBSERVERS)[number];
    const observer = new Observer({ region, health, clock, takeStoreErrors: () => 0 });
    return { life, observer, nextAt: this.#now, isBusy: false };
  }

  /** Where the timers must do, the slow sweep sees nothing: it would find again what they lost. */
  #newStore(process: { isDead: boolean }): HealthStore {
    const store = this.#makeStore(this.#table, this.#passage(process));
    return this.#isLogDisordered ? store : { ...store, list: async () => null };
  }
}

function bury(process: Process | undefined): void {
  if (process !== undefined) {
    process.life.isDead = true;
  }
}
