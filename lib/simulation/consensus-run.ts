/**
 * One seeded life of a three-region log: processes that propose, read, beat and elect; faults of
 * every kind the network and the processes know; safety checked after every event. Then the faults
 * end, and the cluster must come back to work within a bound.
 *
 * The code that runs is the production code: `LogHost`, `Pulse`, `Compactor`. Only the register, the
 * clock and chance are simulated.
 */
import type { Random } from '../base/clock.ts';
import {
  type CommandId,
  commandId,
  logIndex,
  type RegionId,
  regionId,
  term,
} from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Sha256 } from '../base/json.ts';
import { type Cluster, createCluster } from '../consensus/cluster.ts';
import { Compactor } from '../consensus/compactor.ts';
import { LogHost } from '../consensus/log-host.ts';
import { Pulse } from '../consensus/pulse.ts';
import type { Identity, Server } from '../consensus/server.ts';
import { LOCAL_TIMINGS } from '../consensus/settings.ts';
import { LEDGER_MACHINE, type Ledger, SafetyChecks } from './ledger.ts';
import { MemoryRegister } from './memory-register.ts';
import { type FaultCounts, Network, simulatedRegisterPort } from './network.ts';
import { integerBetween, seededRandom } from './random.ts';
import { simulatedClock, Vitality, World } from './world.ts';

const REGIONS: readonly RegionId[] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);
/** Enough of them that the log is compacted several times in one life. */
const CLIENTS_PER_REGION = 3;
const FAULTY_MS = 8000;
/** After the faults end, everything must work again within this time. */
const HEALING_MS = 8000;

export interface ConsensusRunResult {
  readonly seed: number;
  readonly events: number;
  readonly committed: number;
  readonly acknowledged: number;
  readonly faults: FaultCounts & { readonly crashes: number; readonly freezes: number };
  /** Hash chain at the end: equal for equal seeds. */
  readonly chain: string;
  /** Highest base of any register: how far compaction came. */
  readonly compactedUpTo: number;
}

/** @throws InvariantError at the first violation of safety or liveness. */
export async function runConsensus(seed: number, sha256: Sha256): Promise<ConsensusRunResult> {
  const run = new ConsensusRun(seed, sha256);
  return run.play();
}

interface SimulatedProcess {
  readonly region: RegionId;
  readonly vitality: Vitality;
  readonly host: LogHost<Ledger>;
}

class ConsensusRun {
  readonly #seed: number;
  readonly #random: Random;
  readonly #sha256: Sha256;
  readonly #world = new World();
  readonly #network: Network;
  readonly #stores = new Map<RegionId, MemoryRegister>();
  readonly #processes = new Map<RegionId, SimulatedProcess>();
  readonly #checks = new SafetyChecks();
  #commandCount = 0;
  #crashes = 0;
  #freezes = 0;
  #isFaulty = true;

