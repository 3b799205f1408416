import { describe, expect, test } from 'vitest';
import { logIndex, type RegionId, term } from '../../../lib/base/identifiers.ts';
import type { CommandResult, ControlCommand } from '../../../lib/control/commands.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { watchedSite, watchedSites } from '../../../lib/control/watched-sites.ts';
import type { VerdictState } from '../../../lib/detection/verdict.ts';
import type { MonitorPolicy } from '../../../lib/recovery/policy.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import {
  atMs,
  OBSERVERS,
  servicePolicy,
  T0,
  type VerdictOptions,
  verdictOf,
} from '../../support/service-states.ts';

const HOUR_MS = 3_600_000;
const HOURLY = { kind: 'every', everyMs: HOUR_MS, graceMs: 60_000, runMsMax: null } as const;

function monitor(changes: Partial<MonitorPolicy> = {}): MonitorPolicy {
  return {
    service: 'nightly',
    detection: { intervalMs: 1000, suspectPhi: 8, failPhi: 16, silenceMsMax: 12_000 },
    provisioning: { tokenHashes: ['d'.repeat(64)], sitesMax: 2, schedule: HOURLY },
    sites: [{ site: 'backup', tokenHashes: ['b'.repeat(64)], schedule: HOURLY }],
    ...changes,
  };
}

/** A log whose entries are written one after the other, each a second later. */
function logOf() {
  let state: RecoveryState = createControlMachine(OBSERVERS).initial;
  let index = 0;
  const write = (command: ControlCommand): CommandResult => {
    index += 1;
    const reduction = reduce(state, command, { index: logIndex(index), term: term(1) });
    state = reduction.state;
    return reduction.result;
  };
  const say = (observer: RegionId, verdict: VerdictState, options: VerdictOptions) =>
    write({
      kind: 'verdict',
      at: options.judgedAt ?? T0,
      observer,
      service: 'nightly',
      site: 'backup',
      verdict: verdictOf(verdict, options),
      replicationLagMs: null,
    });
  return {
    write,
    say,
    state: () => state,
    opinion: () => state.monitors['nightly']?.sites['backup']?.opinion.state,
    configure: (...monitors: readonly MonitorPolicy[]) =>
      write({
        kind: 'configure',
        at: T0,
        by: 'ann',
        reason: 'a test',
        configHash: `hash ${index}`,
        policies: [servicePolicy()],
        monitors,
      }),
    provision: (site: string, service = 'nightly') =>
      write({ kind: 'provision-site', at: T0, service, site }),
  };
}

const [EAST, MIDDLE, WEST] = OBSERVERS as readonly [RegionId, RegionId, RegionId];

describe('a monitor', () => {
  test('is watched and never moved: no run, no decision, whatever is said of it', () => {
    const log = logOf();
    log.configure(monitor());
    const { runs } = log.state();
    for (const observer of OBSERVERS) {
      log.say(observer, 'failed', { judgedAt: atMs(HOUR_MS) });
    }
    expect(log.opinion()).toBe('failed');
    expect(log.state().runs).toBe(runs);
    const failover = { kind: 'failover', service: 'nightly', to: null, force: true } as const;
    const asked = log.write({ ...failover, at: T0, by: 'ann', reason: 'a test' });
    expect(asked).toMatchObject({ kind: 'refused', code: 'not-a-service' });
    const work = { kind: 'maintenance-start', service: 'nightly', site: null } as const;
    const refused = log.write({ ...work, durationMs: HOUR_MS, at: T0, by: 'ann', reason: 'work' });
    expect(refused).toMatchObject({
      code: 'not-a-service',
      sentence: expect.stringContaining('maintenance keeps runs from starting'),
    });
  });

  test('tells the timeline in the words of a region that sees it', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(EAST, 'healthy', {});
    log.say(EAST, 'failed', { judgedAt: atMs(HOUR_MS) });
    const told = log.state().timeline.filter(({ kind }) => kind === 'opinion');
    expect(told.map(({ sentence }) => sentence)).toEqual([
      'backup is healthy: a test says healthy',
      'backup is failed: a test says failed',
    ]);
  });

  test('takes notes, and no verdict of a stranger or about one', () => {
    const log = logOf();
    log.configure(monitor());
    const note = {
      kind: 'note',
      service: 'nightly',
      at: T0,
      by: 'ann',
      reason: 'moved hosts',
    } as const;
    expect(log.write(note)).toMatchObject({ kind: 'accepted', code: 'noted' });
    expect(log.say('mars-1' as RegionId, 'failed', {})).toMatchObject({ code: 'unknown-observer' });
  });
});

