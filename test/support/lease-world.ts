/**
 * A world for leases alone: sites that beat, regions that lag, a log that hands the active role on,
 * and a network that delays, loses and cuts. Every party has a clock of its own, which starts anywhere
 * and runs up to 1 % too fast or too slow.
 *
 * Real: what a region lends (Ingest, Lender, Confirmation), what a site believes (lib/agent/lease),
 * what a worker waits for (the fence step). Made up: the log, which is a list of committed states, and
 * the read of a majority, which takes a while and shows what was committed when it began, or fails.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type Belief, NO_BELIEF, renewed, roleAt } from '../../lib/agent/lease.ts';
import type { Epoch as AgentEpoch } from '../../lib/agent/role.ts';
import type { Clock, Random } from '../../lib/base/clock.ts';
import { epochMillis, logIndex, monotonicMillis, term } from '../../lib/base/identifiers.ts';
import { Confirmation } from '../../lib/control/confirmation.ts';
import type { Heartbeat } from '../../lib/control/control-plane.ts';
import type { HealthStore } from '../../lib/control/health-store.ts';
import { Ingest } from '../../lib/control/ingest.ts';
import type { Lending } from '../../lib/control/lender.ts';
import { awaitLapse } from '../../lib/control/step-effects/fence.ts';
import type { StepWork } from '../../lib/control/step-effects/step-work.ts';
import type { RecoveryState, ServiceState } from '../../lib/recovery/state.ts';
import { MemoryHealthTable, memoryHealthStore } from '../../lib/simulation/memory-health-store.ts';
import { integerBetween, seededRandom } from '../../lib/simulation/random.ts';
import { OBSERVERS, servicePolicy, serviceState, sitePolicy, T0 } from './service-states.ts';

export interface LeaseMutant {
  /** What a region lends by. */
  readonly lending?: (lending: Lending) => Lending;
  /** What the fence step is given. */
  readonly work?: (work: StepWork) => StepWork;
}

export interface LeaseOutcome {
  /** Moments at which two sites believed that they were active. */
  readonly dualActive: number;
  readonly handovers: number;
  /** Handovers that did not have to wait for the lease. */
  readonly acknowledged: number;
  /** Moments at which some site was active. */
  readonly active: number;
}

const SITES = ['a', 'b', 'c'];
const INTERVAL_MS = 1000;
const END_MS = 40_000;

export async function runLeaseWorld(seed: number, mutant: LeaseMutant = {}): Promise<LeaseOutcome> {
  const world = new LeaseWorld(seed, mutant);
  await world.run();
  return world.outcome();
}

interface Event {
  readonly at: number;
  readonly act: () => void;
}

interface Agent {
  readonly site: string;
  readonly clock: Clock;
  boot: number;
  sequence: number;
  belief: Belief;
  acknowledged: AgentEpoch | null;
  demotingFor: number;
}

interface Region {
  readonly clock: Clock;
  readonly health: HealthStore;
  readonly ingest: Ingest;
  readonly confirmation: Confirmation;
  applied: number;
}

class LeaseWorld {
  readonly #random: Random;
  readonly #mutant: LeaseMutant;
  #now = 0;
  readonly #events: Event[] = [];
  readonly #states: ServiceState[] = [];
  readonly #regions: Region[];
  readonly #agents: Agent[];
  /** Pairs that do not hear each other, and until when. */
  readonly #cuts = new Map<string, number>();
  #dualActive = 0;
  #active = 0;
  #handovers = 0;
  #acknowledged = 0;

