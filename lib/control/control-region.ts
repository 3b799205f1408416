/**
 * One control region, composed: the log, the observer, the worker, the archive, and the use cases
 * that the API offers. The same object runs in a local process and in a Lambda function; only the
 * adapters and who drives its loops differ.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock, Random } from '../base/clock.ts';
import type { RegionId } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import { areRegionsEnough, type Cluster, createCluster } from '../consensus/cluster.ts';
import { Compactor } from '../consensus/compactor.ts';
import { withHedgedReads } from '../consensus/hedged-reads.ts';
import { LogHost } from '../consensus/log-host.ts';
import { Pulse } from '../consensus/pulse.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { AppliedEntry } from '../consensus/replica.ts';
import type { ClusterIdentity, Entry } from '../consensus/server.ts';
import type { ConsensusTimings } from '../consensus/settings.ts';
import { registerBytes } from '../consensus/size.ts';
import { isAccusing } from '../detection/comparison.ts';
import type { ActionPorts } from '../recovery/action-ports.ts';
import type { MetricPort } from '../recovery/metric-port.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { RoutingPort, SwitchPort, VerifyPort } from '../recovery/switch-port.ts';
import { Archive } from './archive.ts';
import type { ControlCommand } from './commands.ts';
import { Confirmation } from './confirmation.ts';
import type { ControlPlane, LogPosition } from './control-plane.ts';
import { Errand } from './errand.ts';
import type { HealthStore } from './health-store.ts';
import { Ingest } from './ingest.ts';
import { LeaderPlacement } from './leader-placement.ts';
import { CONTROL_LIMITS, CONTROL_TIMINGS } from './limits.ts';
import { createControlMachine } from './machine.ts';
import { Observer } from './observe.ts';
import { createPlane } from './plane.ts';
import { createPreparation } from './preparation.ts';
import type { ProbePort } from './probe-port.ts';
import type { ReadinessPort } from './readiness-port.ts';
import { RegionWork } from './region-work.ts';
import type { ReportStore } from './report-store.ts';
import { EvidenceSources } from './site-evidence.ts';
import { type SnapshotOutcome, StateSnapshots } from './state-snapshot.ts';
import type { TabletopGround } from './tabletop.ts';
import { Upkeep } from './upkeep.ts';
import { logWarnings } from './warnings.ts';

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
  readonly routingPort?: RoutingPort;
  /** What the sites are asked by, while the loops run. */
  readonly probePort: ProbePort;
  /** What steps act on beside DNS. */
  readonly actions: ActionPorts;
  /** Where metrics of replication lag are read; absent = nowhere. */
  readonly metricPort?: MetricPort;
  /** What only the provider says of the plans; absent = there is none to ask. */
  readonly readiness?: ReadinessPort;
  /** true = the ports cannot be used here, not even to look: a function that takes up no step. */
  readonly isBlind?: boolean;
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
  readonly #placement: LeaderPlacement;
  readonly #compactor: Compactor<RecoveryState>;
  readonly #observer: Observer;
  readonly #evidence: EvidenceSources;
  readonly #work: RegionWork;
  readonly #upkeep: Upkeep;
  readonly #archive: Archive;
  readonly #snapshots: StateSnapshots;
  readonly #confirmation: Confirmation;
  readonly #listeners = new Set<() => void>();
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
    const { identity, registers, health, stores, clock, sha256 } = options;
    this.#options = options;
    const asked = registers.map((port) => withHedgedReads(port, clock));
    this.#cluster = createCluster({ ...options, registers: asked });
    const cluster = this.#cluster;
    this.#host = new LogHost({ cluster, machine: createControlMachine(identity.founders), sha256 });
    this.#pulse = new Pulse(cluster, this.#host);
    this.#placement = new LeaderPlacement({ cluster, host: this.#host, clock });
    this.#compactor = new Compactor(cluster, this.#host);
    this.#archive = new Archive(stores);
    this.#snapshots = new StateSnapshots(copyTargets(options));
    const state = () => this.#host.replica.state;
    const confirm = () => this.#host.confirmLeadership();
    this.#confirmation = new Confirmation({ confirm, state, clock });
    const ingest = new Ingest(health, state, { clock, confirmation: this.#confirmation });
    this.#evidence = new EvidenceSources({ ...options, state });
    const takeStoreErrors = () => ingest.takeStoreErrors();
    const evidence = this.#evidence;
    this.#observer = new Observer({
      ...{ region: identity.region, health, clock, takeStoreErrors, log: options.log },
      evidenceOf: (service, site, now) => evidence.evidenceOf(service, site, now),
      onSuspect: (service, site) => evidence.probeNow(service, site),
    });
    this.#work = new RegionWork(options, {
      host: this.#host,
      propose: (id, command) => this.plane.propose(id, command),
      isReachable: (region) => this.#cluster.clients.get(region)?.isReachable ?? false,
      readLog: (after, limit) => this.plane.readLog(after, limit),
    });
    this.#upkeep = new Upkeep({
      ...options,
      state,
      isLeading: () => this.#host.leader?.region === identity.region,
      propose: (command) => this.#work.proposeOnce(command),
      proposeAs: (id, command) => this.plane.propose(id, command),
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
      preparation: createPreparation({
        ground: () => groundOf(this.#host, identity, sha256),
        ports: options.isBlind === true ? null : options,
        stores: [stores.own, ...stores.all.values()],
      }),
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

  /** Whether nothing newer was committed: what the leases of fenced services are lent by. */
  get confirmation(): Pick<Confirmation, 'renew' | 'pauseMs'> {
    return this.#confirmation;
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
      this.#loop(every(CONTROL_TIMINGS.tickMs), isOver, () => this.#placement.round()),
      this.#loop(every(CONTROL_TIMINGS.tickMs), isOver, () => this.#upkeep.round()),
      this.#loop(every(CONTROL_TIMINGS.snapshotMs), isOver, () => this.#takeSnapshot()),
      this.#loop(every(CONTROL_TIMINGS.driftReadMs), isOver, () => this.#work.watchRecords()),
      this.#loop(every(CONTROL_TIMINGS.lagMetricMs), isOver, () => this.#work.measureLags()),
      this.#loop(
        (elapsedMs) => this.#confirmation.pauseMs() - elapsedMs,
        isOver,
        () => this.#confirmation.renew(),
      ),
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
    this.#work.proposeReviews(this.#host.replica.state);
    this.#startWork();
    this.#notify();
    await this.#observer.tidy(this.#host.replica.state);
  }

  async #judge(): Promise<void> {
    for (const command of await this.#observer.observe(this.#host.replica.state)) {
      this.#work.proposeOnce(command);
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
      void this.#work.work();
    }
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

/** This region's store, and the next region's in order. */
function copyTargets({ stores, identity }: ControlRegionOptions): readonly SnapshotStore[] {
  const regions = [...stores.all.keys()].sort();
  const next = regions[(regions.indexOf(identity.region) + 1) % regions.length];
  const other = next === undefined ? undefined : stores.all.get(next);
  return other === undefined || other === stores.own ? [stores.own] : [stores.own, other];
}

function groundOf(
  { replica }: LogHost<RecoveryState>,
  { region, founders }: ClusterIdentity,
  sha256: Sha256,
): TabletopGround {
  const { state, chain, applied } = replica;
  return { state, chain, ...applied, region, founders, sha256 };
}
