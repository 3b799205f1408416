/**
 * The prober of one region: asks every configured site whether it serves, all the time.
 *
 * Each probe has its own schedule: a first turn at a random moment, then the pace of
 * `probe-state.ts` with jitter, so that neither a restart nor a new configuration makes a fleet
 * fire in step. What is due waits in its schedule when all slots are taken (a bulkhead: hanging
 * sites may cost this prober its slots, never the observer its tick). Results live in memory only:
 * after a restart nothing is known, and a probe that did not run for long says nothing any more.
 *
 * Invariant: at most `probesAtOnceMax` probes under way, at most one of each, none after `stop`.
 */
import type { Clock, Random } from '../base/clock.ts';
import type { EpochMillis } from '../base/identifiers.ts';
import type { ProbeFinding } from '../detection/evidence.ts';
import { PROBE_LIMITS } from '../detection/limits.ts';
import {
  afterProbe,
  isUnsettled,
  type ProbeState,
  probePauseMs,
  siteFinding,
  UNPROBED,
  vigilPauseMs,
} from '../detection/probe-state.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import { type ProbePolicy, probesOf } from '../recovery/probe-policy.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { SiteName } from './health-store.ts';
import { CONTROL_LIMITS, CONTROL_TIMINGS } from './limits.ts';
import type { ProbePort } from './probe-port.ts';

export interface ProberOptions {
  readonly port: ProbePort;
  readonly clock: Clock;
  readonly random: Random;
  /** The finding on this site is another one now. */
  readonly onChange: (site: SiteName) => void;
}

interface Probe {
  readonly policy: ProbePolicy;
  state: ProbeState;
  /** On the monotonic clock. */
  dueAt: number;
  endedAt: number | null;
  isRunning: boolean;
  isUrgent: boolean;
}

interface ProbedSite extends SiteName {
  readonly probes: readonly Probe[];
  /** State and code of the finding that was told last. */
  told: string;
}

const UNTOLD = 'inconclusive not-probed';

export class Prober {
  readonly #options: ProberOptions;
  #sites: ReadonlyMap<string, ProbedSite> = new Map();
  #configHash: string | null = null;
  readonly #underWay = new Set<Promise<void>>();
  /** null = stopped: nothing may start. */
  #running: AbortController | null = null;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Takes up what is configured now and starts what is due. Cheap when nothing is. */
  round(state: RecoveryState): void {
    this.#running ??= new AbortController();
    this.#follow(state);
    this.#startDue();
  }

