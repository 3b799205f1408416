/**
 * Joins detection and recovery for one service: evidence is fused into opinions, opinions are put
 * before the recovery machine, and a run it authorises enters the state. Pure.
 */

import { epochMillis, type RegionId } from '../base/identifiers.ts';
import { ownValue } from '../base/own-value.ts';
import { FAIL_INTERVALS_MAX } from '../detection/limits.ts';
import {
  fuseOpinion,
  type ObserverVerdict,
  type Opinion,
  opinionLapsesAt,
  type ProofFreshness,
} from '../detection/opinion.ts';
import type { DetectionPolicy } from '../detection/policy.ts';
import { RUN_LIMITS } from '../recovery/limits.ts';
import { type MachineEvent, type Moment, stepMachine } from '../recovery/machine.ts';
import type { Run } from '../recovery/run.ts';
import { supersedeRun } from '../recovery/run-progress.ts';
import type { RecoveryState, ServiceState, SiteState } from '../recovery/state.ts';
import { settledTimes } from '../recovery/time-boxes.ts';
import { expireGlobalFreeze, expireSafety } from './expiries.ts';
import { expireMaintenance } from './maintenance-windows.ts';
import { changesOf, runEnded, runStarted, withEvents } from './timeline.ts';

/** Replaces one service, tells what changed, and takes up the run that was started, if any. */
export function withService(
  state: RecoveryState,
  change: { readonly service: ServiceState; readonly started: Run | null },
  moment: Moment,
): RecoveryState {
  const { service, started } = change;
  const name = service.policy.service;
  const before = ownValue(state.services, name) ?? null;
  const superseded =
    started === null ? [] : state.runs.map((run) => supersede(run, started, moment));
  const next: RecoveryState = {
    ...state,
    services: { ...state.services, [name]: service },
    runs: started === null ? state.runs : keptRuns([...superseded, started]),
  };
  const happenings = [
    ...changesOf(before, service),
    ...superseded.filter((run) => !state.runs.includes(run)).flatMap(runEnded),
    ...(started === null ? [] : [runStarted(started)]),
  ];
  return withEvents(next, happenings, moment);
}

/** A new run of the same service ends the open one: its epoch is older, so its switch can only fail. */
function supersede(run: Run, by: Run, moment: Moment): Run {
  const isOpen = run.service === by.service && run.outcome.kind === 'open';
  return isOpen ? supersedeRun(run, moment) : run;
}

/** One event for one service, through the machine. */
export function stepService(
  state: RecoveryState,
  { service, event }: { readonly service: ServiceState; readonly event: MachineEvent },
  moment: Moment,
): RecoveryState {
  return withService(
    state,
    stepMachine(service, event, surrounded(state, service, moment)),
    moment,
  );
}

/** The moment with what stands around the service: the kill switch, its own open run, and one of this entry. */
function surrounded(
  { freeze, runs }: RecoveryState,
  { phase, policy }: ServiceState,
  moment: Moment,
): Moment {
  const openRun = 'run' in phase ? runs.find(({ id }) => id === phase.run) : undefined;
  const hasAuthorised = runs.some(
    ({ service, epoch }) => service === policy.service && epoch.index === moment.index,
  );
  return { ...moment, freeze, openRun: openRun ?? null, hasAuthorised };
}

const EVIDENCE_CHANGED: MachineEvent = { kind: 'evidence-changed' };

/** Looks at a service again, whatever changed: a verdict, an alarm, the policy, or only the time. */
export function reconsider(
  state: RecoveryState,
  service: ServiceState,
  moment: Moment,
): RecoveryState {
  return decideOn(state, { service, event: EVIDENCE_CHANGED }, moment);
}

/** Fuses every site's verdicts as of the moment, and asks the machine what follows from the event. */
export function decideOn(
  state: RecoveryState,
  { service, event }: { readonly service: ServiceState; readonly event: MachineEvent },
  moment: Moment,
): RecoveryState {
  const thawed = expireGlobalFreeze(state, moment);
  const worked = expireMaintenance(service, moment.at);
  const { service: current, told } = expireSafety(worked.service, moment.at);
  const fused = fuseAll(settledTimes(current, moment.at), state.observers, moment);
  const happenings = [...worked.told, ...told];
  return stepService(withEvents(thawed, happenings, moment), { service: fused, event }, moment);
}

function fuseAll(
  service: ServiceState,
  observers: readonly RegionId[],
  moment: Moment,
): ServiceState {
  const freshness = { now: moment.at, proofMsMax: proofMsMaxOf(service.policy.detection) };
  let reviewAt = service.reviewAt;
  const sites = Object.entries(service.sites).map(([name, site]) => {
    const opinion = fuseSite(site, observers, freshness);
    const verdicts = Object.values(site.verdicts).map(({ verdict }) => verdict);
    const lapsesAt = opinionLapsesAt(opinion, verdicts, freshness);
    reviewAt = lapsesAt === null ? reviewAt : earliest(reviewAt, lapsesAt);
    const isChanged = opinion.state !== site.opinion.state;
    return [
      name,
      {
        ...site,
        opinion,
        opinionSince: isChanged ? moment.at : site.opinionSince,
        ...(isChanged ? { opinionIndex: moment.index } : {}),
        ...(isChanged && site.opinion.state === 'failed' ? { failedUntilIndex: moment.index } : {}),
      },
    ] as const;
  });
  return { ...service, sites: Object.fromEntries(sites), reviewAt };
}

function fuseSite(
  { verdicts: committedBy }: SiteState,
  observers: readonly RegionId[],
  freshness: ProofFreshness,
): Opinion {
  const verdicts: readonly ObserverVerdict[] = observers.flatMap((observer) => {
    const committed = ownValue(committedBy, observer);
    return committed === undefined ? [] : [{ observer, verdict: committed.verdict }];
  });
  return fuseOpinion(verdicts, observers, freshness);
}

/** How long a beat proves life: as long as a silence may last before it is a failure. */
export function proofMsMaxOf({ intervalMs, silenceMsMax }: DetectionPolicy): number {
  return Math.min(FAIL_INTERVALS_MAX * intervalMs, silenceMsMax);
}

function earliest(current: ServiceState['reviewAt'], candidate: number): ServiceState['reviewAt'] {
  return epochMillis(current === null ? candidate : Math.min(current, candidate));
}

/** Open runs all stay; of the ended ones the latest. */
function keptRuns(runs: readonly Run[]): readonly Run[] {
  const surplus = runs.length - RUN_LIMITS.runsKeptMax;
  if (surplus <= 0) {
    return runs;
  }
  let toDrop = surplus;
  return runs.filter(({ outcome }) => {
    const drops = toDrop > 0 && outcome.kind !== 'open';
    toDrop -= drops ? 1 : 0;
    return !drops;
  });
}
