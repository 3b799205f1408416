/**
 * The reducer of the control plane: what each committed command does to the state. Pure and total,
 * so every region that applies the same log holds the same state.
 *
 * Decisions are made here, inside the log: the entry that completes a majority of `failed` verdicts
 * is the entry that authorises the run, and its (term, index) is the run's epoch. There is no moment
 * between seeing and deciding in which two regions could decide differently.
 */

import type { RegionId } from '../base/identifiers.ts';
import { assertNever, invariant } from '../base/invariant.ts';
import type { JsonValue } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import type { Applied, StateMachine } from '../consensus/replica.ts';
import type { Base, Command } from '../consensus/server.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import type { MachineEvent, Moment } from '../recovery/machine.ts';
import { claimStep, finishStep, type Run } from '../recovery/run.ts';
import type { CommittedAlarm, RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, configure, type Reduction, refused } from './configure.ts';
import { recordMaintenance } from './maintenance.ts';
import { isForMonitors, reduceMonitor, refusedByMonitor } from './monitor-commands.ts';
import { decideOn, reconsider, stepService } from './service-events.ts';
import { runEnded, stepWaits, withEvents } from './timeline.ts';
import { recordWarning } from './warnings.ts';

type CommandOf<Kind extends ControlCommand['kind']> = Extract<ControlCommand, { kind: Kind }>;

/** @param observers the regions of the first voters, whose majority decides; who votes later, the log says. */
export function createControlMachine(observers: readonly RegionId[]): StateMachine<RecoveryState> {
  return {
    initial: { observers, configHash: null, services: {}, monitors: {}, runs: [], timeline: [] },
    apply: (state, { body }: Command, at: Base): Applied<RecoveryState> => {
      const reduction = reduce(state, body as unknown as ControlCommand, at);
      return { state: reduction.state, result: reduction.result as unknown as JsonValue };
    },
    reconfigure: (state, voters) => ({ ...state, observers: voters }),
  };
}

/** What a command would do at this place of the log. */
export function reduce(
  state: RecoveryState,
  command: ControlCommand,
  { index, term }: Base,
): Reduction {
  const moment: Moment = {
    index,
    term,
    at: command.at,
    requestedBy: 'by' in command ? command.by : 'tripoint',
    reason: 'reason' in command ? command.reason : 'automatic',
  };
  switch (command.kind) {
    case 'configure':
      return configure(state, command, moment);
    case 'claim-step':
      return claim(state, command, moment);
    case 'finish-step':
      return finish(state, command, moment);
    case 'warning':
      return recordWarning(state, command, moment);
    default:
      return reduceService(state, command, moment);
  }
}

type ServiceCommand = Exclude<
  ControlCommand,
  CommandOf<'configure' | 'claim-step' | 'finish-step' | 'warning'>
>;

function reduceService(state: RecoveryState, command: ServiceCommand, moment: Moment): Reduction {
  const service = ownValue(state.services, command.service);
  if (service === undefined) {
    const monitor = ownValue(state.monitors, command.service);
    if (monitor !== undefined) {
      return isForMonitors(command)
        ? reduceMonitor(state, { monitor, command }, moment)
        : refusedByMonitor(state, command);
    }
    const known = Object.keys(state.services).join(', ') || 'none';
    return {
      state,
      result: refused('unknown-service', `no service ${command.service}; known: ${known}`),
    };
  }
  switch (command.kind) {
    case 'verdict':
      return recordVerdict(state, { service, command }, moment);
    case 'alarm':
      return recordAlarm(state, { service, command }, moment);
    case 'review':
      return {
        state: reconsider(state, { ...service, reviewAt: null }, moment),
        result: accepted('reviewed', `${command.service} was looked at again`),
      };
    case 'failover': {
      const event: MachineEvent = {
        kind: 'failover-requested',
        to: command.to,
        force: command.force,
      };
      return request(state, { service, event }, moment);
    }
    case 'failback':
      return request(
        state,
        { service, event: { kind: 'failback-requested', force: command.force } },
        moment,
      );
    case 'provision-site':
      return {
        state,
        result: refused('not-provisioning', `${command.service} takes no new sites`),
      };
    case 'maintenance-start':
    case 'maintenance-end':
      return recordMaintenance(state, { service, command }, moment);
    case 'note': {
      const happening = {
        service: command.service,
        kind: 'note',
        sentence: `${command.by}: ${command.reason}`,
      };
      return {
        state: withEvents(state, [happening], moment),
        result: accepted('noted', `noted on the timeline of ${command.service}`),
      };
    }
    default:
      return assertNever(command);
  }
}

interface With<Kind extends ControlCommand['kind']> {
  readonly service: ServiceState;
  readonly command: CommandOf<Kind>;
}

function recordVerdict(
  state: RecoveryState,
  { service, command }: With<'verdict'>,
  moment: Moment,
): Reduction {
  const site = ownValue(service.sites, command.site);
  if (site === undefined) {
    return {
      state,
      result: refused('unknown-site', `${command.site} is no site of ${command.service}`),
    };
  }
  if (!state.observers.includes(command.observer)) {
    return {
      state,
      result: refused('unknown-observer', `${command.observer} is no control region`),
    };
  }
  const { verdict, replicationLagMs, observer } = command;
  const committed = { verdict, replicationLagMs, at: moment.at, index: moment.index };
  const verdicts = { ...site.verdicts, [observer]: committed };
  const sites = { ...service.sites, [command.site]: { ...site, verdicts } };
  return {
    state: reconsider(state, { ...service, sites }, moment),
    result: accepted('verdict-recorded', `${observer}: ${command.site} is ${verdict.state}`),
  };
}