  constructor(seed: number, sha256: Sha256) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#sha256 = sha256;
    this.#network = new Network(this.#world, this.#random);
    for (const region of REGIONS) {
      const store = new MemoryRegister();
      store.compareAndSet(0, pristine(region));
      this.#stores.set(region, store);
    }
  }

  async play(): Promise<ConsensusRunResult> {
    for (const region of REGIONS) {
      this.#start(region);
    }
    this.#scheduleFault();
    await this.#world.run(FAULTY_MS, () => this.#check());
    this.#heal();
    await this.#world.run(FAULTY_MS + HEALING_MS, () => this.#check());
    await this.#requireLiveness();
    this.#checks.finish();
    const [first] = this.#processes.values();
    return {
      seed: this.#seed,
      events: this.#world.events,
      committed: this.#checks.highestCommitted,
      acknowledged: this.#checks.acknowledgedCount,
      faults: { ...this.#network.counts, crashes: this.#crashes, freezes: this.#freezes },
      chain: first?.host.replica.chain ?? '',
      compactedUpTo: Math.max(
        ...[...this.#stores.values()].map(({ copy }) => copy?.server.base.index ?? 0),
      ),
    };
  }

  #check(): void {
    for (const { host } of this.#processes.values()) {
      this.#checks.ledger(host.replica.state);
    }
    for (const { copy } of this.#stores.values()) {
      if (copy !== null) {
        this.#checks.register(copy.server);
      }
    }
  }

  // ── Processes ──────────────────────────────────────────────────────────────────────────────────

  #start(region: RegionId): void {
    const vitality = new Vitality();
    const fault = { skewMs: (this.#random() - 0.5) * 20_000, rate: 0.9 + this.#random() * 0.2 };
    const cluster: Cluster = createCluster({
      identity: identityOf(region),
      registers: REGIONS.map((to) =>
        simulatedRegisterPort(this.#network, { region, vitality }, this.#storeOf(to)),
      ),
      timings: LOCAL_TIMINGS,
      clock: simulatedClock(this.#world, fault, vitality),
      random: this.#random,
      log: (level, event, fields) =>
        invariant(level !== 'error', 'error-logged', { event, ...fields }),
    });
    const host = new LogHost({ cluster, machine: LEDGER_MACHINE, sha256: this.#sha256 });
    host.onApplied((entries) => this.#checks.applied(entries));
    this.#processes.set(region, { region, vitality, host });
    const pulse = new Pulse(cluster, host);
    const compactor = new Compactor(cluster, host);
    void this.#repeat(cluster, LOCAL_TIMINGS.beatMs, () => pulse.tick());
    void this.#repeat(cluster, 300, () => compactor.tick(host.replica.applied.index));
    for (let clients = 0; clients < CLIENTS_PER_REGION; clients += 1) {
      void this.#repeat(cluster, 20, () => this.#actAsClient(host));
    }
  }

  #storeOf(region: RegionId): { store: MemoryRegister; identity: Identity } {
    const store = this.#stores.get(region);
    invariant(store !== undefined, 'no-store', { region });
    return { store, identity: identityOf(region) };
  }

  /** Ends with its process: a dead process's sleep never resolves. */
  async #repeat({ clock }: Cluster, periodMs: number, round: () => Promise<void>): Promise<void> {
    for (;;) {
      await round();
      await clock.sleep(periodMs);
    }
  }

  async #actAsClient(host: LogHost<Ledger>): Promise<void> {
    if (this.#random() < 0.2) {
      await this.#readThrough(host);
      return;
    }
    this.#commandCount += 1;
    await this.#propose(host, commandId(`c${this.#commandCount}`));
  }

  async #readThrough(host: LogHost<Ledger>): Promise<void> {
    const before = this.#checks.highestAcknowledged;
    const isCurrent = await host.confirmLeadership();
    if (isCurrent) {
      this.#checks.read(before, host.replica.applied.index);
    }
  }

  /** A rejection says that this call wrote nothing; only a first call can conclude more from it. */
  async #propose(host: LogHost<Ledger>, id: CommandId, isRetry = false): Promise<void> {
    const outcome = await host.propose(id, { text: id });
    if (outcome.kind === 'committed') {
      this.#checks.acknowledged(id, outcome.index);
    } else if (outcome.kind === 'rejected') {
      if (!isRetry) {
        this.#checks.rejected(id);
      }
    } else if (this.#random() < 0.7) {
      const through = REGIONS[integerBetween(this.#random, 0, REGIONS.length - 1)] ?? REGIONS[0];
      const other = through && this.#processes.get(through);
      await this.#propose(other?.host ?? host, id, true);
    }
  }

  // ── Faults ─────────────────────────────────────────────────────────────────────────────────────

  #scheduleFault(): void {
    this.#world.after(50 + this.#random() * 700, () => {
      if (this.#isFaulty) {
        this.#injectFault();
        this.#scheduleFault();
      }
    });
  }

  #injectFault(): void {
    const region = REGIONS[integerBetween(this.#random, 0, REGIONS.length - 1)];
    const other = REGIONS[integerBetween(this.#random, 0, REGIONS.length - 1)];
    invariant(region !== undefined && other !== undefined, 'no-region');
    const durationMs = 100 + this.#random() * 2500;
    const faults = [
      () => this.#crash(region, durationMs),
      () => this.#freeze(region, durationMs),
      () => this.#during(durationMs, this.#network.down, region),
      () => this.#during(durationMs, this.#network.cutWays, `${region}>${other}`),
      () => this.#storm(durationMs),
    ];
    faults[integerBetween(this.#random, 0, faults.length - 1)]?.();
  }

  #crash(region: RegionId, durationMs: number): void {
    const process = this.#processes.get(region);
    if (process?.vitality.isAlive !== true) {
      return;
    }
    this.#crashes += 1;
    process.vitality.kill();
    this.#world.after(durationMs, () => this.#start(region));
  }

  #freeze(region: RegionId, durationMs: number): void {
    const vitality = this.#processes.get(region)?.vitality;
    this.#freezes += 1;
    vitality?.freeze();
    this.#world.after(durationMs, () => vitality?.thaw());
  }

  #during<Fault>(durationMs: number, faults: Set<Fault>, fault: Fault): void {
    faults.add(fault);
    this.#world.after(durationMs, () => faults.delete(fault));
  }

  #storm(durationMs: number): void {
    Object.assign(this.#network.faults, {
      lossChance: this.#random() * 0.3,
      lateChance: this.#random() * 0.2,
      duplicateChance: this.#random() * 0.2,
    });
    this.#world.after(durationMs, () => this.#calm());
  }

  #calm(): void {
    Object.assign(this.#network.faults, { lossChance: 0, lateChance: 0, duplicateChance: 0 });
  }

  #heal(): void {
    this.#isFaulty = false;
    this.#calm();
    this.#network.down.clear();
    this.#network.cutWays.clear();
    for (const { vitality } of this.#processes.values()) {
      vitality.thaw();
    }
  }

  // ── Liveness ───────────────────────────────────────────────────────────────────────────────────

  /** A fresh command commits through every region, and all replicas are equal soon after. */
  async #requireLiveness(): Promise<void> {
    const before = this.#checks.acknowledgedCount;
    for (const { host, region } of this.#processes.values()) {
      void this.#propose(host, commandId(`final-${region}`));
    }
    await this.#world.run(this.#world.now + 2000, () => this.#check());
    const missing = this.#checks.acknowledgedCount - before < REGIONS.length;
    invariant(!missing, 'no-progress-after-faults', { seed: this.#seed });
    const positions = [...this.#processes.values()].map(({ host }) => host.replica.applied.index);
    const spread = Math.max(...positions) - Math.min(...positions);
    invariant(spread < CAUGHT_UP_ENTRIES, 'region-left-behind', { positions });
  }
}

/** Entries that may be under way at any moment while clients go on. */
const CAUGHT_UP_ENTRIES = 40;

function identityOf(region: RegionId): Identity {
  return { clusterId: 'simulated', region, members: REGIONS };
}

function pristine(region: RegionId): Server {
  return {
    identity: identityOf(region),
    term: term(0),
    votedFor: null,
    leaderOf: term(0),
    base: { index: logIndex(0), term: term(0) },
    entries: [],
    commitIndex: logIndex(0),
  };
}
