/**
 * What people do to the safety rules of a service: freeze it, set a rule aside for a while,
 * acknowledge a run. And what the look at its plans found. Pure.
 *
 * Whatever loosens a rule is followed by a look at the service in the same entry: what the rule held
 * back may go on now, and no other entry may come to ask for it.
 */
import { epochMillis } from '../base/identifiers.ts';
import { assertNever } from '../base/invariant.ts';
import { ownValue } from '../base/own-value.ts';
import { describeFreeze, type Freeze, standingFreeze } from '../recovery/freeze.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import type { Moment } from '../recovery/machine.ts';
import {
  describeOverride,
  type Override,
  overrideOf,
  standingOverrides,
} from '../recovery/overrides.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import type { CommandResult, ControlCommand } from './commands.ts';
import { accepted, type Reduction, refused } from './configure.ts';
import { ALL_SERVICES } from './expiries.ts';
import { reconsider } from './service-events.ts';
import { type Happening, withEvents } from './timeline.ts';

type CommandOf<Kind extends ControlCommand['kind']> = Extract<ControlCommand, { kind: Kind }>;

export type SafetyCommand = CommandOf<
  'acknowledge' | 'freeze' | 'unfreeze' | 'override' | 'override-end' | 'check-plans' | 'readiness'
>;

export type GlobalFreezeCommand = CommandOf<'freeze' | 'unfreeze'>;

interface With<Kind extends SafetyCommand['kind']> {
  readonly service: ServiceState;
  readonly command: CommandOf<Kind>;
}

export function reduceSafety(
  state: RecoveryState,
  { service, command }: With<SafetyCommand['kind']>,
  moment: Moment,
): Reduction {
  switch (command.kind) {
    case 'acknowledge':
      return acknowledge(state, { service, command }, moment);
    case 'freeze':
    case 'unfreeze':
      return freezeService(state, { service, command }, moment);
    case 'override':
      return override(state, { service, command }, moment);
    case 'override-end':
      return endOverride(state, { service, command }, moment);
    case 'check-plans':
      return askForLook(state, { service, command }, moment);
    case 'readiness':
      return recordReadiness(state, { service, command }, moment);
    default:
      return assertNever(command);
  }
}

// ── Acknowledgement ──────────────────────────────────────────────────────────────────────────────

function acknowledge(
  state: RecoveryState,
  { service, command }: With<'acknowledge'>,
  moment: Moment,
): Reduction {
  const { acknowledgement } = service;
  if (acknowledgement === null) {
    const sentence = `no automatic run of ${command.service} waits to be acknowledged`;
    return { state, result: refused('nothing-to-acknowledge', sentence) };
  }
  const sentence = `${command.by} acknowledged run ${acknowledgement.run}: ${command.reason}`;
  return settle(
    state,
    {
      service: { ...service, acknowledgement: null },
      told: told(command.service, 'acknowledged', sentence),
      result: accepted('acknowledged', sentence),
    },
    moment,
  );
}

// ── Freeze ───────────────────────────────────────────────────────────────────────────────────────

function freezeService(
  state: RecoveryState,
  { service, command }: With<'freeze' | 'unfreeze'>,
  moment: Moment,
): Reduction {
  const name = service.policy.service;
  const { freeze, result } = frozen(service.freeze, { command, of: name }, moment);
  return result.kind === 'refused'
    ? { state, result }
    : settle(
        state,
        {
          service: { ...service, freeze },
          told: told(name, 'freeze', result.sentence),
          result,
        },
        moment,
      );
}

/** The kill switch: one for all services, whatever their own say. */
export function reduceGlobalFreeze(
  state: RecoveryState,
  command: GlobalFreezeCommand,
  moment: Moment,
): Reduction {
  const { freeze, result } = frozen(state.freeze, { command, of: 'all services' }, moment);
  if (result.kind === 'refused') {
    return { state, result };
  }
  const events = told(ALL_SERVICES, 'freeze', result.sentence);
  const next = Object.keys(state.services).reduce(
    (reached, name) => {
      const service = ownValue(reached.services, name);
      return service === undefined ? reached : reconsider(reached, service, byItself(moment));
    },
    withEvents({ ...state, freeze }, events, moment),
  );
  return { state: next, result };
}

interface FreezeChange {
  readonly freeze: Freeze | null;
  readonly result: CommandResult;
}

