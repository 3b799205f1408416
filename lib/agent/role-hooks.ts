/**
 * Brings the machine into the role that the control plane gave it, by running somebody's commands.
 *
 * Intuition: a thermostat. It knows what the role should be and what it last succeeded in making
 * it, and works on the difference, one command at a time. Roles that came and went meanwhile are
 * skipped; a command that failed is tried again, with growing pauses, until it succeeds or is no
 * longer wanted.
 *
 * Invariants: never two commands at once. Demoting does not wait: it ends a promotion that is under
 * way. Promoting waits: a demotion that has begun is let finish. What was promoted is promoted again
 * for a newer epoch, since the epoch is the fencing number; what was demoted is left alone.
 */
import type { Random } from '../base/clock.ts';
import { backoffMs } from '../resilience/backoff.ts';
import type { CommandOutcome, CommandRunner } from './child-command.ts';
import { HOOK_RETRY_MS_MAX, HOOK_RETRY_MS_MIN } from './limits.ts';
import { isSameRole, type SiteRole } from './role.ts';
import type { AgentClock } from './system-clock.ts';

export type HookAction = 'promote' | 'demote';

/** Why a command runs: what a hook finds in `TRIPOINT_REASON`. */
export type HookReason = 'answered' | 'lease-lapsed' | 'not-heard' | 'leaving';

export interface HookGoal {
  readonly role: SiteRole;
  readonly reason: HookReason;
}

export type HookEvent =
  | { readonly kind: 'hook-started'; readonly action: HookAction; readonly goal: HookGoal }
  | {
      readonly kind: 'hook-ended';
      readonly action: HookAction;
      readonly goal: HookGoal;
      readonly outcome: CommandOutcome;
      readonly tookMs: number;
      /** Until it is tried again; null = it is not. */
      readonly retryMs: number | null;
    };

export interface RoleHooksOptions {
  /** null = nothing to do for this action. */
  readonly promote: CommandRunner | null;
  readonly demote: CommandRunner | null;
  readonly environmentOf: (goal: HookGoal) => Readonly<Record<string, string>>;
  readonly clock: AgentClock;
  readonly random: Random;
  readonly onEvent: (event: HookEvent) => void;
}

export interface RoleHooks {
  /** The latest goal wins. Returns at once. */
  readonly follow: (goal: HookGoal) => void;
  /** What was achieved last; null = nothing yet. */
  readonly achieved: () => HookAction | null;
  /** The latest goal, once it is achieved; null = it is not, or there is none. */
  readonly fulfilled: () => HookGoal | null;
  /** Resolves when the latest goal is achieved, or after `patienceMs`; true = achieved. */
  readonly settled: (patienceMs: number) => Promise<boolean>;
  /** Ends what is under way. */
  readonly stop: () => Promise<void>;
}

interface Work {
  readonly options: RoleHooksOptions;
  readonly stopping: AbortController;
  wanted: HookGoal | null;
  achieved: HookGoal | null;
  /** Ends the command, or the pause before its next try. */
  running: { readonly action: HookAction; readonly controller: AbortController } | null;
  pause: AbortController;
  loop: Promise<void> | null;
}

export function createRoleHooks(options: RoleHooksOptions): RoleHooks {
  const work: Work = {
    options,
    stopping: new AbortController(),
    wanted: null,
    achieved: null,
    running: null,
    pause: new AbortController(),
    loop: null,
  };
  return {
    follow: (goal) => follow(work, goal),
    achieved: () => (work.achieved === null ? null : actionOf(work.achieved)),
    fulfilled: () => (work.wanted !== null && isAchieved(work, work.wanted) ? work.wanted : null),
    settled: async (patienceMs) => {
      const enough = new AbortController();
      const idle = (work.loop ?? Promise.resolve()).finally(() => enough.abort());
      await Promise.race([idle, options.clock.sleep(patienceMs, enough.signal)]);
      return work.wanted === null || isAchieved(work, work.wanted);
    },
    stop: async () => {
      work.stopping.abort();
      work.running?.controller.abort();
      work.pause.abort();
      await work.loop;
    },
  };
}

function actionOf({ role }: HookGoal): HookAction {
  return role.role === 'active' ? 'promote' : 'demote';
}

function follow(work: Work, goal: HookGoal): void {
  if (work.stopping.signal.aborted) {
    return;
  }
  work.wanted = goal;
  if (actionOf(goal) === 'demote' && work.running?.action === 'promote') {
    work.running.controller.abort();
  }
  work.pause.abort();
  work.loop ??= workUntilAchieved(work);
}

async function workUntilAchieved(work: Work): Promise<void> {
  // So that the promise is in `work.loop` before the end of this function takes it out again.
  await Promise.resolve();
  let failures = 0;
  for (let goal = open(work); goal !== null; goal = open(work)) {
    const retryMs = backoffMs(RETRY, failures, work.options.random);
    if (await attempt(work, goal, retryMs)) {
      failures = 0;
    } else if (open(work) === goal) {
      failures += 1;
      work.pause = new AbortController();
      await work.options.clock.sleep(retryMs, work.pause.signal);
    } else {
      failures = 0;
    }
  }
  // In the same turn as the last look: a goal that comes after it starts a new loop.
  work.loop = null;
}

const RETRY = {
  floorMs: HOOK_RETRY_MS_MIN,
  stepMs: 2 * HOOK_RETRY_MS_MIN,
  ceilingMs: HOOK_RETRY_MS_MAX,
};

/** The goal that is still to be worked on; null = none, or the end has come. */
function open(work: Work): HookGoal | null {
  const { wanted, stopping } = work;
  return wanted === null || stopping.signal.aborted || isAchieved(work, wanted) ? null : wanted;
}

function isAchieved({ achieved }: Work, goal: HookGoal): boolean {
  if (achieved === null || actionOf(achieved) !== actionOf(goal)) {
    return false;
  }
  return actionOf(goal) === 'demote' || isSameRole(achieved.role, goal.role);
}

async function attempt(work: Work, goal: HookGoal, retryMs: number): Promise<boolean> {
  const { promote, demote, clock, environmentOf, onEvent } = work.options;
  const action = actionOf(goal);
  const run = action === 'promote' ? promote : demote;
  // A try that fails leaves the machine half in one role and half in the other.
  work.achieved = null;
  if (run === null) {
    work.achieved = goal;
    return true;
  }
  const controller = new AbortController();
  work.running = { action, controller };
  onEvent({ kind: 'hook-started', action, goal });
  const startedAt = clock.monotonicNow();
  const outcome = await run({ environment: environmentOf(goal), signal: controller.signal });
  work.running = null;
  const isDone = outcome.kind === 'exited' && outcome.code === 0;
  work.achieved = isDone ? goal : null;
  const isTriedAgain = !isDone && work.wanted === goal && !work.stopping.signal.aborted;
  const tookMs = clock.monotonicNow() - startedAt;
  const retry = isTriedAgain ? retryMs : null;
  onEvent({ kind: 'hook-ended', action, goal, outcome, tookMs, retryMs: retry });
  return isDone;
}
