/**
 * The observer: each tick it judges the sites that are due and brings to the log what it changed its
 * mind about. A quiet fleet brings nothing, and costs two small requests a tick: the query for who is
 * due, and the write that says this observer is at work.
 *
 * What is due: sites whose timer has come (`health-store.ts` has the invariant), a little ahead, so
 * that it knows the next deadline to the millisecond; and those to which the log draws its attention
 * (`attention.ts`). A round is two steps. `observe` reads, judges and returns the news, which must not
 * wait; `tidy` then moves the timers, and takes a step of the slow sweep that finds again what nobody
 * should ever have lost.
 */
import type { Clock } from '../base/clock.ts';
import { type EpochMillis, epochMillis, type RegionId } from '../base/identifiers.ts';
import type { LogEvent } from '../base/log.ts';
import { ownValue } from '../base/own-value.ts';
import { isAccusing } from '../detection/comparison.ts';
import type { SiteEvidence } from '../detection/evidence.ts';
import { observeSelf, type SelfObservation } from '../detection/observer.ts';
import type { RecoveryState } from '../recovery/state.ts';
import { Attention, siteKeyOf } from './attention.ts';
import type { ControlCommand } from './commands.ts';
import { ComparedSites } from './comparison.ts';
import type { JobObservation, LiveObservation } from './control-plane.ts';
import { DamagedItems } from './damaged-items.ts';
import type { HealthStore, RecordRead, SiteName, SiteRecord } from './health-store.ts';
import { inParallel } from './in-parallel.ts';
import { isScheduled, nextRunAt } from './jobs.ts';
import { CONTROL_LIMITS, CONTROL_TIMINGS } from './limits.ts';
import { NOTHING, SiteRecords } from './observed-records.ts';
import {
  besideLog,
  type Judge,
  type Judged,
  judgeSight,
  judgeSite,
  newsOf,
  type Sight,
} from './site-judgement.ts';
import { keepTimers } from './timer-keeper.ts';
import { type WatchedSite, watchedSite, watchedSites } from './watched-sites.ts';

export interface ObserverOptions {
  readonly region: RegionId;
  readonly health: HealthStore;
  readonly clock: Clock;
  /** Store errors of heartbeats since the last round. */
  readonly takeStoreErrors: () => number;
  /** What probes and callers say of a site; default: nothing. */
  readonly evidenceOf?: (service: string, site: string, now: EpochMillis) => SiteEvidence;
  /** Called at each look at a site while this observer accuses it. */
  readonly onSuspect?: (service: string, site: string) => void;
  /** Told of each item of the table that cannot be read, once; default: nobody is. */
  readonly log?: LogEvent;
}

