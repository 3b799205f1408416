/**
 * Every plan of every strategy, cut off after each of its effects: the effect is done, nobody knows,
 * and the worker is gone. In a world that stays as it is the end is the same as without the cut, and
 * nothing is done twice. In one that changes at that moment the end is a lawful one.
 *
 * `npm test` tries some cuts of each plan, `npm run interruptions` every cut and every change.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { roleOf, shareOf } from '../../../lib/recovery/traffic.ts';
import { EAST, servicePolicy, WEST } from '../../support/service-states.ts';
import { type Change, endOf, newestRun, type Played, play, reloaded } from './interrupted-plan.ts';
import { PLAN_CASES } from './plan-cases.ts';

const IS_EXHAUSTIVE = process.env['INTERRUPT_EVERYTHING'] === '1';
const PLACES = IS_EXHAUSTIVE ? (['before', 'after'] as const) : (['after'] as const);
const BY = { by: 'carol', reason: 'meanwhile' } as const;

/** What may happen while nobody works on the run. */
const CHANGES: { readonly [name: string]: Change } = {
  'the target fails': (story) => {
    const { to } = newestRun(story, 'checkout') ?? { to: WEST };
    story.wait(1);
    story.say(to, 'failed');
  },
  'the source fails': (story) => {
    const { from } = newestRun(story, 'checkout') ?? { from: EAST };
    story.wait(1);
    story.say(from, 'failed');
  },
  'a person switches elsewhere, past the open run': (story) => {
    const to = newestRun(story, 'checkout')?.to === WEST ? EAST : WEST;
    story.say(to, 'healthy');
    story.write({ kind: 'failover', service: 'checkout', to, force: true, ...BY });
  },
  'a person cancels the run': (story) => {
    const run = newestRun(story, 'checkout')?.id ?? 'none';
    story.write({ kind: 'cancel-run', run, ...BY });
  },
  'the configuration changes': (story) => {
    const policies = Object.values(story.state().services).map(({ policy }) => ({
      ...policy,
      plans: servicePolicy().plans,
      returning: { percents: [25, 100], holdMs: 1000 },
    }));
    story.configure(...policies);
  },
  'the zone loses an answer': (_, { zone }) => {
    zone.fault = 'answer-lost';
  },
};

function cutsOf(effects: number): readonly number[] {
  const all = Array.from({ length: effects }, (_, place) => place + 1);
  return IS_EXHAUSTIVE ? all : [Math.ceil(effects / 3)];
}

/** Nothing moves the authority to a site that failed, but a person by force. */
function expectNeverToTheDead({ story }: Played, when: string): void {
  let before: RecoveryState | null = null;
  for (const { state, command, index } of story.log()) {
    for (const [name, { activeSite, sites }] of Object.entries(state.services)) {
      const old = before?.services[name];
      const isForced = 'force' in command && command.force;
      if (old !== undefined && old.activeSite !== activeSite && !isForced) {
        expect(sites[activeSite]?.opinion.state, `${when}, entry ${index}`).not.toBe('failed');
      }
    }
    before = state;
  }
  const steady = Object.values(story.state().services).filter(
    ({ phase }) => phase.kind === 'steady',
  );
  expect(
    steady.every(({ granted }) => granted),
    `${when}: somebody is active`,
  ).toBe(true);
}

/** At no entry of the log is more than one site active where only one may be, and nothing is open in the end. */
function expectLawful(played: Played, when: string): void {
  const { story, world } = played;
  expectNeverToTheDead(played, when);
  for (const { state, index } of story.log()) {
    for (const service of Object.values(state.services)) {
      const sites = service.policy.sites.map(({ site }) => site);
      const active = sites.filter((site) => roleOf(service, site) === 'active');
      const activeMax = service.policy.strategy === 'active-active' ? sites.length : 1;
      expect(active.length, `${when}, entry ${index}`).toBeLessThanOrEqual(activeMax);
      const sum = sites.reduce((total, site) => total + shareOf(service.traffic, site), 0);
      expect(sum, `${when}, entry ${index}`).toBe(100);
    }
  }
  const tokens = world.actions.effects.map(
    ({ kind, subject, token }) => `${kind} ${subject} ${token}`,
  );
  expect(tokens.toSorted(), `${when}: nothing is done twice`).toEqual(
    [...new Set(tokens)].toSorted(),
  );
}

/** The records stand as the log authorised them, under the fence of the entry that did. */
function expectDnsAsLogged({ story, world }: Played, when: string): void {
  for (const { policy, traffic, epoch, isTrafficInDoubt } of Object.values(
    story.state().services,
  )) {
    if (!isTrafficInDoubt) {
      const wanted = policy.sites
        .map(({ site, address }) => [address, shareOf(traffic, site)] as const)
        .filter(([, share]) => share > 0);
      expect(world.zone.shares(policy.dnsName), when).toEqual(Object.fromEntries(wanted));
      const fence = world.zone.fence(policy.dnsName);
      expect(fence?.kind === 'fence' ? fence.fence.epoch : null, when).toEqual(epoch);
    }
  }
}

describe.each(PLAN_CASES)('$name', (plan) => {
  let whole: Played;
  beforeAll(async () => {
    whole = await play(plan, { at: 0 });
  });

  test('comes to its end, and the log alone says the same', () => {
    expectLawful(whole, 'uninterrupted');
    expectDnsAsLogged(whole, 'uninterrupted');
    expect(reloaded(whole)).toStrictEqual(whole.story.state());
  });

  test.each(PLACES)('ends the same when its worker dies %s any effect', async (place) => {
    for (const at of cutsOf(whole.effects)) {
      const when = `${place} effect ${at}`;
      const cut = await play(plan, { at, place });
      expect(endOf(cut), when).toEqual(endOf(whole));
      expectLawful(cut, when);
      expectDnsAsLogged(cut, when);
      expect(reloaded(cut), when).toStrictEqual(cut.story.state());
    }
  });

  test.runIf(IS_EXHAUSTIVE)('hears nothing of a worker that wakes up late', async () => {
    for (const at of cutsOf(whole.effects)) {
      const cut = await play(plan, { at });
      await cut.thaw();
      expect(endOf(cut), `after effect ${at}`).toEqual(endOf(whole));
    }
  });

  test.runIf(IS_EXHAUSTIVE).each(Object.entries(CHANGES))(
    'ends lawfully when meanwhile %s',
    async (_, change) => {
      for (const at of cutsOf(whole.effects)) {
        const when = `after effect ${at}`;
        const cut = await play(plan, { at, change });
        expectLawful(cut, when);
        expectDnsAsLogged(cut, when);
      }
    },
  );
});
