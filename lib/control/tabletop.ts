/**
 * Tabletop: a run from the decision to the report, and of a drill the way home too, played through
 * without touching anything.
 *
 * Nothing here knows what a step does. The command goes through the real reducer on a copy of the
 * state, the plan that comes out is worked on by the real effects, and only the ports behind them are
 * told apart (`described-ports.ts`). So what is printed is what would happen, in its order, as far as
 * the world stays as it is. What nobody can know beforehand (that a person agrees, that a site that
 * is still off comes up) is assumed, and said to be.
 */
import {
  epochMillis,
  type LogIndex,
  logIndex,
  monotonicMillis,
  type Term,
} from '../base/identifiers.ts';
import type { Sha256 } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import { fenceName, formatFence } from '../recovery/fence.ts';
import { needsWorker, openSteps, type Run, type Step, type StepResult } from '../recovery/run.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { intendedSets } from '../recovery/switch-plan.ts';
import { leadOf, shareOf } from '../recovery/traffic.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { type DescribedCall, resourceText } from './described-calls.ts';
import {
  assumedPorts,
  type DescribedPorts,
  describePorts,
  type ReadablePorts,
} from './described-ports.ts';
import { performStep } from './effects.ts';
import { reduce } from './machine.ts';
import { reportContextOf } from './run-reports.ts';

export interface TabletopStep {
  readonly run: string;
  readonly kind: Run['kind'];
  readonly stage: number;
  readonly step: string;
  readonly action: string;
  readonly essential: boolean;
  readonly isUndo: boolean;
  /** How it would end. */
  readonly state: 'done' | 'failed' | 'skipped' | 'open';
  /** What had to be assumed, or why it would fail; null = nothing. */
  readonly note: string | null;
  readonly calls: readonly DescribedCall[];
}

export interface Tabletop {
  readonly decision: CommandResult;
  readonly from: string;
  readonly to: string | null;
  /** Whether what stands was read, or taken from the log. */
  readonly ground: 'read' | 'assumed';
  readonly steps: readonly TabletopStep[];
  /** Calls that would change something. */
  readonly changes: number;
}

export interface TabletopGround {
  readonly state: RecoveryState;
  readonly index: LogIndex;
  readonly term: Term;
  readonly chain: string;
  readonly region: string;
  readonly founders: readonly string[];
  readonly sha256: Sha256;
}

type Asked = Extract<ControlCommand, { kind: 'failover' | 'failback' | 'drill' }>;

/** @param behind null = there are no ports to look with. */
export async function playTabletop(
  command: Asked,
  ground: TabletopGround,
  behind: ReadablePorts | null,
): Promise<Tabletop> {
  const service = ownValue(ground.state.services, command.service);
  const ports = behind ?? (service === undefined ? null : assumedPorts(assumptionsOf(service)));
  const play = ports === null ? null : new Play(ground, describePorts(ports, command.at));
  const decision: CommandResult =
    play?.write(command) ?? reduce(ground.state, command, ground).result;
  const begun = play?.begun() ?? null;
  if (play !== null && decision.kind === 'accepted') {
    await play.run();
  }
  const steps = play?.steps() ?? [];
  return {
    decision,
    from: service?.activeSite ?? '',
    to: begun?.to ?? null,
    ground: behind === null ? 'assumed' : 'read',
    steps,
    changes: steps.flatMap(({ calls }) => calls).filter(({ changes }) => changes).length,
  };
}

/** Steps that one tabletop plays, at most. */
const TURNS_MAX = 400;
/** Looks at a step that waits, with more time passed before each, until it is assumed to be done. */
const WAITS_MS: readonly number[] = [1000, 15_000, 60_000];

/** Guards the copy of the state, its place in the log, and what was said of each step. */
class Play {
  readonly #ground: TabletopGround;
  readonly #world: DescribedPorts;
  readonly #known: ReadonlySet<string>;
  readonly #calls = new Map<string, DescribedCall[]>();
  readonly #notes = new Map<string, string>();
  #state: RecoveryState;
  #index: number;

