import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { compareEpochs } from '../../../lib/recovery/fence.ts';
import { RUN_LIMITS } from '../../../lib/recovery/limits.ts';
import type { RecoveryState, ServiceState } from '../../../lib/recovery/state.ts';
import type { Written } from '../../support/log-story.ts';
import {
  moves,
  openRuns,
  SEED,
  SERVICES,
  skews,
  startedBy,
  stepsOf,
  type Told,
  tell,
} from '../../support/plots.ts';
import { OBSERVERS } from '../../support/service-states.ts';

function checkService(service: ServiceState, { state, index, term }: Written): void {
  const { policy, phase, activeSite, epoch, sites } = service;
  const configured = policy.sites.map(({ site }) => site);
  expect(configured).toContain(activeSite);
  expect(Object.keys(sites).toSorted()).toEqual(configured.toSorted());
  expect(compareEpochs(epoch, { term, index })).toBeLessThanOrEqual(0);
  const open = openRuns(state).filter((run) => run.service === policy.service);
  expect(open.map(({ id }) => id)).toEqual('run' in phase ? [phase.run] : []);
  const alarms = Object.values(sites).map((site) => site.alarms.length);
  expect(Math.max(...alarms)).toBeLessThanOrEqual(RUN_LIMITS.alarmsPerSiteMax);
}

function checkStep(step: Told): void {
  const { before, state, index } = step;
  for (const [name, service] of Object.entries(state.services)) {
    checkService(service, step);
    const old = before.services[name];
    if (old !== undefined) {
      expect(compareEpochs(service.epoch, old.epoch)).toBeGreaterThanOrEqual(0);
      expect(service.activeSite === old.activeSite || service.epoch.index === index).toBe(true);
    }
  }
  expect(state.runs.length - openRuns(state).length).toBeLessThanOrEqual(RUN_LIMITS.runsKeptMax);
  expect(state.timeline.length).toBeLessThanOrEqual(RUN_LIMITS.timelineEventsMax);
  for (const run of before.runs.filter(({ outcome }) => outcome.kind !== 'open')) {
    const after = state.runs.find(({ id }) => id === run.id);
    // Only its report may still be written.
    expect(after === undefined || after.outcome === run.outcome, 'an ended run stays ended').toBe(
      true,
    );
  }
}

const settings = { seed: SEED, numRuns: 150 };

describe('whatever the log says', () => {
  test('a service has one active site, at most one open run, and an epoch that never falls', () => {
    fc.assert(
      fc.property(moves, skews, (plot, skewsMs) => {
        for (const step of stepsOf(tell(plot, skewsMs))) {
          checkStep(step);
        }
      }),
      settings,
    );
  });

  test('the same log gives the same state, also from a copy that was stored in between', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        const log = tell(plot);
        let replayed = createControlMachine(OBSERVERS).initial;
        for (const { command, index, term } of log) {
          const stored = JSON.parse(JSON.stringify(replayed)) as RecoveryState;
          replayed = reduce(stored, command, { index, term }).state;
        }
        const last = log.at(-1)?.state;
        expect(JSON.stringify(replayed)).toBe(JSON.stringify(last));
        expect(replayed).toStrictEqual(last);
      }),
      settings,
    );
  });

  test('no run starts by itself where the policy leaves that to people', () => {
    fc.assert(
      fc.property(moves, skews, (plot, skewsMs) => {
        for (const step of stepsOf(tell(plot, skewsMs))) {
          for (const run of startedBy(step).filter(({ trigger }) => trigger === 'automatic')) {
            expect(step.state.services[run.service]?.policy.automatic).toBe(true);
          }
        }
      }),
      settings,
    );
  });

  test('no run goes to a site that is not healthy, unless a person forced it', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        for (const { command, ...step } of stepsOf(tell(plot))) {
          const isForced = 'force' in command && command.force;
          for (const run of startedBy(step).filter(({ kind }) => kind !== 'setup')) {
            const target = step.state.services[run.service]?.sites[run.to];
            expect(isForced || target?.opinion.state === 'healthy').toBe(true);
          }
        }
      }),
      settings,
    );
  });

  test('a review is never due again at once', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        for (const { command, state } of tell(plot)) {
          const reviewAt =
            command.kind === 'review' ? state.services[command.service]?.reviewAt : null;
          expect(reviewAt ?? Infinity).toBeGreaterThan(command.at);
        }
      }),
      settings,
    );
  });
});

/** What damping has to be held against: when each service ran by itself, and when a run ended. */
interface Past {
  readonly starts: Map<string, readonly number[]>;
  readonly ends: Map<string, number>;
}

function checkDamping(step: Told, { starts, ends }: Past): void {
  const automatic = startedBy(step).filter(({ trigger }) => trigger === 'automatic');
  for (const { service, authorisedAt } of automatic) {
    const safety = step.state.services[service]?.policy.safety;
    const dayBefore = authorisedAt - RUN_LIMITS.dayMs;
    const today = (starts.get(service) ?? []).filter((start) => start > dayBefore);
    expect(today.length).toBeLessThan(safety?.automaticRunsPerDayMax ?? 0);
    const sinceMs = authorisedAt - (ends.get(service) ?? -Infinity);
    expect(sinceMs).toBeGreaterThanOrEqual(safety?.holdDownMs ?? Infinity);
    starts.set(service, [...today, authorisedAt]);
  }
}

function remember({ before, state }: Told, { starts, ends }: Past): void {
  const wereOpen = new Set(openRuns(before).map(({ id }) => id));
  for (const { id, service, kind, outcome } of state.runs) {
    if (outcome.kind === 'done' && kind !== 'setup' && wereOpen.has(id)) {
      ends.set(service, outcome.at);
    }
  }
  // A service that leaves the configuration begins anew when it comes back.
  for (const service of SERVICES.filter((name) => state.services[name] === undefined)) {
    starts.delete(service);
    ends.delete(service);
  }
}

describe('while the clocks agree', () => {
  test('hold-down and budget hold', () => {
    fc.assert(
      fc.property(moves, (plot) => {
        const past: Past = { starts: new Map(), ends: new Map() };
        for (const step of stepsOf(tell(plot))) {
          checkDamping(step, past);
          remember(step, past);
        }
      }),
      settings,
    );
  });

  test('the moves above do start runs of each kind, and end them in each way', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(moves, (plot) => {
        for (const run of tell(plot).at(-1)?.state.runs ?? []) {
          seen.add(`${run.trigger} ${run.kind} ${run.outcome.kind}`);
        }
      }),
      settings,
    );
    for (const kind of [
      'automatic failover',
      'manual failover',
      'manual failback',
      'manual setup',
    ]) {
      for (const outcome of ['open', 'done', 'failed']) {
        expect(seen).toContain(`${kind} ${outcome}`);
      }
    }
  });
});
