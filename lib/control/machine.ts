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
import type { Asked } from '../recovery/decision.ts';
import type { MachineEvent, Moment } from '../recovery/machine.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { recordAlarm } from './alarm-commands.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, configure, type Reduction, refused } from './configure.ts';
import { recordLag } from './lag-commands.ts';
import { recordMaintenance } from './maintenance.ts';
import { isForMonitors, reduceMonitor, refusedByMonitor } from './monitor-commands.ts';
import { recordNotified } from './notices.ts';
import { reduceRun, settleRuns } from './run-commands.ts';
import { reduceGlobalFreeze, reduceSafety } from './safety-commands.ts';
import { decideOn, reconsider } from './service-events.ts';
import { migrateState } from './state-migration.ts';
import { withEvents } from './timeline.ts';
import { recordWarning } from './warnings.ts';

type CommandOf<Kind extends ControlCommand['kind']> = Extract<ControlCommand, { kind: Kind }>;

/** @param observers the regions of the first voters, whose majority decides; who votes later, the log says. */
export function createControlMachine(observers: readonly RegionId[]): StateMachine<RecoveryState> {
  return {
    initial: {
      observers,
      freeze: null,
      configHash: null,
      services: {},
      monitors: {},
      runs: [],
      timeline: [],
    },
    apply: (state, { body }: Command, at: Base): Applied<RecoveryState> => {
      const reduction = reduce(state, body as unknown as ControlCommand, at);
      return { state: reduction.state, result: reduction.result as unknown as JsonValue };
    },
    reconfigure: (state, voters) => ({ ...state, observers: voters }),
    restore: migrateState,
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
  const reduction = reduceCommand(state, command, moment);
  return { ...reduction, state: settleRuns(reduction.state, subjectOf(state, command), moment) };
}

/** The service that an entry is about; null = none, or all of them. */
function subjectOf({ runs }: RecoveryState, command: ControlCommand): string | null {
  if ('run' in command) {
    return runs.find(({ id }) => id === command.run)?.service ?? null;
  }
  return 'service' in command ? command.service : null;
}

function reduceCommand(state: RecoveryState, command: ControlCommand, moment: Moment): Reduction {
  switch (command.kind) {
    case 'configure':
      return configure(state, command, moment);
    case 'claim-step':
    case 'finish-step':
    case 'approve':
    case 'cancel-run':
      return reduceRun(state, command, moment);
    case 'warning':
      return recordWarning(state, command, moment);
    case 'notified':
      return {
        state: recordNotified(state, command, moment),
        result: accepted('notified', `people were told up to entry ${command.through}`),
      };
    case 'freeze':
    case 'unfreeze':
      return command.service === null
        ? reduceGlobalFreeze(state, command, moment)
        : reduceService(state, { ...command, service: command.service }, moment);
    default:
      return reduceService(state, command, moment);
  }
}

type ServiceCommand =
  | Exclude<
      ControlCommand,
      CommandOf<
        | 'configure'
        | 'claim-step'
        | 'finish-step'
        | 'approve'
        | 'cancel-run'
        | 'warning'
        | 'notified'
        | 'freeze'
        | 'unfreeze'
      >
    >
  | (CommandOf<'freeze' | 'unfreeze'> & { readonly service: string });

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
    case 'lag':
      return recordLag(state, { service, command }, moment);
    case 'review':
      return {
        state: reconsider(state, { ...service, reviewAt: null }, moment),
        result: accepted('reviewed', `${command.service} was looked at again`),
      };
    case 'failover':
    case 'failback':
    case 'set-weights':
    case 'drill':
    case 'drill-end':
      return request(state, { service, event: requestOf(command) }, moment);
    case 'acknowledge':
    case 'freeze':
    case 'unfreeze':
    case 'override':
    case 'override-end':
    case 'check-plans':
    case 'readiness':
      return reduceSafety(state, { service, command }, moment);
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

/** What a request is to the machine. Fields that older logs lack mean what they meant then. */
function requestOf(
  command: CommandOf<'failover' | 'failback' | 'set-weights' | 'drill' | 'drill-end'>,
): MachineEvent {
  switch (command.kind) {
    case 'failover':
      return { kind: 'failover-requested', to: command.to, ...askedBy(command) };
    case 'failback':
      return {
        kind: 'failback-requested',
        ...askedBy(command),
        atOnce: command.atOnce === true,
      };
    case 'set-weights':
      return { kind: 'weights-requested', weights: command.weights };
    case 'drill':
      return {
        kind: 'drill-requested',
        to: command.to,
        durationMs: command.durationMs,
        occurrence: command.occurrence ?? null,
      };
    case 'drill-end':
      return { kind: 'drill-end-requested', force: command.force === true };
    default:
      return assertNever(command);
  }
}

function askedBy({ force, mode, acceptLoss, by }: CommandOf<'failover' | 'failback'>): Asked {
  return { force, mode: mode ?? null, acceptedBy: acceptLoss === true ? by : null };
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
