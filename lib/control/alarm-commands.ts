/**
 * What an entry about an alarm does: the alarm's state stands with its site, people are told, and the
 * service is looked at again. A message that says nothing new changes nothing. Pure.
 */
import { ownValue } from '../base/own-value.ts';
import { type AlarmNews, alarmNews } from '../recovery/alarm-damping.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import type { Moment } from '../recovery/machine.ts';
import type { CommittedAlarm, RecoveryState, ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import { reconsider } from './service-events.ts';
import { withEvents } from './timeline.ts';

export type AlarmCommand = Extract<ControlCommand, { readonly kind: 'alarm' }>;

/** What the log would make of it as it stands; null = there is no such site. */
export function newsOfAlarm({ services }: RecoveryState, command: AlarmCommand): AlarmNews | null {
  const service = ownValue(services, command.service);
  const site = service === undefined ? undefined : ownValue(service.sites, command.site);
  return site === undefined ? null : alarmNews(site.alarms, command);
}

export function recordAlarm(
  state: RecoveryState,
  { service, command }: { readonly service: ServiceState; readonly command: AlarmCommand },
  moment: Moment,
): Reduction {
  const site = ownValue(service.sites, command.site);
  if (site === undefined) {
    const sentence = `${command.site} is no site of ${command.service}`;
    return { state, result: refused('unknown-site', sentence) };
  }
  const news = alarmNews(site.alarms, command);
  if (news.kind !== 'news') {
    return { state, result: nothingNew(news, command) };
  }
  const before = site.alarms.find(({ name }) => name === command.name);
  const others = site.alarms.filter(({ name }) => name !== command.name);
  const alarm = { ...alarmAfter(before, command, news.flaps), index: moment.index };
  const sites = {
    ...service.sites,
    [command.site]: { ...site, alarms: keptAlarms([...others, alarm]) },
  };
  const sentence = `${command.site}: ${alarm.name} is ${alarm.state}`;
  const told =
    before?.state === alarm.state
      ? state
      : withEvents(state, [{ service: command.service, kind: 'alarm', sentence }], moment);
  return {
    state: reconsider(told, { ...service, sites }, moment),
    result: accepted('alarm-recorded', `${command.name} is ${command.state}`),
  };
}

/** What is answered to a message that changes nothing. */
export function nothingNew(
  news: Exclude<AlarmNews, { kind: 'news' }>,
  { name, state }: AlarmCommand,
): Reduction['result'] {
  switch (news.kind) {
    case 'known':
      return accepted('alarm-known', `${name} is ${state} already`);
    case 'superseded':
      return accepted('alarm-superseded', `a later change of ${name} is known`);
    case 'damped':
      return refused(
        'alarm-damped',
        `${name} changes too often; bring it again in ${Math.ceil(news.retryMs / 1000)} s`,
      );
  }
}

/** Without data it is remembered what the alarm was when it had some. */
function alarmAfter(
  before: CommittedAlarm | undefined,
  { name, state, at, changedAt }: AlarmCommand,
  flaps: number,
): CommittedAlarm {
  const alarm = { name, state, at, flaps, ...(changedAt === undefined ? {} : { changedAt }) };
  if (state !== 'insufficient-data') {
    return alarm;
  }
  const lastKnown = before?.state === 'insufficient-data' ? before.lastKnown : before?.state;
  return lastKnown === undefined ? alarm : { ...alarm, lastKnown };
}

/** Of too many alarms those that stand are kept longest: forgetting one would clear it. */
function keptAlarms(alarms: readonly CommittedAlarm[]): readonly CommittedAlarm[] {
  const surplus = alarms.length - RUN_LIMITS.alarmsPerSiteMax;
  if (surplus <= 0) {
    return alarms;
  }
  const quiet = alarms.filter(({ state, lastKnown }) => state !== 'alarm' && lastKnown !== 'alarm');
  const dropped = new Set([...quiet, ...alarms].slice(0, surplus));
  return alarms.filter((alarm) => !dropped.has(alarm));
}