  /** Until `round` is worth calling again, in milliseconds. */
  pauseMs(): number {
    const now = this.#options.clock.monotonicNow();
    // One that is under way may be due again so soon after its end.
    const soonest = now + PROBE_LIMITS.urgentPauseMs;
    const next = this.#probes().reduce(
      (least, { isRunning, dueAt }) => Math.min(least, isRunning ? soonest : dueAt),
      Infinity,
    );
    return Math.max(CONTROL_TIMINGS.probePauseMsMin, Math.min(CONTROL_TIMINGS.tickMs, next - now));
  }

  /**
   * Somebody needs to know about this site now. It is asked at once, and again in quick succession
   * until its findings are settled. Call it as long as that is so: each call asks again as soon as
   * the newest answer is no longer new.
   */
  probeNow(service: string, site: string): void {
    const now = this.#options.clock.monotonicNow();
    for (const probe of this.#sites.get(keyOf({ service, site }))?.probes ?? []) {
      const freeAt = (probe.endedAt ?? -Infinity) + vigilPauseMs(probe.state);
      probe.isUrgent = true;
      probe.dueAt = Math.min(probe.dueAt, Math.max(now, freeAt));
    }
    this.#startDue();
  }

  /** null = the site has no probes. Before the configuration is known, nobody knows that. */
  findingOf(service: string, site: string, now: EpochMillis): ProbeFinding | null {
    if (this.#configHash === null) {
      return {
        state: 'inconclusive',
        code: 'not-probed',
        detail: 'not probed yet',
        checkedAt: now,
      };
    }
    const probed = this.#sites.get(keyOf({ service, site }));
    return probed === undefined ? null : findingOf(probed, now);
  }

  /** Ends what is under way; its results do not count. `round` starts anew. */
  async stop(): Promise<void> {
    this.#running?.abort();
    this.#running = null;
    await Promise.all(this.#underWay);
  }

  /** A probe whose policy did not change keeps what it knows. */
  #follow({ configHash, services }: RecoveryState): void {
    if (configHash === this.#configHash) {
      return;
    }
    this.#configHash = configHash;
    const sites = Object.values(services).flatMap(({ policy }) => this.#sitesOf(policy));
    this.#sites = new Map(sites.map((site) => [keyOf(site), site]));
  }

  #sitesOf({ service, sites }: ServicePolicy): readonly ProbedSite[] {
    return sites.flatMap((policy): ProbedSite[] => {
      const { site } = policy;
      const before = this.#sites.get(keyOf({ service, site }));
      const probes = probesOf(policy).map(
        (wanted) =>
          before?.probes.find((known) => isSame(known.policy, wanted)) ?? this.#newProbe(wanted),
      );
      return probes.length === 0 ? [] : [{ service, site, probes, told: before?.told ?? UNTOLD }];
    });
  }

  #newProbe(policy: ProbePolicy): Probe {
    const { clock, random } = this.#options;
    const spreadMs = Math.min(policy.intervalMs, CONTROL_TIMINGS.firstProbeMsMax);
    return {
      policy,
      state: UNPROBED,
      dueAt: clock.monotonicNow() + random() * spreadMs,
      endedAt: null,
      isRunning: false,
      isUrgent: false,
    };
  }

  /** Urgent ones first, then the one that waits for longest. */
  #startDue(): void {
    const running = this.#running;
    const free = CONTROL_LIMITS.probesAtOnceMax - this.#underWay.size;
    if (running === null || free <= 0) {
      return;
    }
    const now = this.#options.clock.monotonicNow();
    const due = [...this.#sites.values()]
      .flatMap((site) => site.probes.map((probe) => ({ site, probe })))
      .filter(({ probe }) => !probe.isRunning && probe.dueAt <= now)
      .sort((a, b) => rank(a.probe) - rank(b.probe) || a.probe.dueAt - b.probe.dueAt);
    for (const { site, probe } of due.slice(0, free)) {
      const work: Promise<void> = this.#perform(site, probe, running.signal).finally(() => {
        this.#underWay.delete(work);
        this.#startDue();
      });
      this.#underWay.add(work);
    }
  }

  async #perform(site: ProbedSite, probe: Probe, signal: AbortSignal): Promise<void> {
    const { port, clock, random } = this.#options;
    probe.isRunning = true;
    const result = await port.probe(probe.policy, signal);
    probe.isRunning = false;
    if (signal.aborted) {
      return;
    }
    probe.state = afterProbe(probe.state, result, probe.policy);
    probe.endedAt = clock.monotonicNow();
    const { isUrgent } = probe;
    const pauseMs = probePauseMs(probe.state, probe.policy, { draw: random(), isUrgent });
    probe.dueAt = probe.endedAt + pauseMs;
    probe.isUrgent = isUrgent && result.outcome !== 'not-probed' && isUnsettled(probe.state);
    this.#tell(keyOf(site));
  }

  /** Not about a site that left the configuration while it was asked. */
  #tell(key: string): void {
    const site = this.#sites.get(key);
    const finding = site === undefined ? null : findingOf(site, this.#options.clock.wallNow());
    if (site === undefined || finding === null) {
      return;
    }
    const text = `${finding.state} ${finding.code}`;
    if (text !== site.told) {
      site.told = text;
      this.#options.onChange({ service: site.service, site: site.site });
    }
  }

  #probes(): readonly Probe[] {
    return [...this.#sites.values()].flatMap(({ probes }) => probes);
  }
}

function findingOf({ probes }: ProbedSite, now: EpochMillis): ProbeFinding | null {
  const standing = probes.map(({ state, policy }) => ({
    state,
    pace: policy,
    provesService: policy.kind !== 'dns',
  }));
  return siteFinding(standing, now);
}

/** Policies are plain JSON that the same code wrote: the same members in the same order. */
function isSame(left: ProbePolicy, right: ProbePolicy): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function rank({ isUrgent }: Probe): number {
  return isUrgent ? 0 : 1;
}

function keyOf({ service, site }: SiteName): string {
  return `${service}/${site}`;
}
