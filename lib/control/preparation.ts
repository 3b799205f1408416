/**
 * What a region offers to whoever prepares: plans as they stand, tabletops, and the evidence of runs
 * that are over. All of it reads; nothing of it needs a quorum.
 */
import type { SnapshotStore } from '../backup/snapshot-store.ts';
import { ownValue } from '../base/own-value.ts';
import { usualMode } from '../recovery/decision.ts';
import type { PlanPolicy, RunMode } from '../recovery/plan.ts';
import { type PlanAsk, plannedRun, usualTarget } from '../recovery/readiness-plans.ts';
import type { ServiceState } from '../recovery/state.ts';
import type { ControlCommand } from './commands.ts';
import type { ReadablePorts } from './described-ports.ts';
import { reportedRun } from './run-reports.ts';
import { playTabletop, type Tabletop, type TabletopGround } from './tabletop.ts';

export interface StoredReport {
  readonly run: string;
  readonly bytes: number;
}

export interface Preparation {
  /** What a run of this kind would be planned as now; null = there is no such service or site. */
  readonly plan: (service: string, ask: PlanQuestion) => PlannedRun | 'already-active' | null;
  readonly tabletop: (
    command: Extract<ControlCommand, { kind: 'failover' | 'failback' | 'drill' }>,
  ) => Promise<Tabletop>;
  /** Newest first, at most `limit`; null = no store says what it holds. */
  readonly reports: (limit: number) => Promise<readonly StoredReport[] | null>;
}

interface PlanQuestion extends Pick<PlanAsk, 'kind'> {
  /** null = as the decision would choose it. */
  readonly mode: RunMode | null;
  readonly to: string | null;
}

export interface PlannedRun extends PlanAsk {
  readonly from: string;
  readonly plan: PlanPolicy;
}

export interface PreparationOptions {
  readonly ground: () => TabletopGround;
  /** null = this process has nothing to look with. */
  readonly ports: ReadablePorts | null;
  readonly stores: readonly SnapshotStore[];
}

export function createPreparation({ ground, ports, stores }: PreparationOptions): Preparation {
  return {
    plan: (name, question) => {
      const service = ownValue(ground().state.services, name);
      return service === undefined ? null : plannedFor(service, question);
    },
    tabletop: (command) => playTabletop(command, ground(), ports),
    reports: (limit) => listReports(stores, limit),
  };
}

function plannedFor(
  service: ServiceState,
  question: PlanQuestion,
): ReturnType<Preparation['plan']> {
  const { kind } = question;
  const { policy, activeSite: from } = service;
  const to = question.to ?? usualTarget(service, kind);
  if (!policy.sites.some(({ site }) => site === to)) {
    return null;
  }
  // A practice is never an emergency.
  const usual = kind === 'drill' ? 'graceful' : usualMode(service);
  const ask: PlanAsk = { kind, mode: question.mode ?? usual, to };
  return to === from ? 'already-active' : { ...ask, from, plan: plannedRun(service, ask) };
}

/** What one listing shows. Two files a report, so half as many reports. */
const LISTED_MAX = 10_000;

async function listReports(
  stores: readonly SnapshotStore[],
  limit: number,
): Promise<readonly StoredReport[] | null> {
  const listings = await Promise.all(stores.map((store) => store.list('reports/', LISTED_MAX)));
  const answers = listings.filter((listing) => listing.kind === 'listed');
  const sizes = new Map<string, number>();
  for (const { key, size } of answers.flatMap(({ objects }) => objects)) {
    const run = reportedRun(key);
    if (run !== null && !sizes.has(run)) {
      sizes.set(run, size);
    }
  }
  const reports = [...sizes].map(([run, bytes]) => ({ run, bytes }));
  return answers.length === 0
    ? null
    : reports.toSorted((a, b) => indexOf(b.run) - indexOf(a.run)).slice(0, limit);
}

/** A run is named after its service and the entry that authorised it. */
function indexOf(run: string): number {
  return Number(/-(\d+)$/.exec(run)?.[1] ?? '0');
}
