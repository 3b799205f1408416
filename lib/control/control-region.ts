/**
 * One control region, composed: the log, the observer, the worker, the archive, and the use cases
 * that the API offers. The same object runs in a local process and in a Lambda function; only the
 * adapters and who drives its loops differ.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock, Random } from '../base/clock.ts';
import { type CommandId, commandId, type RegionId } from '../base/identifiers.ts';
import { formatInstant } from '../base/instant.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import { areRegionsEnough, type Cluster, createCluster } from '../consensus/cluster.ts';
import { Compactor } from '../consensus/compactor.ts';
import { LogHost } from '../consensus/log-host.ts';
import { Pulse } from '../consensus/pulse.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { AppliedEntry } from '../consensus/replica.ts';
import type { ClusterIdentity, Entry } from '../consensus/server.ts';
import type { ConsensusTimings } from '../consensus/settings.ts';
import { registerBytes } from '../consensus/size.ts';
import { isAccusing } from '../detection/comparison.ts';
import type { Run, Step, StepResult } from '../recovery/run.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { SwitchPort, VerifyPort } from '../recovery/switch-port.ts';
import { Archive } from './archive.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import type { CommandOutcome, ControlPlane, LogPosition } from './control-plane.ts';
import { performStep } from './effects.ts';
import { Errand } from './errand.ts';
import type { HealthStore } from './health-store.ts';
import { Ingest } from './ingest.ts';
import { CONTROL_LIMITS, CONTROL_TIMINGS } from './limits.ts';
import { createControlMachine } from './machine.ts';
import { Observer } from './observe.ts';
import { createPlane } from './plane.ts';
import type { ProbePort } from './probe-port.ts';
import type { ReportStore } from './report-store.ts';
import { EvidenceSources } from './site-evidence.ts';
import { type SnapshotOutcome, StateSnapshots } from './state-snapshot.ts';
import { logWarnings } from './warnings.ts';
import { Worker } from './worker.ts';

export interface ControlRegionOptions {
  readonly identity: ClusterIdentity;
  /** One per member, in any order. */
  readonly registers: readonly RegisterPort[];
  readonly health: HealthStore;
  readonly stores: {
    readonly own: SnapshotStore;
    readonly all: ReadonlyMap<RegionId, SnapshotStore>;
  };
  readonly switchPort: SwitchPort;
  readonly verifyPort: VerifyPort;
  /** What the sites are asked by, while the loops run. */
  readonly probePort: ProbePort;
  readonly reports: ReportStore;
  readonly timings: ConsensusTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly log: LogEvent;
}

/** Shortest pause between two ticks, however many deadlines are due. */
const MIN_PAUSE_MS = 50;

