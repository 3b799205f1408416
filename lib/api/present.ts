/**
 * State as JSON: what the domain holds, in the words and units of the API.
 *
 * Every member is named here one by one, so that a new field of the state does not leave by
 * accident. In particular token hashes never leave: not with a service, and not with the log entry
 * that configured it. A reader who must verify the hash chain uses the archive, which is complete.
 */

import type { CommandId } from '../base/identifiers.ts';
import type { JsonValue } from '../base/json.ts';
import { ownValue } from '../base/own-value.ts';
import type { Configuration } from '../consensus/membership.ts';
import type { CommandResult } from '../control/commands.ts';
import type {
  LiveObservation,
  LogEntryView,
  LogPosition,
  StatusView,
} from '../control/control-plane.ts';
import { countingAlarms } from '../recovery/alarm-policy.ts';
import type { SitePolicy } from '../recovery/policy.ts';
import {
  type ProbePolicy,
  probeExpectation,
  probesOf,
  probeTarget,
} from '../recovery/probe-policy.ts';
import type { Run, Step } from '../recovery/run.ts';
import type { Decision, Phase, RecoveryState, ServiceState } from '../recovery/state.ts';
import { roleOf } from '../recovery/traffic.ts';
import { presentMonitors } from './present-monitors.ts';
import {
  presentObservation,
  presentOpinion,
  presentVerdicts,
  rfc3339,
  rfc3339OrNull,
} from './present-parts.ts';
import {
  presentFreeze,
  presentRecovery,
  presentRunRecovery,
  presentStepRecovery,
} from './present-recovery.ts';
import { presentLagWarnings } from './present-replication.ts';
import { presentWarnings } from './present-warnings.ts';
import type {
  ConsensusJson,
  LogJson,
  PhaseJson,
  ProbeJson,
  RunJson,
  ServiceJson,
  SiteJson,
  StatusJson,
  StepJson,
} from './schemas.ts';
import { stagesOf } from './stages.ts';

export interface Presentation {
  readonly mode: 'local' | 'aws';
  readonly version: string;
}

export function presentStatus(view: StatusView, { mode, version }: Presentation): StatusJson {
  const { state } = view;
  return {
    region: view.region,
    mode,
    version,
    at: rfc3339(view.at),
    configHash: state.configHash,
    freeze: presentFreeze(state.freeze),
    consensus: presentConsensus(view.position, state),
    services: presentServices(view),
    monitors: presentMonitors(view),
    runs: presentRuns(state),
    timeline: state.timeline.toReversed().map(({ index, at, service, kind, sentence }) => ({
      index,
      at: rfc3339(at),
      service,
      kind,
      sentence,
    })),
  };
}

/** In alphabetical order. */
export function presentServices({
  state,
  observations,
}: Pick<StatusView, 'state' | 'observations'>): ServiceJson[] {
  const sight = sightOf(state, observations);
  return Object.entries(state.services)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, service]) => describeService(service, sight));
}

/** null when this region knows no service of that name. */
export function presentService(
  { state, observations }: StatusView,
  name: string,
): ServiceJson | null {
  const service = ownValue(state.services, name);
  const own = observations.filter((observation) => observation.service === name);
  return service === undefined ? null : describeService(service, sightOf(state, own));
}

/** Who observes, and what this region sees, by service and site. */
interface Sight {
  readonly observers: RecoveryState['observers'];
  readonly observations: ReadonlyMap<string, LiveObservation>;
}

function sightOf({ observers }: RecoveryState, observations: readonly LiveObservation[]): Sight {
  const named = observations.map(
    (observation) => [`${observation.service}/${observation.site}`, observation] as const,
  );
  return { observers, observations: new Map(named) };
}

function describeService(service: ServiceState, sight: Sight): ServiceJson {
  const { policy } = service;
  return {
    service: policy.service,
    dnsName: policy.dnsName,
    recordType: policy.recordType,
    ttlSeconds: policy.ttlSeconds,
    ...(policy.dataPlaneName === undefined ? {} : { dataPlaneName: policy.dataPlaneName }),
    strategy: policy.strategy,
    automatic: policy.automatic,
    primary: policy.primary,
    objectives: { rtoMs: policy.objectives.rtoMs, rpoMs: policy.objectives.rpoMs },
    detection: {
      intervalMs: policy.detection.intervalMs,
      suspectPhi: policy.detection.suspectPhi,
      failPhi: policy.detection.failPhi,
      silenceMsMax: policy.detection.silenceMsMax,
    },
    activeSite: service.activeSite,
    epoch: { term: service.epoch.term, index: service.epoch.index },
    phase: presentPhase(service.phase),
    analysis: { code: service.analysis.code, sentence: service.analysis.sentence },
    decision: presentDecision(service.decision),
    lastRunEndedAt: rfc3339OrNull(service.lastRunEndedAt),
    reviewAt: rfc3339OrNull(service.reviewAt),
    maintenance: (service.maintenance ?? []).map(({ site, since, until, by, reason }) => ({
      site,
      sinceAt: rfc3339(since),
      untilAt: rfc3339(until),
      by,
      reason,
    })),
    ...presentRecovery(service),
    sites: policy.sites.map((site) => presentSite(service, site, sight)),
  };
}

/** Newest first. */
export function presentRuns(state: RecoveryState): RunJson[] {
  return state.runs.toReversed().map(presentRun);
}

