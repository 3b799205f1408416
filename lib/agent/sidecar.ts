/**
 * An agent beside a program that knows nothing of Tripoint: it looks at the program, beats for it
 * and brings it into its role by commands.
 *
 * ```text
 * check ──▶ status ─┐                       ┌─▶ on-promote
 *                   ├─▶ heartbeat client ─▶ role
 * lag   ──▶ lag ────┘   (beats, lease)      └─▶ on-demote
 * ```
 *
 * Self-fencing: a role is given up one hook time limit before its lease ends, so that a demotion
 * that works within its limit is done while no region may have named another site yet. And a site
 * of which nothing is heard after the start is demoted too: an earlier agent may have promoted it.
 *
 * No decision is taken here; this file only joins the parts (heartbeat-client, site-check,
 * role-hooks), which are tested without a process.
 */
import type { Random } from '../base/clock.ts';
import type { Command } from './child-command.ts';
import { createCommandRunner } from './child-command.ts';
import type { HeartbeatProblem } from './endpoint.ts';
import { type HeartbeatClient, startHeartbeats } from './heartbeat-client.ts';
import type { RoleReason } from './heartbeat-options.ts';
import {
  HOOK_RETRY_MS_MIN,
  KILL_GRACE_MS,
  LEASE_MARGIN_MS_MAX,
  STATE_LINE_MS,
  UNHEARD_INTERVALS_MAX,
} from './limits.ts';
import type { Epoch, SiteRole } from './role.ts';
import {
  createRoleHooks,
  type HookAction,
  type HookEvent,
  type HookGoal,
  type RoleHooks,
} from './role-hooks.ts';
import {
  type Finding,
  type Look,
  lookByCommand,
  lookByUrl,
  lookForLag,
  startWatch,
  type Watch,
} from './site-check.ts';
import type { AgentClock } from './system-clock.ts';

export type CheckPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'url'; readonly url: string; readonly timeoutMs: number }
  | { readonly kind: 'command'; readonly command: Command };

export interface SidecarOptions {
  readonly service: string;
  readonly site: string;
  readonly endpoints: readonly string[];
  readonly token: string;
  readonly intervalMs: number;
  readonly check: CheckPlan;
  readonly checkIntervalMs: number;
  readonly lag: Command | null;
  readonly promote: Command | null;
  readonly demote: Command | null;
  /** Say goodbye at the end, after the site was demoted. */
  readonly isLeavingOnExit: boolean;
  /** What checks and hooks find in their environment; must not hold the token. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: AgentClock;
  readonly random: Random;
  readonly onEvent: (event: SidecarEvent) => void;
}

export interface SidecarState {
  readonly role: SiteRole;
  readonly leaseLeftMs: number;
  readonly status: Finding['status'];
  readonly replicationLagMs: number | null;
  readonly sequence: number;
  readonly answeringRegions: number;
  readonly regions: number;
  /** What the hooks achieved last. */
  readonly achieved: HookAction | null;
}

export type SidecarEvent =
  | { readonly kind: 'role'; readonly role: SiteRole; readonly reason: RoleReason | 'not-heard' }
  | { readonly kind: 'check'; readonly finding: Finding }
  | { readonly kind: 'problem'; readonly problem: HeartbeatProblem }
  | { readonly kind: 'state'; readonly state: SidecarState }
  | HookEvent
  | { readonly kind: 'stopped'; readonly toldRegions: number; readonly isDemoted: boolean };

export interface Sidecar {
  readonly state: () => SidecarState;
  /** Ends everything; with `isLeavingOnExit` demotes and says goodbye before. Never rejects. */
  readonly stop: () => Promise<void>;
}

interface Parts {
  readonly options: SidecarOptions;
  readonly stopping: AbortController;
  readonly check: Watch<Finding> | null;
  readonly lag: Watch<number | null> | null;
  readonly hooks: RoleHooks;
  readonly heartbeats: HeartbeatClient;
}

/**
 * Resolves when the first look at the site has ended and beats have begun.
 *
 * @throws AppError `heartbeat-options` when the options can never work.
 */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { clock } = options;
  const stopping = new AbortController();
  const hooks = createRoleHooks({
    promote: runnerOf(options.promote, clock),
    demote: runnerOf(options.demote, clock),
    environmentOf: (goal) => hookEnvironment(options, goal),
    clock,
    random: options.random,
    onEvent: options.onEvent,
  });
  const check = startCheck(options);
  const lag = startLag(options);
  await Promise.all([check?.first, lag?.first]);
  const watched: Watched = { stopping, check, lag, hooks };
  const heartbeats = await beginBeats(options, watched).catch(async (thrown: unknown) => {
    // Nothing may go on that would keep a program alive which could not start.
    await Promise.all([check?.stop(), lag?.stop()]);
    throw thrown;
  });
  const parts: Parts = { options, ...watched, heartbeats };
  const loops = Promise.all([demoteUnheard(parts), logState(parts)]);
  return {
    state: () => stateOf(parts),
    stop: async () => {
      stopping.abort();
      await loops;
      await endParts(parts);
    },
  };
}

type Watched = Omit<Parts, 'options' | 'heartbeats'>;

