/**
 * Follows one failure of the active site: the actual RTO by stage, as the report of the run splits it, and
 * beside it when clients were served again, and what was lost.
 *
 * The *actual RTO* ends when the run itself knows that every name server of the name answers with the new site,
 * on the path in question, and that the site serves; its stages add up. *Clients served* is another figure:
 * nine requests of ten succeed again, resolver caches and all. The tenth, behind resolvers that keep an
 * answer longer than they were told, counts in what was lost. Instants are those of the world, not of the
 * regions' clocks, and begin at the failure, not at the last beat.
 */
import type { Run, Step } from '../../recovery/run.ts';
import type { ServiceState } from '../../recovery/state.ts';
import type { Clients } from './clients.ts';
import { isRecoveryFrom } from './judgement.ts';
import type { TrafficPath, WholeWorld } from './whole-world.ts';

/** Milliseconds; null = that stage was not reached. */
export interface RecoveryStages {
  /** Failure → the first region has the verdict `failed` in the log. */
  readonly detectMs: number | null;
  /** → the log authorises a run. */
  readonly decideMs: number | null;
  /** → records changed (path B), or the log gave the traffic to the other site (path A). */
  readonly actMs: number | null;
  /** → the run saw every name server answer with the other site. */
  readonly propagateMs: number | null;
  /** → the other site had answered a probe: what that took, after both paths. */
  readonly verifyMs: number | null;
  /** The sum: the actual RTO. */
  readonly rtoMs: number | null;
  /** Failure → nine name servers of ten answer with the other site. */
  readonly mostServersMs: number | null;
  /** Failure → half of the requests succeed. */
  readonly halfServedMs: number | null;
  /** Failure → nine requests of ten succeed. */
  readonly clientsServedMs: number | null;
}

export interface Loss {
  /** Seconds of the whole stream of requests that failed. */
  readonly failedSeconds: number;
  /** Data that the other site did not have when the active one was lost. */
  readonly rpoMs: number;
  /** Seconds of the whole stream that a site took which the log no longer authorised. */
  readonly divergentSeconds: number;
}

/** Requests that fail at most when clients count as served. */
const RESTORED_SHARE = 0.1;
const SERVED_SHARE = 0.9;
const HALF = 0.5;

type Mark =
  | 'detected'
  | 'authorised'
  | 'opened'
  | 'switched'
  | 'propagated'
  | 'routed'
  | 'verified'
  | 'mostServers'
  | 'half'
  | 'served';

export class Recorder {
  readonly failedAt: number;
  readonly rpoMs: number;
  readonly #whole: WholeWorld;
  readonly #site: string;
  readonly #path: TrafficPath;
  readonly #clients: Clients;
  readonly #totalsBefore: { readonly failedSeconds: number; readonly divergentSeconds: number };
  readonly #runsBefore: ReadonlySet<string>;
  readonly #marks = new Map<Mark, number>();
  #wasAffected = false;

  /** From now on the site has failed. Make it before the fault, so that what fails at once counts. */
  constructor(whole: WholeWorld, site: string, path: TrafficPath = whole.options.paths[0]) {
    this.#whole = whole;
    this.#path = path;
    this.#clients = whole.clientsOf(path);
    this.#site = site;
    this.failedAt = whole.world.now;
    this.rpoMs = whole.lag.now;
    this.#totalsBefore = this.#clients.totals();
    this.#runsBefore = new Set(whole.state?.runs.map(({ id }) => id));
  }

  /** Whether clients are served again, after they were not. */
  get isRestored(): boolean {
    return this.#marks.has('served');
  }

  get isVerified(): boolean {
    return this.#marks.has('verified');
  }

  /** Call it after each event, or often. */
  look(): void {
    const { standing } = this.#whole;
    if (standing !== null) {
      this.#lookAtLog(standing);
    }
    if (this.#marks.has('opened') && !this.#marks.has('mostServers') && this.#hasMostServers()) {
      this.#mark('mostServers');
    }
    const { failingShare } = this.#clients;
    this.#wasAffected ||= failingShare > RESTORED_SHARE;
    if (this.#wasAffected && failingShare <= HALF) {
      this.#mark('half');
    }
    if (this.#wasAffected && failingShare <= RESTORED_SHARE) {
      this.#mark('served');
    }
  }