  constructor(ground: TabletopGround, world: DescribedPorts) {
    this.#ground = ground;
    this.#world = world;
    this.#state = ground.state;
    this.#index = ground.index;
    this.#known = new Set(ground.state.runs.map(({ id }) => id));
  }

  write(command: ControlCommand): CommandResult {
    this.#index += 1;
    const stamped = { ...command, at: epochMillis(this.#world.now()) };
    const place = { index: logIndex(this.#index), term: this.#ground.term };
    const { state, result } = reduce(this.#state, stamped, place);
    this.#state = state;
    return result;
  }

  /** The first run that the command began. */
  begun(): Run | null {
    return this.#runs()[0] ?? null;
  }

  async run(): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const next = this.#nextStep();
      if (next !== null) {
        await this.#play(next.run, next.step);
      } else if (!this.#goHome()) {
        return;
      }
    }
  }

  steps(): readonly TabletopStep[] {
    return this.#runs().flatMap((run) => run.steps.map((step) => this.#tell(run, step)));
  }

  #runs(): readonly Run[] {
    return this.#state.runs.filter(({ id }) => !this.#known.has(id));
  }

  /** A child's steps before the step that waits for the child. */
  #nextStep(): { readonly run: Run; readonly step: Step } | null {
    const open = this.#runs().flatMap((run) => openSteps(run).map((step) => ({ run, step })));
    return open.find(({ step }) => step.action.kind !== 'child-plan') ?? open[0] ?? null;
  }

  async #play(run: Run, step: Step): Promise<void> {
    if (!needsWorker(step)) {
      this.#settle(run, step);
      return;
    }
    const attempt = step.attempt + 1;
    const place = { run: run.id, step: step.name, attempt } as const;
    const at = epochMillis(this.#world.now());
    const worker = this.#state.observers[0];
    if (worker === undefined) {
      return;
    }
    this.write({ kind: 'claim-step', ...place, worker, at });
    const result = await this.#perform(run, step);
    this.#keep(run, step);
    this.write({ kind: 'finish-step', ...place, result, at });
  }

  async #perform(run: Run, step: Step): Promise<StepResult> {
    const openSince = monotonicMillis(this.#world.ports.clock.monotonicNow());
    let result: StepResult = { kind: 'waiting', code: '' };
    for (const waitMs of WAITS_MS) {
      const current = this.#state.runs.find(({ id }) => id === run.id) ?? run;
      const context = { ...this.#context(), openSince };
      result = await performStep(this.#world.ports, { run: current, step }, context);
      if (result.kind !== 'waiting') {
        break;
      }
      this.#world.pass(waitMs);
    }
    if (result.kind === 'waiting') {
      this.#note(run, step, `would wait (${result.code}); taken to come`);
      return { kind: 'done', evidence: null };
    }
    if (result.kind === 'done') {
      return result;
    }
    this.#note(run, step, `would not be done now: ${result.code}`);
    return { kind: 'failed', code: result.code };
  }

  #context() {
    const { region, chain, founders, sha256 } = this.#ground;
    return {
      state: this.#state,
      report: async (run: Run, policy: ServiceState['policy']) => {
        const position = { index: this.#index, chain };
        const excerpt = { complete: false, spans: [] };
        const generatedAt = epochMillis(this.#world.now());
        const author = { policy, generatedAt, generatedBy: region, excerpt };
        return reportContextOf(run, { state: this.#state, position, founders, sha256 }, author);
      },
    };
  }

  /** Steps that need no worker: time passes, or what they wait for is assumed. */
  #settle(run: Run, step: Step): void {
    const { action } = step;
    if (action.kind === 'approve') {
      this.#note(run, step, 'a second person is taken to agree');
      const common = { by: 'tabletop', reason: 'assumed', at: epochMillis(this.#world.now()) };
      const verdict = 'approve' as const;
      this.write({ kind: 'approve', run: run.id, step: step.name, verdict, ...common });
    } else if (action.kind === 'hold' || action.kind === 'wait-healthy') {
      this.#world.pass(action.forMs);
      this.#review(run.service);
    }
    const standing = this.#state.runs.find(({ id }) => id === run.id);
    const isOpen = openSteps(standing ?? run).some(({ name }) => name === step.name);
    if (isOpen) {
      this.#assumeDone(run, step);
    }
  }

  #assumeDone(run: Run, step: Step): void {
    this.#note(run, step, 'would wait; taken to come true');
    const at = epochMillis(this.#world.now());
    const done: Step = { ...step, progress: { kind: 'done', at, evidence: null } };
    this.#state = {
      ...this.#state,
      runs: this.#state.runs.map((other) =>
        other.id === run.id
          ? { ...other, steps: other.steps.map((one) => (one.name === step.name ? done : one)) }
          : other,
      ),
    };
    this.#review(run.service);
  }

  #review(service: string): void {
    this.write({ kind: 'review', service, at: epochMillis(this.#world.now()) });
  }

  /** A drill whose traffic stands at its site: its time passes. False = there is nothing more to come. */
  #goHome(): boolean {
    const drilling = Object.values(this.#state.services).find(
      ({ drill, phase }) => drill !== null && phase.kind === 'practising',
    );
    const revertAt = drilling?.drill?.revertAt ?? null;
    const count = this.#runs().length;
    if (drilling === undefined || revertAt === null || this.#known.has(drilling.drill?.run ?? '')) {
      return false;
    }
    this.#world.pass(Math.max(0, revertAt - this.#world.now()));
    this.#review(drilling.policy.service);
    return this.#runs().length > count;
  }

  #note(run: Run, step: Step, sentence: string): void {
    this.#notes.set(`${run.id}/${step.name}`, sentence);
  }

  #keep(run: Run, step: Step): void {
    const key = `${run.id}/${step.name}`;
    const calls = this.#calls.get(key) ?? [];
    this.#calls.set(key, [...calls, ...distinct(this.#world.take())]);
  }

  #tell(run: Run, step: Step): TabletopStep {
    const key = `${run.id}/${step.name}`;
    const { kind } = step.progress;
    return {
      run: run.id,
      kind: run.kind,
      stage: step.stage,
      step: step.name,
      action: step.action.kind,
      essential: step.essential,
      isUndo: step.isUndo,
      state: kind === 'waiting' || kind === 'claimed' ? 'open' : kind,
      note: this.#notes.get(key) ?? (step.progress.kind === 'skipped' ? step.progress.code : null),
      calls: this.#calls.get(key) ?? [],
    };
  }
}

/** A step that looks again and again makes the same call again and again. */
function distinct(calls: readonly DescribedCall[]): readonly DescribedCall[] {
  const seen = new Set<string>();
  return calls.filter((call) => {
    const key = JSON.stringify(call);
    const isNew = call.changes || !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** What stands if everything is as the log has it. */
function assumptionsOf({ policy, traffic, epoch, activeSite }: ServiceState) {
  const { dnsName, recordType, ttlSeconds, service } = policy;
  const targets = policy.sites.map(({ site, address }) => {
    return { site, address, weight: shareOf(traffic, site) };
  });
  const run = `${service}-${epoch.index}`;
  const fence = formatFence({ epoch, site: leadOf(policy, traffic) ?? activeSite, run });
  const txt = { name: fenceName(dnsName), type: 'TXT', ttlSeconds, values: [fence] } as const;
  const sizes = policy.sites.flatMap(({ site, capacity }) => {
    const size = shareOf(traffic, site) > 0 ? capacity?.serving : capacity?.standby;
    return capacity === null ? [] : [[resourceText(capacity.resource), size ?? 0] as const];
  });
  return {
    recordSets: [...intendedSets({ dnsName, recordType, ttlSeconds, targets, epoch, run }), txt],
    sizes: Object.fromEntries(sizes),
    writer: activeSite,
  };
}