/** Rejects when the options can never work. */
async function beginBeats(options: SidecarOptions, watched: Watched): Promise<HeartbeatClient> {
  const { stopping, check, lag, hooks } = watched;
  const { service, site, endpoints, token, intervalMs, clock, random, onEvent } = options;
  return startHeartbeats({
    service,
    site,
    endpoints,
    token,
    intervalMs,
    status: () => check?.latest()?.status ?? 'ok',
    replicationLagMs: () => lag?.latest() ?? null,
    // Without a hook nobody is demoted, so there is nothing to give word of.
    acknowledgedEpoch: () => (options.demote === null ? null : givenUpBy(hooks)),
    leaseMarginMs: marginMs(options),
    keepProcessAlive: true,
    clock,
    random,
    onProblem: (problem) => onEvent({ kind: 'problem', problem }),
    onRole: (role, reason) => {
      onEvent({ kind: 'role', role, reason });
      // A region that knows of no decision yet says nothing about this machine; and a site that is
      // about to leave takes no role any more.
      const isMeant = role.role !== 'unknown' || reason === 'lease-lapsed';
      if (isMeant && !stopping.signal.aborted) {
        hooks.follow({ role, reason });
        return role.role === 'standby' ? hooks.settled(LEASE_MARGIN_MS_MAX) : undefined;
      }
      return undefined;
    },
  });
}

/** The grant that took the role, once the demotion that follows from it is done. */
function givenUpBy(hooks: RoleHooks): Epoch | null {
  const role = hooks.fulfilled()?.role;
  return role?.role === 'standby' ? role.epoch : null;
}

/** Time to demote, and to end a promotion that is in the way: taken off the end of each lease. */
export function marginMs({ demote, promote }: Pick<SidecarOptions, 'demote' | 'promote'>): number {
  return demote === null ? 0 : demote.timeoutMs + (promote === null ? 0 : KILL_GRACE_MS);
}

function startCheck(options: SidecarOptions): Watch<Finding> | null {
  const { check, checkIntervalMs, clock, onEvent } = options;
  if (check.kind === 'none') {
    return null;
  }
  let told: Finding['status'] | null = null;
  return startWatch({
    look: lookOf(options, check),
    intervalMs: checkIntervalMs,
    clock,
    onResult: (finding) => {
      if (finding.status !== told) {
        told = finding.status;
        onEvent({ kind: 'check', finding });
      }
    },
  });
}

function lookOf(
  { clock, environment }: SidecarOptions,
  check: Exclude<CheckPlan, { kind: 'none' }>,
): Look<Finding> {
  return check.kind === 'url'
    ? lookByUrl({ ...check, clock, fetch })
    : lookByCommand(createCommandRunner(check.command, clock), environment);
}

function startLag({ lag, checkIntervalMs, clock, environment }: SidecarOptions) {
  return lag === null
    ? null
    : startWatch({
        look: lookForLag(createCommandRunner(lag, clock), environment),
        intervalMs: checkIntervalMs,
        clock,
        onResult: () => undefined,
      });
}

async function demoteUnheard({ options, stopping, hooks, heartbeats }: Parts): Promise<void> {
  await options.clock.sleep(UNHEARD_INTERVALS_MAX * options.intervalMs, stopping.signal);
  const role = heartbeats.role();
  if (!stopping.signal.aborted && role.role === 'unknown' && hooks.achieved() === null) {
    options.onEvent({ kind: 'role', role, reason: 'not-heard' });
    hooks.follow({ role, reason: 'not-heard' });
  }
}

async function logState(parts: Parts): Promise<void> {
  const { options, stopping } = parts;
  while (!stopping.signal.aborted) {
    await options.clock.sleep(STATE_LINE_MS, stopping.signal);
    if (!stopping.signal.aborted) {
      options.onEvent({ kind: 'state', state: stateOf(parts) });
    }
  }
}

/** The goodbye comes last: while another site may be named active, this one serves no more. */
async function endParts({ options, check, lag, hooks, heartbeats }: Parts): Promise<void> {
  await Promise.all([check?.stop(), lag?.stop()]);
  let isDemoted = true;
  if (options.isLeavingOnExit) {
    const { epoch } = heartbeats.role();
    hooks.follow({ role: { role: 'standby', epoch }, reason: 'leaving' });
    // Enough for one try that fails, the pause after it, and one more.
    isDemoted = await hooks.settled(2 * (marginMs(options) + HOOK_RETRY_MS_MIN));
  }
  await hooks.stop();
  const isGoodbye = options.isLeavingOnExit && isDemoted;
  const { toldRegions } = await heartbeats.stop({ leaving: isGoodbye });
  options.onEvent({ kind: 'stopped', toldRegions, isDemoted });
}

function stateOf({ options, heartbeats, check, lag, hooks }: Parts): SidecarState {
  const { role, leaseLeftMs, sequence, regions } = heartbeats.snapshot();
  return {
    role,
    leaseLeftMs,
    status: check?.latest()?.status ?? 'ok',
    replicationLagMs: lag?.latest() ?? null,
    sequence,
    answeringRegions: regions.filter(({ answerAgeMs, problem }) => {
      return answerAgeMs !== null && problem === null;
    }).length,
    regions: options.endpoints.length,
    achieved: hooks.achieved(),
  };
}

function hookEnvironment(
  { environment, service, site }: SidecarOptions,
  { role: { role, epoch }, reason }: HookGoal,
): Readonly<Record<string, string>> {
  return {
    ...environment,
    TRIPOINT_SERVICE: service,
    TRIPOINT_SITE: site,
    TRIPOINT_ROLE: role,
    TRIPOINT_EPOCH_TERM: epoch === null ? '' : String(epoch.term),
    TRIPOINT_EPOCH_INDEX: epoch === null ? '' : String(epoch.index),
    TRIPOINT_REASON: reason,
  };
}

function runnerOf(command: Command | null, clock: AgentClock) {
  return command === null ? null : createCommandRunner(command, clock);
}