  stages(): RecoveryStages {
    const at = (mark: Mark) => this.#marks.get(mark) ?? null;
    const isPathA = this.#path === 'a';
    const acted = at(isPathA ? 'opened' : 'switched');
    const answered = at(isPathA ? 'routed' : 'propagated');
    // Both paths are waited for before the site is asked; what that takes is no path's alone.
    const asked = later(at('propagated'), at('routed'));
    const stages = {
      detectMs: span(this.failedAt, at('detected')),
      decideMs: span(at('detected'), at('authorised')),
      actMs: span(at('authorised'), acted),
      propagateMs: span(acted, answered),
      verifyMs: answered === null ? null : span(asked, at('verified')),
    };
    return {
      ...stages,
      rtoMs: sumOf(Object.values(stages)),
      mostServersMs: span(this.failedAt, at('mostServers')),
      halfServedMs: span(this.failedAt, at('half')),
      clientsServedMs: span(this.failedAt, at('served')),
    };
  }

  loss(): Loss {
    const { failedSeconds, divergentSeconds } = this.#clients.totals();
    return {
      failedSeconds: failedSeconds - this.#totalsBefore.failedSeconds,
      divergentSeconds: divergentSeconds - this.#totalsBefore.divergentSeconds,
      rpoMs: this.rpoMs,
    };
  }

  #mark(mark: Mark): void {
    if (!this.#marks.has(mark)) {
      this.#marks.set(mark, this.#whole.world.now);
    }
  }

  #lookAtLog({ sites }: ServiceState): void {
    const verdicts = Object.values(sites[this.#site]?.verdicts ?? {});
    if (verdicts.some(({ verdict }) => verdict.state === 'failed')) {
      this.#mark('detected');
    }
    const run = this.isVerified ? undefined : this.#findRun();
    if (run === undefined) {
      return;
    }
    // A run that nobody accused (an alarm, a person) was detected when it was authorised.
    this.#mark('detected');
    this.#mark('authorised');
    for (const step of run.steps) {
      this.#lookAtStep(step);
    }
  }

  #findRun(): Run | undefined {
    return this.#whole.state?.runs.find(
      (run) =>
        !this.#runsBefore.has(run.id) &&
        run.service === this.#whole.options.service &&
        isRecoveryFrom(run, this.#site),
    );
  }

  #lookAtStep(step: Step): void {
    const { action, openedAt, progress } = step;
    if (action.kind === 'switch' && openedAt !== null) {
      this.#mark('opened');
    }
    const mark = MARKS[action.kind];
    if (mark !== undefined && progress.kind === 'done') {
      this.#mark(mark);
    }
  }

  #hasMostServers(): boolean {
    const { zone, routing, policy } = this.#whole;
    const failed = policy.sites.find(({ site }) => site === this.#site)?.address ?? '';
    let moved = 0;
    for (let server = 0; server < zone.serverCount; server += 1) {
      const isMoved =
        this.#path === 'a'
          ? routing.answerOf(server) !== this.#site
          : !zone.answersOf(server, policy.dnsName).some(({ values }) => values.includes(failed));
      moved += isMoved ? 1 : 0;
    }
    return moved >= zone.serverCount * SERVED_SHARE;
  }
}

/** What the end of a step marks. */
const MARKS: { readonly [kind: string]: Mark | undefined } = {
  switch: 'switched',
  propagate: 'propagated',
  routing: 'routed',
  verify: 'verified',
};

function span(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}

function later(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.max(left, right);
}

function sumOf(stages: readonly (number | null)[]): number | null {
  return stages.reduce<number | null>(
    (sum, stage) => (sum === null || stage === null ? null : sum + stage),
    0,
  );
}