export function presentRun(run: Run): RunJson {
  const { outcome, origin } = run;
  return {
    run: run.id,
    service: run.service,
    kind: run.kind,
    trigger: run.trigger,
    from: run.from,
    to: run.to,
    epoch: { term: run.epoch.term, index: run.epoch.index },
    requestedBy: run.requestedBy,
    reason: run.reason,
    analysis: run.analysis,
    authorisedAt: rfc3339(run.authorisedAt),
    outcome: {
      kind: outcome.kind,
      at: outcome.kind === 'open' ? null : rfc3339(outcome.at),
      code: outcome.kind === 'failed' ? outcome.code : null,
      exceptions: outcome.kind === 'done' ? [...outcome.exceptions] : [],
    },
    origin: {
      lastBeatAt: rfc3339OrNull(origin.lastBeatAt),
      firstFailedVerdictAt: rfc3339OrNull(origin.firstFailedVerdictAt),
    },
    ...presentRunRecovery(run),
    stages: stagesOf(run),
    steps: run.steps.map((step) => presentStep(run, step)),
  };
}

function presentVoters({ voters, outgoing, learners }: Configuration) {
  return {
    voters: [...voters],
    outgoing: outgoing === null ? null : [...outgoing],
    learners: [...learners],
  };
}

export function presentLog(
  entries: readonly LogEntryView[],
  position: { readonly after: number; readonly appliedIndex: number },
  answerOf: (id: CommandId) => CommandResult | null = () => null,
): LogJson {
  return {
    appliedIndex: position.appliedIndex,
    nextAfter: entries.at(-1)?.index ?? position.after,
    entries: entries.map(({ index, term, id, basis, body, configuration, chain }) => ({
      index,
      term,
      command: id,
      basis,
      body: redact(body),
      ...presentAnswer(id === null ? null : answerOf(id)),
      ...(configuration === undefined ? {} : { configuration: presentVoters(configuration) }),
      chain,
    })),
  };
}

/** An entry whose answer is not remembered says nothing of it. */
function presentAnswer(answer: CommandResult | null): Pick<LogJson['entries'][number], 'answer'> {
  return answer === null ? {} : { answer: { kind: answer.kind, code: answer.code } };
}

function presentConsensus(position: LogPosition, { observers }: RecoveryState): ConsensusJson {
  const regions = observers.length === 0 ? position.reachable : observers;
  return {
    leader: position.leader,
    term: position.term,
    appliedIndex: position.appliedIndex,
    appliedTerm: position.appliedTerm,
    chain: position.chain,
    quorum: position.quorum,
    members: regions.map((region) => ({
      region,
      reachable: position.reachable.includes(region),
    })),
  };
}

function presentProbe(probe: ProbePolicy): ProbeJson {
  const { intervalMs, timeoutMs, rise, fall } = probe;
  const [target, expectation] = [probeTarget(probe), probeExpectation(probe)];
  return { target, expectation, intervalMs, timeoutMs, rise, fall };
}

function presentSite(service: ServiceState, policy: SitePolicy, sight: Sight): SiteJson {
  const { site, region, address, probeUrl } = policy;
  const state = ownValue(service.sites, site);
  const counting = countingAlarms(state, service.policy.alarms);
  const observation = sight.observations.get(`${service.policy.service}/${site}`);
  return {
    site,
    region,
    address,
    probeUrl,
    probes: probesOf(policy).map(presentProbe),
    role: roleOf(service, site),
    opinion: presentOpinion(state),
    verdicts: presentVerdicts(state, sight),
    observation: observation === undefined ? null : presentObservation(observation),
    alarms: (state?.alarms ?? []).map((alarm) => ({
      name: alarm.name,
      state: alarm.state,
      at: rfc3339(alarm.at),
      counts: counting.includes(alarm),
    })),
    warnings: [...presentLagWarnings(service, site), ...presentWarnings(state, sight.observers)],
  };
}

function presentPhase(phase: Phase): PhaseJson {
  switch (phase.kind) {
    case 'steady':
      return { kind: 'steady' };
    case 'impaired':
      return { kind: 'impaired', cause: phase.cause };
    case 'setting-up':
    case 'recovering':
    case 'returning':
    case 'rebalancing':
    case 'drilling':
    case 'drill-returning':
      return { kind: phase.kind, run: phase.run };
    case 'practising':
      return { kind: 'practising' };
  }
}

function presentDecision(decision: Decision | null): ServiceJson['decision'] {
  return decision === null
    ? null
    : {
        kind: decision.kind,
        code: decision.code,
        sentence: decision.sentence,
        at: rfc3339(decision.at),
        index: decision.index,
      };
}

function presentStep(run: Run, step: Step): StepJson {
  const { name, essential, attempt, attemptsMax, progress, worker, lastCode } = step;
  return {
    name,
    essential,
    attempt,
    attemptsMax,
    state: progress.kind,
    worker,
    at: progress.kind === 'waiting' ? null : rfc3339(progress.at),
    code: lastCode,
    ...presentStepRecovery(run, step),
  };
}

/**
 * The body of a log entry without the hashes of tokens, and without the addresses of people's hooks,
 * which are as good as their passwords, however deep they stand.
 */
function redact(body: JsonValue): JsonValue {
  if (body === null || typeof body !== 'object') {
    return body;
  }
  if (isArray(body)) {
    return body.map(redact);
  }
  const { kind } = body as { readonly [name: string]: JsonValue };
  const isHook = kind === 'webhook' || kind === 'hook';
  const isSecret = (name: string) => name === 'tokenHashes' || (name === 'url' && isHook);
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, member]) =>
      member === undefined ? [] : [[name, isSecret(name) ? 'redacted' : redact(member)]],
    ),
  );
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
