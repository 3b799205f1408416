/** Services, sites, verdicts and runs as values, for tests of what is decided about them. */
import {
  type EpochMillis,
  epochMillis,
  logIndex,
  type RegionId,
  regionId,
  term,
} from '../../lib/base/identifiers.ts';
import type { OpinionState } from '../../lib/detection/opinion.ts';
import {
  VERDICT_CODES,
  type Verdict,
  type VerdictCode,
  type VerdictState,
} from '../../lib/detection/verdict.ts';
import type { SafetyPolicy, ServicePolicy, SitePolicy } from '../../lib/recovery/policy.ts';
import type { CommittedVerdict, ServiceState, SiteState } from '../../lib/recovery/state.ts';

export const OBSERVERS: readonly RegionId[] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);
export const T0: EpochMillis = epochMillis(Date.UTC(2026, 10, 23, 9, 40));
export const EAST = 'us-east-1';
export const WEST = 'us-west-2';

export function atMs(offsetMs: number): EpochMillis {
  return epochMillis(T0 + offsetMs);
}

export function sitePolicy(site: string, changes: Partial<SitePolicy> = {}): SitePolicy {
  const places = [EAST, WEST, 'us-east-2'];
  return {
    site,
    region: site,
    address: `192.0.2.${places.indexOf(site) + 11}`,
    probeUrl: `http://${site}.example.test/health`,
    probes: [],
    tokenHashes: ['0'.repeat(64)],
    capacity: null,
    weight: 0,
    ...changes,
  };
}

/** What a policy says that asks for nothing beyond the plain failover. */
export const RECOVERY_DEFAULTS = {
  fencing: 'none',
  replication: { lagMsMax: null, overLimit: 'block', unknownLag: 'accept', metric: null },
  alarms: { missingData: 'last-known', triggering: ['*'] },
  returning: { percents: [100], holdMs: 0 },
  database: null,
  notify: [],
  plans: { failover: null, failback: null },
  drill: null,
} as const satisfies Partial<ServicePolicy>;

export function safetyPolicy(changes: Partial<SafetyPolicy> = {}): SafetyPolicy {
  return {
    holdDownMs: 60_000,
    automaticRunsPerDayMax: 3,
    acknowledgement: false,
    approval: 'none',
    ...changes,
  };
}

/** `checkout` with its primary in us-east-1 and a standby in us-west-2. */
export function servicePolicy(changes: Partial<ServicePolicy> = {}): ServicePolicy {
  return {
    service: 'checkout',
    dnsName: 'checkout.example.test',
    recordType: 'A',
    ttlSeconds: 5,
    strategy: 'failover',
    automatic: true,
    primary: EAST,
    objectives: { rtoMs: 30_000, rpoMs: 5000 },
    detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
    safety: safetyPolicy(),
    ...RECOVERY_DEFAULTS,
    sites: [sitePolicy(EAST), sitePolicy(WEST)],
    ...changes,
  };
}

const CODE_OF: { readonly [State in VerdictState]: Verdict['code'] } = {
  pending: 'never-heard',
  healthy: 'beating',
  suspect: 'phi-over-suspect',
  failed: 'silence-over-fail-bound',
  degraded: 'reports-degraded',
  unknown: 'evaluation-late',
};

export interface VerdictOptions {
  readonly judgedAt?: EpochMillis;
  /** When the newest beat arrived; default `judgedAt`. */
  readonly lastArrivalAt?: EpochMillis;
  readonly lastSequence?: number;
  readonly bootId?: string;
  /** Default: the usual one for the state. */
  readonly code?: VerdictCode;
}

export function verdictOf(state: VerdictState, options: VerdictOptions = {}): Verdict {
  const { judgedAt = T0, lastArrivalAt = judgedAt, lastSequence = 1, bootId = 'boot-1' } = options;
  const code = options.code ?? CODE_OF[state];
  if (VERDICT_CODES[code] !== state) {
    throw new Error(`${code} is no code of ${state}`);
  }
  const isHeard = code !== 'never-heard';
  return {
    state,
    code,
    sentence: `a test says ${state}`,
    phi: state === 'healthy' ? 0.1 : 20,
    silentMs: isHeard ? judgedAt - lastArrivalAt : 0,
    judgedAt,
    bootId: isHeard ? bootId : null,
    lastSequence: isHeard ? lastSequence : null,
    lastArrivalAt: isHeard ? lastArrivalAt : null,
  };
}

export function committed(
  verdict: Verdict,
  changes: Partial<CommittedVerdict> = {},
): CommittedVerdict {
  return { verdict, replicationLagMs: null, at: verdict.judgedAt, index: logIndex(1), ...changes };
}

const OPINION_CODE_OF = {
  pending: 'never-heard',
  healthy: 'heard',
  suspect: 'majority-suspects',
  failed: 'majority-failed',
  degraded: 'reports-trouble',
  unknown: 'too-few-verdicts',
} as const;

export function siteState(opinion: OpinionState, changes: Partial<SiteState> = {}): SiteState {
  return {
    verdicts: {},
    opinion: {
      state: opinion,
      code: OPINION_CODE_OF[opinion],
      sentence: `a test says ${opinion}`,
      votes: [],
    },
    opinionSince: T0,
    alarms: [],
    ...changes,
  };
}

/** A site that said it leaves, as a majority has it. */
export function siteThatLeft(changes: Partial<SiteState> = {}): SiteState {
  const left = siteState('pending', changes);
  return { ...left, opinion: { ...left.opinion, code: 'deregistered' } };
}

export function alarmOf(
  name: string,
  state: 'alarm' | 'ok' | 'insufficient-data' = 'alarm',
): SiteState['alarms'][number] {
  return { name, state, at: T0 };
}

/** A steady `checkout` whose active site in us-east-1 and standby in us-west-2 are healthy. */
export function serviceState(changes: Partial<ServiceState> = {}): ServiceState {
  return {
    policy: servicePolicy(),
    phase: { kind: 'steady' },
    activeSite: EAST,
    traffic: { [changes.activeSite ?? EAST]: 100 },
    granted: true,
    epoch: { term: term(1), index: logIndex(2) },
    sites: { [EAST]: siteState('healthy'), [WEST]: siteState('healthy') },
    analysis: { code: 'all-sites-healthy', sentence: '' },
    decision: null,
    lastRunEndedAt: null,
    automaticRunStarts: [],
    reviewAt: null,
    acknowledgement: null,
    overrides: [],
    freeze: null,
    drill: null,
    unprotectedSince: null,
    isTrafficInDoubt: false,
    weights: null,
    readiness: null,
    ...changes,
  };
}

/** The state of a service whose sites have these opinions. */
export function withOpinions(
  opinions: { readonly [site: string]: OpinionState },
  changes: Partial<ServiceState> = {},
): ServiceState {
  const sites = Object.fromEntries(
    Object.entries(opinions).map(([site, opinion]) => [site, siteState(opinion)]),
  );
  return serviceState({ sites, ...changes });
}
