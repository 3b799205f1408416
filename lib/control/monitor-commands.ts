/**
 * What each command does to a monitor: verdicts are recorded and fused, sites may come into being.
 * Nothing here starts a run, and no command can.
 */
import { assertNever } from '../base/invariant.ts';
import { ownValue } from '../base/own-value.ts';
import type { Moment } from '../recovery/machine.ts';
import type { MonitorState, RecoveryState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import { unheard, withMonitor } from './monitors.ts';
import { withEvents } from './timeline.ts';

type CommandOf<Kind extends ControlCommand['kind']> = Extract<ControlCommand, { kind: Kind }>;

type MonitorCommand = CommandOf<'verdict' | 'review' | 'note' | 'provision-site'>;

/** Whether monitors take commands of this kind. */
export function isForMonitors(command: ControlCommand): command is MonitorCommand {
  return ['verdict', 'review', 'note', 'provision-site'].includes(command.kind);
}

export function reduceMonitor(
  state: RecoveryState,
  { monitor, command }: { readonly monitor: MonitorState; readonly command: MonitorCommand },
  moment: Moment,
): Reduction {
  switch (command.kind) {
    case 'verdict':
      return recordVerdict(state, { monitor, command }, moment);
    case 'review':
      return {
        state: withMonitor(state, monitor, moment),
        result: accepted('reviewed', `${command.service} was looked at again`),
      };
    case 'note': {
      const sentence = `${command.by}: ${command.reason}`;
      return {
        state: withEvents(state, [{ service: command.service, kind: 'note', sentence }], moment),
        result: accepted('noted', `noted on the timeline of ${command.service}`),
      };
    }
    case 'provision-site':
      return provision(state, { monitor, command }, moment);
    default:
      return assertNever(command);
  }
}

/** A command that only a service can obey. */
export function refusedByMonitor(
  state: RecoveryState,
  { kind, service }: { readonly kind: ControlCommand['kind']; readonly service: string },
): Reduction {
  const isMaintenance = kind === 'maintenance-start' || kind === 'maintenance-end';
  const consequence = isMaintenance
    ? '; maintenance keeps runs from starting, and here none ever starts: leave a note, or let its sites say `leaving`'
    : '';
  const sentence = `${service} is a monitor: it is watched and never moved${consequence}`;
  return { state, result: refused('not-a-service', sentence) };
}

interface With<Kind extends ControlCommand['kind']> {
  readonly monitor: MonitorState;
  readonly command: CommandOf<Kind>;
}

function recordVerdict(
  state: RecoveryState,
  { monitor, command }: With<'verdict'>,
  moment: Moment,
): Reduction {
  const { site: name, observer, verdict, replicationLagMs } = command;
  const site = ownValue(monitor.sites, name);
  if (site === undefined) {
    const sentence = `${name} is no site of ${command.service}`;
    return { state, result: refused('unknown-site', sentence) };
  }
  if (!state.observers.includes(observer)) {
    return { state, result: refused('unknown-observer', `${observer} is no control region`) };
  }
  const committed = { verdict, replicationLagMs, at: moment.at, index: moment.index };
  const verdicts = { ...site.verdicts, [observer]: committed };
  const sites = { ...monitor.sites, [name]: { ...site, verdicts } };
  return {
    state: withMonitor(state, { ...monitor, sites }, moment),
    result: accepted('verdict-recorded', `${observer}: ${name} is ${verdict.state}`),
  };
}

/** Two regions that meet a new site at once both propose it: the second finds it there. */
function provision(
  state: RecoveryState,
  { monitor, command }: With<'provision-site'>,
  moment: Moment,
): Reduction {
  const { service, site } = command;
  const { provisioning } = monitor.policy;
  const there = accepted('site-provisioned', `${site} is a site of ${service}`);
  if (ownValue(monitor.sites, site) !== undefined) {
    return { state, result: there };
  }
  if (provisioning === null) {
    return { state, result: refused('not-provisioning', `${service} takes no new sites`) };
  }
  if (monitor.provisioned.length >= provisioning.sitesMax) {
    const sentence = `${service} has its ${provisioning.sitesMax} provisioned sites`;
    return { state, result: refused('sites-exhausted', sentence) };
  }
  const provisioned = [...monitor.provisioned, site];
  const sites = { ...monitor.sites, [site]: unheard(state, moment) };
  const born = {
    service,
    kind: 'provisioned',
    sentence: `${site} came into being by its first beat`,
  };
  const next = {
    ...state,
    monitors: { ...state.monitors, [service]: { ...monitor, provisioned, sites } },
  };
  return { state: withEvents(next, [born], moment), result: there };
}
