/**
 * What an entry about replication lag does: the word stands with the site until the next one, people
 * are told when the objective comes into danger or out of it, and whoever waits for the lag is looked
 * at again. Pure.
 */
import { formatElapsed } from '../base/elapsed.ts';
import { ownValue } from '../base/own-value.ts';
import type { Moment } from '../recovery/machine.ts';
import { type RpoRisk, riskSentence, standingRisk, withLag } from '../recovery/replication.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import { reconsider } from './service-events.ts';
import { type Happening, withEvents } from './timeline.ts';

type LagCommand = Extract<ControlCommand, { readonly kind: 'lag' }>;

export function recordLag(
  state: RecoveryState,
  { service, command }: { readonly service: ServiceState; readonly command: LagCommand },
  moment: Moment,
): Reduction {
  const { site: name, observer, source, lagMs, writes, measuredAt, risingMsPerMinute } = command;
  const site = ownValue(service.sites, name);
  if (site === undefined) {
    return { state, result: refused('unknown-site', `${name} is no site of ${command.service}`) };
  }
  if (!state.observers.includes(observer)) {
    return { state, result: refused('unknown-observer', `${observer} is no control region`) };
  }
  const lag = { source, lagMs, writes, measuredAt, risingMsPerMinute, at: moment.at };
  const lags = withLag(site.lags ?? [], { ...lag, index: moment.index });
  if (lags === site.lags) {
    return { state, result: accepted('lag-superseded', 'a newer word of this lag is known') };
  }
  const after = { ...service, sites: { ...service.sites, [name]: { ...site, lags } } };
  const told = happeningsOf(command, {
    before: standingRisk(service, name),
    after: standingRisk(after, name),
    rpoMs: service.policy.objectives.rpoMs,
  });
  return {
    state: reconsider(withEvents(state, told, moment), after, moment),
    result: accepted(
      'lag-recorded',
      `${name} lags ${lagMs === null ? 'by nobody knows what' : formatElapsed(lagMs)}`,
    ),
  };
}

interface RiskChange {
  readonly before: RpoRisk;
  readonly after: RpoRisk;
  readonly rpoMs: number;
}

function happeningsOf(
  { service, site, lagMs }: LagCommand,
  { before, after, rpoMs }: RiskChange,
): readonly Happening[] {
  if (before.kind === after.kind) {
    return [];
  }
  return [
    {
      service,
      kind: 'replication',
      sentence: `${site}: ${after.kind === 'none' ? '' : 'rpo-at-risk: '}${riskSentence(after, { lagMs, rpoMs })}`,
    },
  ];
}