  constructor(seed: number, mutant: LeaseMutant) {
    this.#random = seededRandom(seed);
    this.#mutant = mutant;
    this.#states.push(this.#stateOf('a', { index: 1, granted: true }));
    this.#regions = OBSERVERS.map(() => this.#newRegion());
    this.#agents = SITES.map((site) => ({
      site,
      clock: this.#newClock(),
      boot: 1,
      sequence: 0,
      belief: NO_BELIEF,
      acknowledged: null,
      demotingFor: -1,
    }));
  }

  outcome(): LeaseOutcome {
    return {
      dualActive: this.#dualActive,
      handovers: this.#handovers,
      acknowledged: this.#acknowledged,
      active: this.#active,
    };
  }

  async run(): Promise<void> {
    for (const agent of this.#agents) {
      this.#after(integerBetween(this.#random, 0, INTERVAL_MS), () => this.#beat(agent));
    }
    for (const region of this.#regions) {
      this.#after(integerBetween(this.#random, 0, 500), () => this.#confirm(region));
      this.#after(0, () => this.#follow(region));
    }
    this.#after(3000, () => this.#handOver());
    this.#after(500, () => this.#trouble());
    while (this.#events.length > 0 && this.#now < END_MS) {
      this.#events.sort((a, b) => a.at - b.at);
      const next = this.#events.shift();
      this.#now = next?.at ?? END_MS;
      next?.act();
      await turn();
      this.#look();
    }
  }

  // ── Sites ──────────────────────────────────────────────────────────────────────────────────────

  #beat(agent: Agent): void {
    this.#after(this.#real(agent.clock, INTERVAL_MS), () => this.#beat(agent));
    this.#send(agent);
  }

  #send(agent: Agent): void {
    agent.sequence += 1;
    const { boot, sequence, acknowledged } = agent;
    const sentAt = agent.clock.monotonicNow();
    for (const [place, region] of this.#regions.entries()) {
      const pair = `${agent.site}-${place}`;
      this.#deliver(pair, () => {
        const beat: Heartbeat = {
          service: 'checkout',
          site: agent.site,
          sequence,
          bootId: `boot-${boot}`,
          status: 'ok',
          replicationLagMs: null,
          receivedAt: region.clock.wallNow(),
          acknowledgedEpoch:
            acknowledged === null
              ? null
              : { term: term(acknowledged.term), index: logIndex(acknowledged.index) },
        };
        void region.ingest.ingest(beat).then((outcome) => {
          this.#deliver(pair, () => {
            if (outcome.kind === 'accepted' && agent.boot === boot) {
              this.#hear(agent, { answer: { ...outcome }, sentAt });
            }
          });
        });
      });
    }
  }

  #hear(agent: Agent, heard: Parameters<typeof renewed>[1]): void {
    const terms = { paceMs: INTERVAL_MS, marginMs: 0 };
    agent.belief = renewed(agent.belief, heard, terms);
    const { role, epoch } = agent.belief.granted;
    if (role !== 'standby' || epoch === null || agent.demotingFor >= epoch.index) {
      return;
    }
    agent.demotingFor = epoch.index;
    const { boot } = agent;
    this.#after(integerBetween(this.#random, 0, 800), () => {
      if (agent.boot === boot && agent.belief.granted.role === 'standby') {
        agent.acknowledged = epoch;
        this.#send(agent);
      }
    });
  }

  #look(): void {
    const active = this.#agents.filter(
      ({ belief, clock }) => roleAt(belief, clock.monotonicNow()).role === 'active',
    );
    this.#active += Math.min(1, active.length);
    this.#dualActive += active.length > 1 ? 1 : 0;
  }

  // ── Regions ────────────────────────────────────────────────────────────────────────────────────

  #newRegion(): Region {
    const clock = this.#newClock();
    const health = memoryHealthStore(new MemoryHealthTable());
    const region: { applied: number } = { applied: 0 };
    const state = () => stateWith(this.#states[region.applied]);
    const confirm = () => this.#readMajority(region);
    const confirmation = new Confirmation({ confirm, state, clock });
    const lending: Lending = { clock, confirmation };
    const ingest = new Ingest(health, state, this.#mutant.lending?.(lending) ?? lending);
    return Object.assign(region, { clock, health, ingest, confirmation });
  }

  /** Shows at least what was committed when it began. */
  #readMajority(region: { applied: number }): Promise<boolean> {
    const seen = this.#states.length - 1;
    const isCutOff = this.#isCut(`log-${this.#regions.indexOf(region as Region)}`);
    const takesMs = integerBetween(this.#random, 5, isCutOff ? 2000 : 900);
    return new Promise((resolve) => {
      this.#after(takesMs, () => {
        region.applied = isCutOff ? region.applied : Math.max(region.applied, seen);
        resolve(!isCutOff);
      });
    });
  }

  #confirm(region: Region): void {
    void region.confirmation.renew().then(() => {
      this.#after(this.#real(region.clock, region.confirmation.pauseMs()), () =>
        this.#confirm(region),
      );
    });
  }

  /** By its own register: late, and not at all while it is cut off. */
  #follow(region: Region): void {
    this.#after(integerBetween(this.#random, 20, 2500), () => this.#follow(region));
    if (!this.#isCut(`log-${this.#regions.indexOf(region)}`)) {
      region.applied = Math.max(region.applied, this.#states.length - 1);
    }
  }

  // ── The log ────────────────────────────────────────────────────────────────────────────────────

  #stateOf(site: string, at: { readonly index: number; readonly granted: boolean }): ServiceState {
    const detection = { ...servicePolicy().detection, intervalMs: INTERVAL_MS };
    const sites = SITES.map((name) => sitePolicy(name));
    return serviceState({
      policy: servicePolicy({ fencing: 'lease', detection, sites, primary: 'a' }),
      activeSite: site,
      granted: at.granted,
      epoch: { term: term(1), index: logIndex(at.index) },
      sites: {},
    });
  }

  /** Takes the role away by one entry, waits as a worker does, and gives it out by another. */
  #handOver(): void {
    const from = this.#states.at(-1)?.activeSite ?? 'a';
    const to = SITES.filter((site) => site !== from)[integerBetween(this.#random, 0, 1)] ?? 'b';
    const index = this.#states.length + 1;
    this.#states.push(this.#stateOf(to, { index, granted: false }));
    const openedAt = T0 + this.#now;
    const worker = this.#regions[integerBetween(this.#random, 0, 2)];
    if (worker === undefined) {
      return;
    }
    this.#after(integerBetween(this.#random, 0, 500), () => {
      worker.applied = Math.max(worker.applied, index - 1);
      void this.#fence({ worker, from, to, openedAt, index });
    });
  }

  async #fence(change: {
    readonly worker: Region;
    readonly from: string;
    readonly to: string;
    readonly openedAt: number;
    readonly index: number;
  }): Promise<void> {
    const { worker, from, to, openedAt, index } = change;
    const { clock, health } = worker;
    const openSince = clock.monotonicNow();
    const epoch = { term: term(1), index: logIndex(index) };
    const work = {
      run: { from, to },
      step: { epoch, openedAt: epochMillis(openedAt), isUndo: false },
      service: this.#states[index - 1],
      ports: { clock, health },
      context: { openSince },
    } as unknown as StepWork;
    let result = await awaitLapse(this.#mutant.work?.(work) ?? work);
    while (result.kind === 'waiting') {
      result = await awaitLapse(this.#mutant.work?.(work) ?? work);
    }
    this.#handovers += 1;
    this.#acknowledged += JSON.stringify(result).includes('"acknowledged":true') ? 1 : 0;
    this.#states.push(this.#stateOf(to, { index: this.#states.length + 1, granted: true }));
    this.#after(integerBetween(this.#random, 500, 6000), () => this.#handOver());
  }

  // ── Trouble, time, network ─────────────────────────────────────────────────────────────────────

  #trouble(): void {
    this.#after(integerBetween(this.#random, 200, 1500), () => this.#trouble());
    const ends = [...SITES, 'log', 'log'];
    const end = ends[integerBetween(this.#random, 0, ends.length - 1)] ?? 'a';
    const place = integerBetween(this.#random, 0, 2);
    this.#cuts.set(`${end}-${place}`, this.#now + integerBetween(this.#random, 100, 9000));
    const agent = this.#agents[integerBetween(this.#random, 0, 2)];
    if (agent !== undefined && this.#random() < 0.15) {
      agent.boot += 1;
      agent.sequence = 0;
      agent.belief = NO_BELIEF;
      agent.acknowledged = null;
      agent.demotingFor = -1;
    }
  }

  #isCut(pair: string): boolean {
    return (this.#cuts.get(pair) ?? 0) > this.#now;
  }

  #deliver(pair: string, act: () => void): void {
    if (!this.#isCut(pair) && this.#random() > 0.05) {
      const isSlow = this.#random() < 0.2;
      this.#after(integerBetween(this.#random, 1, isSlow ? 2500 : 80), act);
    }
  }

  #after(delayMs: number, act: () => void): void {
    this.#events.push({ at: this.#now + Math.max(0, delayMs), act });
  }

  readonly #rates = new Map<Clock, number>();

  /** How long it really takes until this clock has gone on by so much. */
  #real(clock: Clock, durationMs: number): number {
    return durationMs / (this.#rates.get(clock) ?? 1);
  }

  #newClock(): Clock {
    const rate = 0.99 + this.#random() * 0.02;
    const offset = integerBetween(this.#random, 0, 1_000_000);
    const clock: Clock = {
      wallNow: () => epochMillis(T0 + this.#now),
      monotonicNow: () => monotonicMillis(offset + rate * this.#now),
      sleep: (durationMs) =>
        new Promise((resolve) => {
          this.#after(durationMs / rate, resolve);
        }),
    };
    this.#rates.set(clock, rate);
    return clock;
  }
}

function stateWith(service: ServiceState | undefined): RecoveryState {
  const services = service === undefined ? {} : { checkout: service };
  return {
    observers: OBSERVERS,
    freeze: null,
    configHash: 'c',
    services,
    monitors: {},
    runs: [],
    timeline: [],
  };
}