function frozen(
  before: Freeze | null,
  { command, of }: { readonly command: GlobalFreezeCommand; readonly of: string },
  { at }: Moment,
): FreezeChange {
  const { by, reason } = command;
  if (command.kind === 'unfreeze') {
    return standingFreeze(before, at) === null
      ? { freeze: before, result: refused('not-frozen', `no freeze of ${of} stands`) }
      : { freeze: null, result: accepted('unfrozen', `freeze of ${of} ended by ${by}: ${reason}`) };
  }
  if (!isWithin(command.durationMs, RUN_LIMITS.freezeMsMax)) {
    const sentence = `a freeze lasts at most ${days(RUN_LIMITS.freezeMsMax)}`;
    return { freeze: before, result: refused('freeze-duration', sentence) };
  }
  const freeze: Freeze = { since: at, until: epochMillis(at + command.durationMs), by, reason };
  return { freeze, result: accepted('frozen', `${of} frozen ${describeFreeze(freeze)}`) };
}

// ── Overrides ────────────────────────────────────────────────────────────────────────────────────

function override(
  state: RecoveryState,
  { service, command }: With<'override'>,
  moment: Moment,
): Reduction {
  const { rule, durationMs, by, reason } = command;
  if (!isWithin(durationMs, RUN_LIMITS.overrideMsMax)) {
    const sentence = `a rule is set aside for at most ${days(RUN_LIMITS.overrideMsMax)}`;
    return { state, result: refused('override-duration', sentence) };
  }
  const until = epochMillis(moment.at + durationMs);
  const standing: Override = { rule, since: moment.at, until, by, reason };
  const others = standingOverrides(service, moment.at).filter((other) => other.rule !== rule);
  const sentence = `set aside: ${describeOverride(standing)}`;
  return settle(
    state,
    {
      service: { ...service, overrides: [...others, standing] },
      told: told(command.service, 'override', sentence),
      result: accepted('override-started', sentence),
    },
    moment,
  );
}

function endOverride(
  state: RecoveryState,
  { service, command }: With<'override-end'>,
  moment: Moment,
): Reduction {
  const { rule, by, reason } = command;
  if (overrideOf(service, rule, moment.at) === null) {
    return { state, result: refused('no-override', `the rule ${rule} is not set aside`) };
  }
  const overrides = service.overrides.filter((other) => other.rule !== rule);
  const sentence = `${rule} holds again, by ${by}: ${reason}`;
  return settle(
    state,
    {
      service: { ...service, overrides },
      told: told(command.service, 'override-ended', sentence),
      result: accepted('override-ended', sentence),
    },
    moment,
  );
}

// ── Readiness ────────────────────────────────────────────────────────────────────────────────────

/** Whoever leads looks now, with the rights that a run would have, and says so either way. */
function askForLook(
  state: RecoveryState,
  { service, command }: With<'check-plans'>,
  moment: Moment,
): Reduction {
  const sentence = `the plans of ${command.service} are looked at now`;
  return settle(
    state,
    {
      service: { ...service, readinessDueAt: moment.at },
      told: [],
      result: accepted('check-asked', sentence),
    },
    moment,
  );
}

function recordReadiness(
  state: RecoveryState,
  { service, command }: With<'readiness'>,
  moment: Moment,
): Reduction {
  const { findings } = command;
  const failing = findings.filter(({ severity }) => severity === 'failing');
  const sentence =
    findings.length === 0
      ? 'the plans find everything they need'
      : findings.map(({ code, subject }) => `${code} (${subject})`).join(', ');
  const kind = failing.length === 0 ? 'ready' : 'not-ready';
  return settle(
    state,
    {
      service: { ...service, readiness: { at: moment.at, findings }, readinessDueAt: null },
      told: told(command.service, kind, sentence),
      result: accepted('readiness-recorded', sentence),
    },
    moment,
  );
}

// ── Common ───────────────────────────────────────────────────────────────────────────────────────

interface Settlement {
  readonly service: ServiceState;
  readonly told: readonly Happening[];
  readonly result: Reduction['result'];
}

function settle(
  state: RecoveryState,
  { service, told: happenings, result }: Settlement,
  moment: Moment,
): Reduction {
  const next = reconsider(withEvents(state, happenings, moment), service, byItself(moment));
  return { state: next, result };
}

/** Whoever loosened a rule did not ask for the run that may follow. */
function byItself(moment: Moment): Moment {
  return { ...moment, requestedBy: 'tripoint', reason: 'automatic' };
}

function told(service: string, kind: string, sentence: string): readonly Happening[] {
  return [{ service, kind, sentence }];
}

function isWithin(durationMs: number, durationMsMax: number): boolean {
  return durationMs > 0 && durationMs <= durationMsMax;
}

function days(durationMs: number): string {
  return `${durationMs / RUN_LIMITS.dayMs} days`;
}