export class Observer {
  readonly #options: ObserverOptions;
  readonly #attention: Attention;
  readonly #records: SiteRecords;
  readonly #compared: ComparedSites;
  readonly #damaged: DamagedItems;
  readonly #damagedTimers: DamagedItems;
  #self: SelfObservation | null = null;
  #hasRounds = false;
  /** Rounds and their tidying, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What the last round looked at. */
  #judged: readonly Judged[] = [];
  /** More timers are due than one round sees. */
  #isBacklogged = false;
  /** The table did not answer in the last round. */
  #isBlind = false;
  #sweep: { readonly after: string | null; readonly dueAt: number };

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#attention = new Attention(options.region);
    this.#compared = new ComparedSites(options.region);
    this.#damaged = new DamagedItems(options.log);
    this.#damagedTimers = new DamagedItems(options.log);
    this.#records = new SiteRecords(options.health, options.clock, this.#damaged);
    this.#sweep = { after: null, dueAt: options.clock.monotonicNow() };
  }

  /** One round. Returns the verdicts that differ from what the log holds of this observer. */
  observe(state: RecoveryState): Promise<readonly ControlCommand[]> {
    return this.#inTurn(() => this.#round(state));
  }

  /** After a round: moves the timers that were looked after, and takes a step of the sweep. */
  tidy(state: RecoveryState): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isBlind) {
        return;
      }
      const { region } = this.#options;
      const judged = this.#judged.map((one) => besideLog(one, { state, region }));
      await inParallel(judged, CONTROL_LIMITS.timersParallelMax, (one) => this.#keep(one));
      await this.#sweepOn(state);
    });
  }

  /**
   * Reads all sites, for a status view, unless they were read a moment ago. Judges nothing: where no
   * rounds run, the observer is taken for what the controller of this region left in the table.
   */
  async look(): Promise<void> {
    const [, self] = await Promise.all([
      this.#records.lookAtAll(),
      this.#hasRounds ? null : this.#recall(),
    ]);
    this.#self = self ?? this.#self;
  }

  /** What this region keeps of one site, as stored. */
  readSite(service: string, site: string): Promise<RecordRead> {
    return this.#options.health.read(service, site);
  }

  /** When the next site becomes suspect or failed if nothing more is heard; null = not soon. */
  nextDeadline(): EpochMillis | null {
    const now = this.#options.clock.wallNow();
    const ahead = this.#judged
      .flatMap(({ record }) => (record === null ? [] : [record.suspectAt, record.failAt]))
      .filter((deadline) => deadline > now);
    const next = this.#isBacklogged ? now : Math.min(...ahead);
    return Number.isFinite(next) ? epochMillis(next) : null;
  }

  /** What this region sees, fresher than the log. Judged anew at each call. */
  observations(state: RecoveryState): readonly LiveObservation[] {
    const now = this.#options.clock.wallNow();
    return [...watchedSites(state)].map((watched) => {
      const { service, site } = watched;
      const record = this.#records.get(siteKeyOf(watched)) ?? null;
      const { verdict } = judgeSite(watched, record, this.#judge(now));
      return {
        service,
        site,
        phi: verdict.phi,
        silentMs: verdict.lastArrivalAt === null ? null : now - verdict.lastArrivalAt,
        lastBeatAt: verdict.lastArrivalAt,
        suspectAt: record?.suspectAt ?? null,
        failAt: record?.failAt ?? null,
        replicationLagMs: record?.replicationLagMs ?? null,
        sentence: verdict.sentence,
        job: jobObservation(watched, record),
      };
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }

  async #round(state: RecoveryState): Promise<readonly ControlCommand[]> {
    const { region, clock, takeStoreErrors } = this.#options;
    const now = clock.wallNow();
    const sights = await this.#lookAround(state, now);
    const storeErrors = (this.#isBlind ? 1 : 0) + takeStoreErrors();
    this.#hasRounds = true;
    const previous = this.#self ?? (await this.#recall());
    this.#judged = await this.#judgeAll(sights, { state, previous, storeErrors, now });
    for (const judged of this.#judged) {
      this.#suspect(judged);
    }
    return this.#judged.flatMap((judged) => newsOf(judged, region, clock.wallNow()));
  }

  /**
   * First as if nothing spoke against this observer; what it would say then is held against the
   * others, and shows whether it can trust itself. Only if it does not, or has to be more careful
   * than in the last round, is everything judged again.
   */
  async #judgeAll(
    sights: readonly Sight[],
    round: {
      readonly state: RecoveryState;
      readonly previous: SelfObservation | null;
      readonly storeErrors: number;
      readonly now: EpochMillis;
    },
  ): Promise<readonly Judged[]> {
    const { state, previous, storeErrors, now } = round;
    const trusting: Judge = {
      ...this.#judge(now),
      self: previous === null ? null : { ...previous, doubt: null },
    };
    const tentative = sights.map((sight) => judgeSight(sight, trusting));
    const comparison = this.#compared.compare(state, tentative, now);
    const periodMs = CONTROL_TIMINGS.tickMs;
    const self = observeSelf(previous, { now, periodMs, storeErrors, comparison });
    this.#self = self;
    const { doubt, ...record } = self;
    await this.#options.health.writeObserver(record);
    const isTrusted = doubt === null && previous !== null && isSameStance(self, previous);
    return isTrusted ? tentative : sights.map((sight) => judgeSight(sight, this.#judge(now)));
  }

  /** What is due, and what else needs a look. A table that does not answer leaves what is known. */
  async #lookAround(state: RecoveryState, now: EpochMillis): Promise<readonly Sight[]> {
    const horizon = epochMillis(now + CONTROL_TIMINGS.lookAheadMs);
    const due = await this.#options.health.due(horizon, CONTROL_LIMITS.timersPerRoundMax);
    const damaged = due?.damaged ?? [];
    this.#damagedTimers.replace([], damaged);
    // Whose timer cannot be read is looked at while it stands.
    const called = damaged.map((name) => [siteKeyOf(name), name] as const);
    const names = new Map<string, SiteName>([...this.#attention.of(state), ...called]);
    const timers = Map.groupBy(due?.timers ?? [], siteKeyOf);
    for (const [key, [timer]] of timers) {
      if (timer !== undefined) {
        names.set(key, timer);
      }
    }
    const records =
      due === null ? null : await this.#records.read([...names.values()], this.#attention.fleet);
    this.#isBacklogged = due?.isAll === false;
    this.#isBlind = records === null;
    if (records === null) {
      return this.#recollect(state, now);
    }
    return [...names].map(([key, name]) => ({
      name,
      watched: watchedSite(state, name.service, name.site),
      record: records.get(key) ?? null,
      timers: timers.get(key) ?? [],
    }));
  }

  /** Without an answer: sites whose deadline has passed by what is remembered of them. */
  #recollect(state: RecoveryState, now: EpochMillis): readonly Sight[] {
    return this.#records.overdue(now).map((record) => ({
      name: record,
      watched: watchedSite(state, record.service, record.site),
      record,
      timers: [],
    }));
  }

  #judge(now: EpochMillis): Judge {
    const { region, evidenceOf } = this.#options;
    const isDamaged = (site: SiteName) => this.#damaged.has(site);
    return { region, self: this.#self, evidenceOf, isDamaged, now };
  }

  /** A site that is accused is a site to probe. */
  #suspect({ watched, verdict }: Judged): void {
    if (watched !== null && verdict !== null && isAccusing(verdict)) {
      this.#options.onSuspect?.(watched.service, watched.site);
    }
  }

  async #keep(judged: Judged): Promise<void> {
    const { region, health } = this.#options;
    const isEnded = await keepTimers(health, judged, this.#isBacklogged);
    const standing = judged.watched && ownValue(judged.watched.verdicts, region)?.verdict;
    this.#attention.settled(judged.name, isEnded ? (standing ?? null) : null);
  }

  /**
   * One page of all sites. Whoever is not what the log says, and has no timer, is looked at in the
   * next round, and gets one.
   */
  async #sweepOn(state: RecoveryState): Promise<void> {
    const { clock, health } = this.#options;
    if (clock.monotonicNow() < this.#sweep.dueAt) {
      return;
    }
    const page = await health.list(this.#sweep.after, CONTROL_LIMITS.sweepPageSites);
    const by = this.#judge(clock.wallNow());
    const { records, damaged } = page ?? NOTHING;
    this.#damaged.replace(records, damaged);
    const seen = [
      ...records.map((record) => ({ name: record, record })),
      ...damaged.map((name) => ({ name, record: null })),
    ];
    for (const { name, record } of seen) {
      const watched = watchedSite(state, name.service, name.site);
      if (watched !== null && judgeSight({ name, watched, record, timers: [] }, by).isOpen) {
        this.#attention.call(watched);
      }
    }
    const isOver = page !== null && page.next === null;
    this.#sweep = {
      after: page === null ? this.#sweep.after : page.next,
      dueAt: isOver ? clock.monotonicNow() + CONTROL_TIMINGS.sweepMs : this.#sweep.dueAt,
    };
  }

  /** After a start: when did this region last evaluate, and since when without a gap? */
  async #recall(): Promise<SelfObservation | null> {
    const read = await this.#options.health.readObserver();
    return read.kind === 'found' ? { ...read.record, doubt: null } : null;
  }
}

/** Whether an observer judges now as it did in the round before. */
function isSameStance(self: SelfObservation, previous: SelfObservation): boolean {
  return (
    self.score === previous.score &&
    self.baselineAt === previous.baselineAt &&
    self.gap === previous.gap
  );
}

function jobObservation(watched: WatchedSite, record: SiteRecord | null): JobObservation | null {
  const job = record?.job ?? null;
  return job === null || !isScheduled(watched)
    ? null
    : { ...job, expectedAt: nextRunAt(record, watched) };
}