export class ControlRegion {
  readonly plane: ControlPlane;
  readonly #options: ControlRegionOptions;
  readonly #cluster: Cluster;
  readonly #host: LogHost<RecoveryState>;
  readonly #pulse: Pulse<RecoveryState>;
  readonly #compactor: Compactor<RecoveryState>;
  readonly #observer: Observer;
  readonly #evidence: EvidenceSources;
  readonly #worker: Worker;
  readonly #archive: Archive;
  readonly #snapshots: StateSnapshots;
  readonly #listeners = new Set<() => void>();
  /** Proposals under way, by what they are about: one at a time each. */
  readonly #underWay = new Set<string>();
  #archiveFault: string | null = null;
  /** The answer to an accusation. */
  readonly #answer = new Errand();
  #isStopping = false;
  /**
   * Only a process whose loops run takes up steps. An API function applies entries too, but it is
   * frozen as soon as it has answered, and it may not change DNS.
   */
  #isLooping = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: ControlRegionOptions) {
    const { identity, registers, health, stores, clock, sha256, random } = options;
    this.#options = options;
    this.#cluster = createCluster({ ...options, registers });
    const cluster = this.#cluster;
    this.#host = new LogHost({ cluster, machine: createControlMachine(identity.founders), sha256 });
    this.#pulse = new Pulse(cluster, this.#host);
    this.#compactor = new Compactor(cluster, this.#host);
    this.#archive = new Archive(stores);
    this.#snapshots = new StateSnapshots(copyTargets(options));
    const ingest = new Ingest(health, () => this.#host.replica.state);
    this.#evidence = new EvidenceSources({ ...options, state: () => this.#host.replica.state });
    const takeStoreErrors = () => ingest.takeStoreErrors();
    const evidence = this.#evidence;
    this.#observer = new Observer({
      ...{ region: identity.region, health, clock, takeStoreErrors, log: options.log },
      evidenceOf: (service, site, now) => evidence.evidenceOf(service, site, now),
      onSuspect: (service, site) => evidence.probeNow(service, site),
    });
    this.#worker = new Worker({
      region: identity.region,
      state: () => this.#host.replica.state,
      propose: (command) => this.#proposeOwn(command),
      perform: (run, step) => this.#perform(run, step),
      isReachable: (region) => this.#cluster.clients.get(region)?.isReachable ?? false,
      clock,
      random,
      log: options.log,
    });
    this.#host.onApplied((applied) => {
      this.#archive.take(applied);
      this.#notify();
      this.#startWork();
      this.#answerAccusers(applied);
      logWarnings(applied, identity.region, options.log);
    });
    this.plane = createPlane({
      region: identity.region,
      host: this.#host,
      ingest,
      observer: this.#observer,
      reports: this.#evidence.reports,
      archive: this.#archive,
      stores: [stores.own, ...stores.all.values()],
      clock,
      position: () => this.#position(),
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    });
  }

  /** Starts the loops of a long-lived process. A loop that throws stops the process: loudly. */
  start(): void {
    this.#loops = this.#runLoops(() => this.#isStopping);
  }

  /** Resolves when every loop has ended its round. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loops;
  }

  /** Runs the loops for a bounded time: one invocation of a scheduled function. */
  async runFor(durationMs: number): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonicNow() + durationMs;
    await this.#runLoops(() => clock.monotonicNow() >= until);
  }

  /**
   * One look at the log and at who answers: what a process without loops, an API function, does
   * before it answers. The sites are read when somebody asks for them (`plane.look`).
   */
  async refresh(): Promise<void> {
    await Promise.all([this.#followOnce(), this.#survey()]);
  }

  async #followOnce(): Promise<void> {
    const client = this.#cluster.clients.get(this.#options.identity.region);
    const beat = await client?.readBeat();
    await this.#host.follow(beat?.kind === 'found' ? beat.beat.commit : null);
  }

  takeSnapshot(): Promise<SnapshotOutcome> {
    return this.#snapshots.take(this.#host.replica);
  }

  async #runLoops(isOver: () => boolean): Promise<void> {
    this.#isLooping = true;
    await Promise.all([
      this.#loop(every(this.#options.timings.beatMs), isOver, () => this.#pulse.tick()),
      this.#loop(
        (elapsedMs) => this.#pauseAfterTick(elapsedMs),
        isOver,
        () => this.#tick(),
      ),
      this.#loop(every(CONTROL_TIMINGS.tickMs), isOver, () => this.#keepHouse()),
      this.#loop(every(CONTROL_TIMINGS.tickMs), isOver, () => this.#survey()),
      this.#loop(every(CONTROL_TIMINGS.snapshotMs), isOver, () => this.#takeSnapshot()),
      this.#gatherEvidence(isOver),
    ]).finally(() => {
      this.#isLooping = false;
    });
  }

  async #gatherEvidence(isOver: () => boolean): Promise<void> {
    const pauseMs = () => this.#evidence.pauseMs();
    await this.#loop(pauseMs, isOver, () => this.#evidence.round());
    await this.#evidence.stop();
  }

  /** @param pauseMs how long to wait after a round that took `elapsedMs`. */
  async #loop(
    pauseMs: (elapsedMs: number) => number,
    ...[isOver, round]: [() => boolean, () => Promise<unknown>]
  ): Promise<void> {
    const { clock } = this.#options;
    while (!isOver()) {
      const startedAt = clock.monotonicNow();
      await round();
      await this.#sleepUnlessOver(pauseMs(clock.monotonicNow() - startedAt), isOver);
    }
  }

  /** Sleeps in slices, so that stopping does not wait for the longest period. */
  async #sleepUnlessOver(durationMs: number, isOver: () => boolean): Promise<void> {
    let leftMs = Math.max(1, durationMs);
    while (leftMs > 0 && !isOver()) {
      const sliceMs = Math.min(leftMs, CONTROL_TIMINGS.tickMs);
      await this.#options.clock.sleep(sliceMs);
      leftMs -= sliceMs;
    }
  }

  /** Judges the sites and sets out what follows; waits for no other region, so that it is never late. */
  async #tick(): Promise<void> {
    await this.#answer.settled();
    await this.#judge();
    this.#proposeReviews(this.#host.replica.state);
    this.#startWork();
    this.#notify();
    await this.#observer.tidy(this.#host.replica.state);
  }

  async #judge(): Promise<void> {
    for (const command of await this.#observer.observe(this.#host.replica.state)) {
      this.#proposeOnce(command);
    }
  }

  /**
   * Another region accuses a site. If this one hears it, its proof of life must be in the log before
   * the accusers go from suspect to failed, which may be sooner than the next tick.
   */
  #answerAccusers(applied: readonly AppliedEntry[]): void {
    const { region } = this.#options.identity;
    const accusers = applied.map(({ entry }) => accuserOf(entry));
    const isAccused = accusers.some((accuser) => accuser !== null && accuser !== region);
    if (isAccused && this.#isLooping) {
      this.#answer.start(async () => {
        await this.#judge();
        await this.#observer.tidy(this.#host.replica.state);
      });
    }
  }

  /** Until the next tick, or until a deadline before it: so all observers speak at once. */
  #pauseAfterTick(elapsedMs: number): number {
    const pauseMs = CONTROL_TIMINGS.tickMs - elapsedMs;
    const deadline = this.#observer.nextDeadline();
    return deadline === null
      ? pauseMs
      : Math.max(MIN_PAUSE_MS, Math.min(pauseMs, deadline - this.#options.clock.wallNow() + 1));
  }

  /** Archive first, then compaction: a register forgets only what is archived, while it can wait. */
  async #keepHouse(): Promise<void> {
    const fault = await this.#archive.tick(this.#compactor.awaitedIndex);
    if (fault !== null && fault !== this.#archiveFault) {
      this.#options.log('error', 'archive-behind', { cause: fault });
    }
    this.#archiveFault = fault;
    const own = this.#cluster.clients.get(this.#options.identity.region)?.cached;
    const bytes = own === null || own === undefined ? 0 : registerBytes(own);
    const mustForget = bytes > CONTROL_LIMITS.unarchivedLogBytesMax;
    const { archivedUpTo } = this.#archive;
    await this.#compactor.tick(mustForget ? this.#host.replica.applied.index : archivedUpTo);
  }

  /** A copy that could not be stored must not go unseen. */
  async #takeSnapshot(): Promise<void> {
    const outcome = await this.takeSnapshot();
    if (outcome.kind === 'failed') {
      this.#options.log('error', 'snapshot-failed', { detail: outcome.detail });
    }
  }

  /** Who answers. A loop of its own: a region that is cut off keeps a call waiting for seconds. */
  async #survey(): Promise<void> {
    await Promise.all([...this.#cluster.clients.values()].map((client) => client.readBeat()));
  }

  #startWork(): void {
    if (this.#isLooping && !this.#isStopping) {
      void this.#worker.work();
    }
  }

  #proposeReviews({ services, monitors }: RecoveryState): void {
    const now = this.#options.clock.wallNow();
    const isLeading = this.#host.leader?.region === this.#options.identity.region;
    for (const { policy, reviewAt } of [...Object.values(services), ...Object.values(monitors)]) {
      if (isLeading && reviewAt !== null && now >= reviewAt) {
        this.#proposeOnce({ kind: 'review', service: policy.service, at: now });
      }
    }
  }

  #proposeOnce(command: ControlCommand): void {
    const subject = subjectOf(command);
    if (!this.#underWay.has(subject)) {
      this.#underWay.add(subject);
      void this.#proposeOwn(command).finally(() => this.#underWay.delete(subject));
    }
  }

  async #proposeOwn(command: ControlCommand): Promise<CommandResult | null> {
    const outcome: CommandOutcome = await this.plane.propose(this.#newCommandId(), command);
    return outcome.kind === 'committed' ? outcome.result : null;
  }

  #newCommandId(): CommandId {
    const { random, identity } = this.#options;
    const word = () => Math.floor(random() * 2 ** 48).toString(36);
    return commandId(`${identity.region}:${word()}${word()}${word()}`);
  }

  #perform(run: Run, step: Step): Promise<StepResult> {
    const { switchPort, verifyPort, stores, clock, random, identity } = this.#options;
    const { replica } = this.#host;
    const ports = { switchPort, verifyPort, store: stores.own, clock, random };
    return performStep(
      ports,
      { run, step: step.name },
      {
        state: replica.state,
        report: {
          generatedAt: clock.wallNow(),
          generatedBy: identity.region,
          position: { index: replica.applied.index, chain: replica.chain },
          formatInstant: formatInstant,
        },
      },
    );
  }

  #position(): LogPosition {
    const { replica, leader } = this.#host;
    const clients = [...this.#cluster.clients.values()];
    const reachable = clients.filter(({ isReachable }) => isReachable).map(({ region }) => region);
    return {
      appliedIndex: replica.applied.index,
      appliedTerm: replica.applied.term,
      chain: replica.chain,
      leader: leader?.region ?? null,
      term: leader?.term ?? replica.applied.term,
      quorum: areRegionsEnough(this.#cluster, new Set(reachable)),
      reachable,
    };
  }

  #notify(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

export function createControlRegion(options: ControlRegionOptions): ControlRegion {
  return new ControlRegion(options);
}

/** The region that accuses a site by this entry; null when it is about something else. */
function accuserOf({ command }: Entry): RegionId | null {
  const body = command?.body as unknown as ControlCommand | undefined;
  return body?.kind === 'verdict' && isAccusing(body.verdict) ? body.observer : null;
}

function every(periodMs: number): (elapsedMs: number) => number {
  return (elapsedMs) => periodMs - elapsedMs;
}

function subjectOf(command: ControlCommand): string {
  const service = 'service' in command ? command.service : '';
  const site = 'site' in command ? command.site : '';
  return `${command.kind} ${service} ${site}`;
}

/** This region's store, and the next region's in order. */
function copyTargets({ stores, identity }: ControlRegionOptions): readonly SnapshotStore[] {
  const regions = [...stores.all.keys()].sort();
  const next = regions[(regions.indexOf(identity.region) + 1) % regions.length];
  const other = next === undefined ? undefined : stores.all.get(next);
  return other === undefined || other === stores.own ? [stores.own] : [stores.own, other];
}