function recordAlarm(
  state: RecoveryState,
  { service, command }: With<'alarm'>,
  moment: Moment,
): Reduction {
  const site = ownValue(service.sites, command.site);
  if (site === undefined) {
    return {
      state,
      result: refused('unknown-site', `${command.site} is no site of ${command.service}`),
    };
  }
  const recorded = accepted('alarm-recorded', `${command.name} is ${command.state}`);
  if (site.alarms.some(({ name, state: s }) => name === command.name && s === command.state)) {
    return { state, result: recorded };
  }
  const others = site.alarms.filter(({ name }) => name !== command.name);
  const alarm = { name: command.name, state: command.state, at: moment.at };
  const alarms = keptAlarms([...others, alarm]);
  const sites = { ...service.sites, [command.site]: { ...site, alarms } };
  const told = withEvents(
    state,
    [
      {
        service: command.service,
        kind: 'alarm',
        sentence: `${command.site}: ${alarm.name} is ${alarm.state}`,
      },
    ],
    moment,
  );
  return {
    state: reconsider(told, { ...service, sites }, moment),
    result: recorded,
  };
}

/** Of too many alarms those that stand are kept longest: forgetting one would clear it. */
function keptAlarms(alarms: readonly CommittedAlarm[]): readonly CommittedAlarm[] {
  const surplus = alarms.length - RUN_LIMITS.alarmsPerSiteMax;
  if (surplus <= 0) {
    return alarms;
  }
  const quiet = alarms.filter(({ state }) => state !== 'alarm');
  const dropped = new Set([...quiet, ...alarms].slice(0, surplus));
  return alarms.filter((alarm) => !dropped.has(alarm));
}

function request(
  state: RecoveryState,
  { service, event }: { readonly service: ServiceState; readonly event: MachineEvent },
  moment: Moment,
): Reduction {
  const next = decideOn(state, { service, event }, moment);
  const after = ownValue(next.services, service.policy.service);
  const decision = after?.decision;
  invariant(decision?.index === moment.index, 'request-without-decision', { event });
  const { kind, code, sentence } = decision;
  const run = after !== undefined && 'run' in after.phase ? after.phase.run : undefined;
  return {
    state: next,
    result:
      kind === 'act' && run !== undefined
        ? { kind: 'accepted', code, sentence, run }
        : refused(code, sentence),
  };
}

// ── Runs ─────────────────────────────────────────────────────────────────────────────────────────

function claim(state: RecoveryState, command: CommandOf<'claim-step'>, moment: Moment): Reduction {
  const run = state.runs.find(({ id }) => id === command.run);
  if (run === undefined) {
    return { state, result: refused('unknown-run', `no run ${command.run}`) };
  }
  const outcome = claimStep(run, command);
  switch (outcome.kind) {
    case 'claimed':
      return {
        state: withRun(state, outcome.run),
        result: accepted('claimed', `${command.worker} works on ${command.step}`),
      };
    case 'exhausted':
      return {
        state: afterRun(withRun(state, outcome.run), outcome.run, moment),
        result: refused(
          'workers-lost',
          `step ${command.step} of ${command.run} was lost too often`,
        ),
      };
    case 'refused':
      return {
        state,
        result: refused(outcome.code, `step ${command.step} of ${command.run} is not free`),
      };
    default:
      return assertNever(outcome);
  }
}

function finish(
  state: RecoveryState,
  command: CommandOf<'finish-step'>,
  moment: Moment,
): Reduction {
  const run = state.runs.find(({ id }) => id === command.run);
  if (run === undefined) {
    return { state, result: refused('unknown-run', `no run ${command.run}`) };
  }
  const outcome = finishStep(run, command);
  if (outcome.kind === 'refused') {
    return {
      state,
      result: refused(outcome.code, `another claim of ${command.step} is the valid one`),
    };
  }
  const told = withEvents(state, stepWaits(outcome.run, command), moment);
  return {
    state: afterRun(withRun(told, outcome.run), outcome.run, moment),
    result: accepted('recorded', `${command.step} of ${command.run}: ${command.result.kind}`),
  };
}

/** An ended run gives the service back, and whatever went wrong meanwhile is looked at at once. */
function afterRun(state: RecoveryState, run: Run, moment: Moment): RecoveryState {
  const service = ownValue(state.services, run.service);
  const isOurs = service !== undefined && 'run' in service.phase && service.phase.run === run.id;
  if (run.outcome.kind === 'open' || !isOurs) {
    return state;
  }
  const event: MachineEvent = { kind: run.outcome.kind === 'done' ? 'run-done' : 'run-failed' };
  const told = withEvents(state, runEnded(run), moment);
  const ended = stepService(told, { service, event }, moment);
  const after = ownValue(ended.services, run.service);
  return after === undefined ? ended : reconsider(ended, after, moment);
}

function withRun(state: RecoveryState, run: Run): RecoveryState {
  return { ...state, runs: state.runs.map((other) => (other.id === run.id ? run : other)) };
}
