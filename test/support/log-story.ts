/**
 * A log that a test writes by hand: each command is applied to the state as the replicated log
 * would do it, one index after the other, at the time that the test set.
 */
import {
  type EpochMillis,
  epochMillis,
  type LogIndex,
  logIndex,
  type RegionId,
  type Term,
  term,
} from '../../lib/base/identifiers.ts';
import type { JsonValue } from '../../lib/base/json.ts';
import type { CommandResult, ControlCommand } from '../../lib/control/commands.ts';
import { createControlMachine, reduce } from '../../lib/control/machine.ts';
import { reviewsDue } from '../../lib/control/reviews.ts';
import type { VerdictState } from '../../lib/detection/verdict.ts';
import type { ServicePolicy } from '../../lib/recovery/policy.ts';
import { needsWorker, openSteps, type Run, type StepResult } from '../../lib/recovery/run.ts';
import type { RecoveryState, ServiceState } from '../../lib/recovery/state.ts';
import { OBSERVERS, servicePolicy, T0, type VerdictOptions, verdictOf } from './service-states.ts';

type WithoutTime<Command> = Command extends ControlCommand ? Omit<Command, 'at'> : never;

export interface Written {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: ControlCommand;
  readonly result: CommandResult;
  /** After the command. */
  readonly state: RecoveryState;
}

export interface LogStory {
  readonly state: () => RecoveryState;
  /** The service of this name; default `checkout`. */
  readonly service: (name?: string) => ServiceState;
  /** The newest run. */
  readonly run: () => Run;
  readonly log: () => readonly Written[];
  readonly now: () => EpochMillis;
  readonly wait: (durationMs: number) => void;
  /**
   * The same, while the leader looks each second for services to review, as it does.
   * @returns how many reviews it wrote.
   */
  readonly waitReviewing: (durationMs: number) => number;
  /** Puts another state in the place of this one: what no command of this version would have made. */
  readonly replace: (change: (state: RecoveryState) => RecoveryState) => void;
  /** A new leader: the term rises. */
  readonly elect: () => void;
  /** Applies a command now, or as the clock of its proposer says. */
  readonly write: (command: WithoutTime<ControlCommand>, at?: EpochMillis) => CommandResult;
  readonly configure: (...policies: readonly ServicePolicy[]) => CommandResult;
  /** These observers (default: all) say this of a site of `checkout`. */
  readonly say: (
    site: string,
    state: VerdictState,
    options?: VerdictOptions & {
      readonly by?: readonly RegionId[];
      readonly replicationLagMs?: number | null;
      readonly service?: string;
    },
  ) => void;
  /** Claims the first open step of the newest open run, or the one of this name, and finishes it. */
  readonly finishStep: (result?: StepResult, name?: string) => CommandResult;
  /** Finishes every step of every open run. */
  readonly finishRuns: () => void;
}

const DONE: StepResult = { kind: 'done', evidence: null };
const REVIEW_PERIOD_MS = 1000;
const BY = { by: 'ann', reason: 'a test' } as const;

export function createLogStory(startedAt: EpochMillis = T0): LogStory {
  const { initial } = createControlMachine(OBSERVERS);
  const written: Written[] = [];
  let state = initial;
  let now = startedAt;
  let currentTerm = 1;
  let sequence = 0;

  const write: LogStory['write'] = (command, at = now) => {
    const stamped = plain({ ...command, at }) as unknown as ControlCommand;
    const index = logIndex(written.length + 1);
    const position = { index, term: term(currentTerm) };
    const reduction = reduce(state, stamped, position);
    state = reduction.state;
    written.push({ ...position, command: stamped, result: reduction.result, state });
    return reduction.result;
  };

  const newestOpen = (): Run => {
    const run = state.runs.findLast(({ outcome }) => outcome.kind === 'open');
    return existing(run, 'no run is open');
  };

  const finishStep: LogStory['finishStep'] = (result = DONE, wanted = undefined) => {
    const run = newestOpen();
    const open = openSteps(run).filter(needsWorker);
    const step = existing(
      open.find(({ name }) => wanted === undefined || name === wanted),
      'the run has no step left for a worker',
    );
    const claim = { run: run.id, step: step.name, attempt: step.attempt + 1 } as const;
    write({ kind: 'claim-step', ...claim, worker: existing(OBSERVERS[0], 'no observer') });
    return write({ kind: 'finish-step', ...claim, result });
  };

  return {
    state: () => state,
    service: (name = 'checkout') => existing(state.services[name], `no service ${name}`),
    run: () => existing(state.runs.at(-1), 'no run'),
    log: () => written,
    now: () => now,
    wait: (durationMs) => {
      now = epochMillis(now + durationMs);
    },
    waitReviewing: (durationMs) => {
      const until = now + durationMs;
      const before = written.length;
      for (;;) {
        const dueAt = Math.min(
          ...Object.values(state.services).map(({ reviewAt }) => reviewAt ?? Infinity),
        );
        now = epochMillis(Math.min(until, Math.max(now + REVIEW_PERIOD_MS, dueAt)));
        for (const service of reviewsDue(state, now)) {
          write({ kind: 'review', service });
        }
        if (now >= until) {
          return written.length - before;
        }
      }
    },
    replace: (change) => {
      state = change(state);
    },
    elect: () => {
      currentTerm += 1;
    },
    write,
    configure: (...policies) =>
      write({
        kind: 'configure',
        ...BY,
        configHash: `hash-${written.length}`,
        policies: policies.length === 0 ? [servicePolicy()] : policies,
      }),
    say: (site, verdict, options = {}) => {
      const { by = OBSERVERS, replicationLagMs = null, service = 'checkout', ...rest } = options;
      sequence += 1;
      for (const observer of by) {
        write({
          kind: 'verdict',
          observer,
          service,
          site,
          verdict: verdictOf(verdict, { judgedAt: now, lastSequence: sequence, ...rest }),
          replicationLagMs,
        });
      }
    },
    finishStep,
    finishRuns: () => {
      while (state.runs.some(({ outcome }) => outcome.kind === 'open')) {
        finishStep();
      }
    },
  };
}

/** `checkout` is set up, and both of its sites are healthy. */
export function steadyStory(...policies: readonly ServicePolicy[]): LogStory {
  const story = createLogStory();
  story.configure(...policies);
  story.finishRuns();
  for (const { policy } of Object.values(story.state().services)) {
    for (const { site } of policy.sites) {
      story.say(site, 'healthy', { service: policy.service });
    }
  }
  return story;
}

/** As the log carries it. */
function plain(command: object): JsonValue {
  return JSON.parse(JSON.stringify(command)) as JsonValue;
}

function existing<Value>(value: Value | null | undefined, otherwise: string): Value {
  if (value === null || value === undefined) {
    throw new Error(otherwise);
  }
  return value;
}