describe('the opinion of a site that tells one region only', () => {
  test('is what that region says', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(MIDDLE, 'pending', {});
    log.say(WEST, 'pending', {});
    expect(log.opinion()).toBe('pending');
    log.say(EAST, 'healthy', {});
    expect(log.opinion()).toBe('healthy');
    log.say(EAST, 'failed', { judgedAt: atMs(HOUR_MS), lastArrivalAt: T0 });
    expect(log.opinion()).toBe('failed');
  });

  test('is refuted by a region that has heard a newer beat', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(EAST, 'healthy', { lastSequence: 1 });
    const later = { judgedAt: atMs(HOUR_MS), lastArrivalAt: atMs(HOUR_MS), lastSequence: 2 };
    log.say(WEST, 'healthy', later);
    log.say(EAST, 'failed', {
      judgedAt: atMs(HOUR_MS + 60_000),
      lastArrivalAt: T0,
      lastSequence: 1,
    });
    expect(log.opinion()).toBe('healthy');
  });

  test('is a failure that the job reports, though another region heard a success before', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(EAST, 'healthy', { lastSequence: 1 });
    const failed = verdictOf('failed', { judgedAt: atMs(1000), lastSequence: 2 });
    const said = { kind: 'verdict', service: 'nightly', site: 'backup', at: atMs(1000) } as const;
    const verdict = { ...failed, code: 'run-failed' } as const;
    log.write({ ...said, observer: WEST, verdict, replicationLagMs: null });
    expect(log.opinion()).toBe('failed');
    log.say(EAST, 'healthy', { judgedAt: atMs(2000), lastSequence: 3 });
    expect(log.opinion()).toBe('healthy');
  });

  test('is not lowered by a region that abstains', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(EAST, 'healthy', {});
    log.say(WEST, 'healthy', {});
    log.say(EAST, 'failed', { judgedAt: atMs(HOUR_MS), lastArrivalAt: T0 });
    log.say(WEST, 'unknown', { judgedAt: atMs(HOUR_MS), lastArrivalAt: T0 });
    expect(log.opinion()).not.toBe('failed');
  });

  test('is looked at again when the word that refutes has become too old', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(EAST, 'healthy', { lastSequence: 1 });
    log.say(MIDDLE, 'healthy', { lastSequence: 1 });
    log.say(WEST, 'healthy', { judgedAt: atMs(1000), lastSequence: 2 });
    const late = { judgedAt: atMs(HOUR_MS), lastArrivalAt: T0, lastSequence: 1 };
    log.say(EAST, 'failed', late);
    log.say(MIDDLE, 'failed', late);
    expect(log.opinion()).not.toBe('failed');
    const reviewAt = log.state().monitors['nightly']?.reviewAt ?? T0;
    expect(reviewAt).toBe(atMs(1000 + HOUR_MS + 60_000 + 1));
    log.write({ kind: 'review', service: 'nightly', at: reviewAt });
    expect(log.opinion()).toBe('failed');
  });
});

describe('provisioning', () => {
  test('makes sites up to its bound, once each', () => {
    const log = logOf();
    log.configure(monitor());
    const answers = ['db-1', 'db-1', 'backup', 'db-2', 'db-3'].map(
      (site) => log.provision(site).code,
    );
    expect(answers).toEqual([
      'site-provisioned',
      'site-provisioned',
      'site-provisioned',
      'site-provisioned',
      'sites-exhausted',
    ]);
    expect(log.state().monitors['nightly']?.provisioned).toEqual(['db-1', 'db-2']);
    expect(watchedSite(log.state(), 'nightly', 'db-1')).toMatchObject({
      schedule: HOURLY,
      tokenHashes: ['d'.repeat(64)],
    });
  });

  test('is refused where nobody allowed it', () => {
    const log = logOf();
    log.configure(monitor({ provisioning: null }));
    expect(log.provision('db-1')).toMatchObject({ code: 'not-provisioning' });
    expect(log.provision('db-1', 'checkout')).toMatchObject({ code: 'not-provisioning' });
    expect(log.provision('db-1', 'constructor')).toMatchObject({ code: 'unknown-service' });
  });
});

describe('a changed configuration', () => {
  test('keeps what is known of sites that stay, and forgets those that go', () => {
    const log = logOf();
    log.configure(monitor());
    log.say(EAST, 'healthy', {});
    log.provision('db-1');
    log.provision('db-2');
    const before = log.state().monitors['nightly']?.sites['backup'];
    log.configure(monitor({ provisioning: { tokenHashes: [], sitesMax: 1, schedule: null } }));
    expect(log.state().monitors['nightly']?.sites['backup']?.verdicts).toEqual(before?.verdicts);
    expect([...watchedSites(log.state())].map(({ site }) => site)).toEqual([
      'us-east-1',
      'us-west-2',
      'backup',
      'db-1',
    ]);
    log.configure();
    expect(log.state().monitors).toEqual({});
  });

  test('names a provisioned site without losing it', () => {
    const log = logOf();
    log.configure(monitor());
    log.provision('db-1');
    const named = { site: 'db-1', tokenHashes: ['e'.repeat(64)], schedule: null };
    log.configure(monitor({ sites: [named] }));
    expect(log.state().monitors['nightly']?.provisioned).toEqual([]);
    expect(watchedSite(log.state(), 'nightly', 'db-1')?.tokenHashes).toEqual(['e'.repeat(64)]);
  });

  test('written before there were monitors has none', () => {
    const log = logOf();
    log.configure(monitor());
    const old = { kind: 'configure', at: T0, by: 'ann', reason: 'old', configHash: 'old' } as const;
    log.write({ ...old, policies: [servicePolicy()] });
    expect(log.state().monitors).toEqual({});
  });
});
