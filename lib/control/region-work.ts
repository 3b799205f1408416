/**
 * What a region does by itself: it proposes what it found out, one thing at a time each, has a look
 * taken when its time has come, and works on the open steps of runs with the ports it was given.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import type { Clock, Random } from '../base/clock.ts';
import { type CommandId, commandId, type RegionId } from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import type { LogEvent } from '../base/log.ts';
import type { LogHost } from '../consensus/log-host.ts';
import type { ClusterIdentity } from '../consensus/server.ts';
import type { ActionPorts } from '../recovery/action-ports.ts';
import type { MetricPort } from '../recovery/metric-port.ts';
import type { ServicePolicy } from '../recovery/policy.ts';
import type { ReportContext } from '../recovery/report.ts';
import type { Run, StepResult } from '../recovery/run.ts';
import type { RecoveryState } from '../recovery/state.ts';
import type { RoutingPort, SwitchPort, VerifyPort } from '../recovery/switch-port.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import type { CommandOutcome } from './control-plane.ts';
import { DriftWatch } from './drift-watch.ts';
import { performStep } from './effects.ts';
import type { SiteStore } from './health-store.ts';
import { LagMetrics, type LagMetricsOptions } from './lag-metrics.ts';
import { Notifier } from './notifications.ts';
import { reviewsDue } from './reviews.ts';
import { excerptOf, type ReadLog } from './run-entries.ts';
import { reportContextOf } from './run-reports.ts';
import { type OpenStep, Worker } from './worker.ts';

export interface RegionWorkOptions {
  readonly identity: ClusterIdentity;
  readonly stores: { readonly own: SnapshotStore };
  readonly health: Pick<SiteStore, 'read'>;
  readonly switchPort: SwitchPort;
  readonly verifyPort: VerifyPort;
  readonly routingPort?: RoutingPort;
  readonly actions: ActionPorts;
  /** Where metrics of replication lag are read; absent = nowhere. */
  readonly metricPort?: MetricPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly log: LogEvent;
}

export interface RegionWorkSurroundings {
  readonly host: LogHost<RecoveryState>;
  readonly propose: (id: CommandId, command: ControlCommand) => Promise<CommandOutcome>;
  readonly isReachable: (region: RegionId) => boolean;
  /** The applied entries, for the evidence of runs. */
  readonly readLog: ReadLog;
}

export class RegionWork {
  readonly #options: RegionWorkOptions;
  readonly #surroundings: RegionWorkSurroundings;
  readonly #worker: Worker;
  readonly #lagMetrics: LagMetrics | null;
  readonly #notifier: Notifier;
  readonly #drift: DriftWatch;
  /** Proposals under way, by what they are about: one at a time each. */
  readonly #underWay = new Set<string>();

  constructor(options: RegionWorkOptions, surroundings: RegionWorkSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    const { identity, clock, random, log } = options;
    this.#drift = new DriftWatch({
      ...options,
      state: () => surroundings.host.replica.state,
      isLeading: () => this.#isLeading(),
      propose: (command) => this.proposeOnce(command),
    });
    const { metricPort: port } = options;
    const lagMetrics: Omit<LagMetricsOptions, 'port'> = {
      region: identity.region,
      state: () => surroundings.host.replica.state,
      isLeading: () => this.#isLeading(),
      propose: (command) => this.proposeOnce(command),
      clock,
      log,
    };
    this.#lagMetrics = port === undefined ? null : new LagMetrics({ ...lagMetrics, port });
    this.#notifier = new Notifier({
      clusterId: identity.clusterId,
      port: options.actions.notify,
      state: () => surroundings.host.replica.state,
      isLeading: () => this.#isLeading(),
      propose: (command) => this.propose(command),
      clock,
      log,
    });
    this.#worker = new Worker({
      region: identity.region,
      state: () => surroundings.host.replica.state,
      propose: (command) => this.propose(command),
      perform: (open) => this.#perform(open),
      isReachable: surroundings.isReachable,
      clock,
      random,
      log,
    });
  }

  /** Starts what is due; resolves when all that this call started has ended. */
  async work(): Promise<void> {
    await Promise.all([this.#worker.work(), this.#notifier.work()]);
  }

  /** Null = not known to be committed. */
  async propose(command: ControlCommand): Promise<CommandResult | null> {
    const outcome = await this.#surroundings.propose(this.#newCommandId(), command);
    return outcome.kind === 'committed' ? outcome.result : null;
  }

  /** Unless the same is being proposed already. */
  proposeOnce(command: ControlCommand): void {
    const subject = subjectOf(command);
    if (!this.#underWay.has(subject)) {
      this.#underWay.add(subject);
      void this.propose(command).finally(() => this.#underWay.delete(subject));
    }
  }

  /** The leader has each service looked at whose time has come. */
  proposeReviews(state: RecoveryState): void {
    const now = this.#options.clock.wallNow();
    for (const service of this.#isLeading() ? reviewsDue(state, now) : []) {
      this.proposeOnce({ kind: 'review', service, at: now });
    }
  }

  /** The leader asks for the metrics of replication lag, where there is somebody to ask. */
  async measureLags(): Promise<void> {
    await this.#lagMetrics?.round();
  }

  /** The leader looks whether DNS still says what the log says. */
  watchRecords(): Promise<void> {
    return this.#drift.round();
  }

  #isLeading(): boolean {
    return this.#surroundings.host.leader?.region === this.#options.identity.region;
  }

  #newCommandId(): CommandId {
    const { random, identity } = this.#options;
    const word = () => Math.floor(random() * 2 ** 48).toString(36);
    return commandId(`${identity.region}:${word()}${word()}${word()}`);
  }

  #perform({ run, step, openSince }: OpenStep): Promise<StepResult> {
    const { stores, ...options } = this.#options;
    const ports = { ...options, store: stores.own };
    const { state } = this.#surroundings.host.replica;
    // Entries that were applied since the claim may have changed the run: the newest one tells most.
    const current = state.runs.find(({ id }) => id === run.id) ?? run;
    return performStep(
      ports,
      { run: current, step },
      {
        state,
        openSince,
        report: (told, policy) => this.#reportContext(told, policy),
      },
    );
  }

  async #reportContext(run: Run, policy: ServicePolicy): Promise<ReportContext> {
    const { clock, identity, sha256 } = this.#options;
    const { host, readLog } = this.#surroundings;
    const { state, applied, chain } = host.replica;
    const position = { index: applied.index, chain };
    const excerpt = await excerptOf(readLog, run, position.index);
    const author = { policy, generatedAt: clock.wallNow(), generatedBy: identity.region, excerpt };
    return reportContextOf(run, { state, position, founders: identity.founders, sha256 }, author);
  }
}

function subjectOf(command: ControlCommand): string {
  const service = 'service' in command ? command.service : '';
  const site = 'site' in command ? command.site : '';
  return `${command.kind} ${service} ${site}`;
}
