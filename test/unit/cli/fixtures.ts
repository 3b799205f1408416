/** Answers of the API as the renderers get them: one service with two sites, three regions. */
import { z } from 'zod';
import { RECOVERY_MEMBERS, RUN_MEMBERS, STEP_MEMBERS } from '../../../lib/api/recovery-schemas.ts';
import type {
  ProblemJson,
  RunJson,
  ServiceJson,
  SiteJson,
  StatusJson,
} from '../../../lib/api/schemas.ts';

/** As of a region that says nothing about them. */
const QUIET = z.object(RECOVERY_MEMBERS).parse({});
const PLAIN_RUN = z.object(RUN_MEMBERS).parse({});
const PLAIN_STEP = z.object(STEP_MEMBERS).parse({});

const AT = '2026-11-23T09:40:00.000Z';

export function siteJson(change: Partial<SiteJson> = {}): SiteJson {
  return {
    site: 'us-east-1',
    region: 'us-east-1',
    address: '127.0.0.11',
    probeUrl: null,
    probes: [],
    role: 'active',
    opinion: { state: 'healthy', code: 'quorum-healthy', sentence: 'all hear it', sinceAt: AT },
    verdicts: ['us-east-1', 'us-east-2'].map((observer) => ({
      observer,
      state: 'healthy' as const,
      code: 'beating',
      sentence: 'it beats',
      phi: 0.1,
      lastBeatAt: AT,
      at: AT,
      index: 4,
    })),
    observation: {
      phi: 0.42,
      silentMs: 310,
      lastBeatAt: AT,
      suspectAt: AT,
      failAt: AT,
      replicationLagMs: null,
      sentence: 'it beats',
    },
    alarms: [],
    warnings: [],
    ...change,
  };
}

export const STANDBY: SiteJson = siteJson({
  site: 'us-west-2',
  region: 'us-west-2',
  address: '127.0.0.12',
  role: 'standby',
});

export function serviceJson(change: Partial<ServiceJson> = {}): ServiceJson {
  return {
    service: 'checkout',
    dnsName: 'checkout.example.test',
    recordType: 'A',
    ttlSeconds: 1,
    strategy: 'failover',
    automatic: true,
    primary: 'us-east-1',
    objectives: { rtoMs: 30_000, rpoMs: 5000 },
    detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
    activeSite: 'us-east-1',
    epoch: { term: 3, index: 40 },
    phase: { kind: 'steady' },
    analysis: { code: 'all-sites-healthy', sentence: 'checkout@us-east-1 serves' },
    decision: null,
    lastRunEndedAt: null,
    reviewAt: null,
    maintenance: [],
    ...QUIET,
    sites: [siteJson(), STANDBY],
    ...change,
  };
}

export function statusJson(change: Partial<StatusJson> = {}): StatusJson {
  return {
    region: 'us-east-2',
    mode: 'local',
    version: '0.1.0',
    at: AT,
    configHash: 'ab'.repeat(32),
    consensus: {
      leader: 'us-west-2',
      term: 3,
      appliedIndex: 128,
      appliedTerm: 3,
      chain: 'cd'.repeat(32),
      quorum: true,
      members: ['us-east-1', 'us-east-2', 'us-west-2'].map((region) => ({
        region,
        reachable: true,
      })),
    },
    freeze: null,
    services: [serviceJson()],
    runs: [],
    monitors: [],
    timeline: [],
    ...change,
  };
}

const STEPS = ['switch', 'propagate', 'verify', 'report'] as const;

/** A run of which the first `done` steps are done, one second after the other. */
export function runJson(done: number, change: Partial<RunJson> = {}): RunJson {
  const isOver = done === STEPS.length;
  return {
    run: 'checkout-42',
    service: 'checkout',
    kind: 'failover',
    trigger: 'automatic',
    from: 'us-east-1',
    to: 'us-west-2',
    epoch: { term: 3, index: 42 },
    requestedBy: 'tripoint',
    reason: 'active-site-failed',
    analysis: 'active-site-failed',
    authorisedAt: AT,
    outcome: {
      kind: isOver ? 'done' : 'open',
      at: isOver ? secondsLater(done) : null,
      code: null,
      exceptions: [],
    },
    origin: { lastBeatAt: null, firstFailedVerdictAt: null },
    stages: {
      detectMs: 5120,
      decideMs: 310,
      actMs: done > 0 ? 1000 : null,
      propagateMs: done > 1 ? 1000 : null,
      verifyMs: done > 2 ? 1000 : null,
      totalMs: done > 2 ? 8430 : null,
    },
    ...PLAIN_RUN,
    steps: STEPS.map((name, position) => ({
      ...PLAIN_STEP,
      kind: name,
      stage: position,
      name,
      essential: name !== 'report',
      attempt: position < done ? 1 : 0,
      attemptsMax: 30,
      state: position < done ? ('done' as const) : ('waiting' as const),
      worker: null,
      at: position < done ? secondsLater(position + 1) : null,
      code: null,
    })),
    ...change,
  };
}

export function problemJson(change: Partial<ProblemJson> = {}): ProblemJson {
  return {
    type: 'urn:tripoint:problem:hold-down',
    title: 'The command was refused',
    status: 409,
    detail: 'the last run ended too recently',
    instance: '/v1/services/checkout/failover',
    code: 'hold-down',
    hint: 'Wait, or ask a person.',
    retryable: false,
    requestId: 'request-1',
    ...change,
  };
}

function secondsLater(seconds: number): string {
  return new Date(Date.parse(AT) + seconds * 1000).toISOString();
}
