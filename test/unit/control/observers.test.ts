/**
 * Three observers and one log against what has fooled other detectors: sick observers, cut paths,
 * whole regions, gray services, deployments, flapping. The numbers are those of the catalogue of
 * adversarial patterns. A run of the recovery machine is the only thing that counts as a mistake.
 */
import { describe, expect, test } from 'vitest';
import type { RegionId } from '../../../lib/base/identifiers.ts';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { ControlCommand } from '../../../lib/control/commands.ts';
import type { ProbeFinding, SiteEvidence } from '../../../lib/detection/evidence.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import { type ObservedService, observedService, type Weather } from '../../support/observers.ts';
import { OBSERVERS, servicePolicy, sitePolicy } from '../../support/service-states.ts';

const [A, B, C] = OBSERVERS as readonly [RegionId, RegionId, RegionId];
const SITES = Array.from({ length: 8 }, (_, place) => `site-${place}`);
const ACTIVE = 'site-0';

const failovers = ({ story }: ObservedService) =>
  story.state().runs.filter(({ kind }) => kind === 'failover');
const opinionOf = ({ story }: ObservedService, site: string) =>
  story.service().sites[site]?.opinion.state;
const codesOf = (news: readonly ControlCommand[], observer?: RegionId) =>
  news.flatMap((command) =>
    command.kind === 'verdict' && (observer === undefined || command.observer === observer)
      ? [command.verdict.code]
      : [],
  );

/** Seconds until the first failover while the weather lasts; null = none within a minute. */
async function secondsToFailover(
  service: ObservedService,
  weather: Weather,
): Promise<number | null> {
  for (let seconds = 1; seconds <= 60; seconds += 1) {
    await service.live(1, weather);
    if (failovers(service).length > 0) {
      return seconds;
    }
  }
  return null;
}

describe('an observer that freezes (13)', () => {
  test('for half a minute while beats are stored accuses nobody when it wakes', async () => {
    const service = await observedService(SITES);
    await service.live(30, { observes: (region) => region !== A });
    const news = await service.live(20);
    expect(news).toEqual([]);
  });

  test('does not keep the other two from convicting', async () => {
    const service = await observedService(SITES);
    const frozen: Weather = {
      observes: (region) => region !== A,
      sends: (site) => site !== ACTIVE,
    };
    expect(await secondsToFailover(service, frozen)).toBeLessThanOrEqual(12);
  });
});

describe('silence that only some observers meet (14)', () => {
  test('of every site at one of them makes it doubt itself, and moves nothing', async () => {
    const service = await observedService(SITES);
    const news = await service.live(60, { arrives: (_, region) => region !== A });
    expect(failovers(service)).toEqual([]);
    expect(codesOf(news)).not.toContain('phi-over-fail');
    expect(codesOf(news)).not.toContain('silence-over-fail-bound');
    expect(codesOf(news, A)).toContain('observer-unwell');
    expect(opinionOf(service, ACTIVE)).toBe('healthy');
    const back = await service.live(20);
    expect(new Set(SITES.map((site) => opinionOf(service, site)))).toEqual(new Set(['healthy']));
    expect(codesOf(back, A).filter((code) => code === 'beating')).toHaveLength(SITES.length);
    expect(news.length + back.length).toBeLessThan(5 * SITES.length);
  });

  test('of one site at one of them (one-way loss) is outvoted, and doubts only for a moment', async () => {
    const service = await observedService(SITES);
    const oneWay: Weather = { arrives: (site, region) => site !== ACTIVE || region !== A };
    const news = await service.live(90, oneWay);
    expect(failovers(service)).toEqual([]);
    expect(opinionOf(service, ACTIVE)).toBe('healthy');
    expect(codesOf(news, A)).not.toContain('observer-unwell');
    expect(news.length).toBeLessThan(5);
  });

  test('of one site at two of them that share a failed path is refuted by the third', async () => {
    const service = await observedService(SITES);
    const shared: Weather = { arrives: (site, region) => site !== ACTIVE || region === C };
    await service.live(60, shared);
    expect(failovers(service)).toEqual([]);
    expect(opinionOf(service, ACTIVE)).toBe('suspect');
    await service.live(10);
    expect(opinionOf(service, ACTIVE)).toBe('healthy');
  });

  test('of a region and of the path to another: the active site dies, and is failed over', async () => {
    const service = await observedService(SITES);
    const cut: Weather = { arrives: (site, region) => site !== ACTIVE || region !== A };
    await service.live(120, cut);
    const dead: Weather = { sends: (site) => site !== ACTIVE, observes: (region) => region !== C };
    expect(await secondsToFailover(service, dead)).toBeLessThanOrEqual(15);
  });

  test('of a table leaves that observer out: the other two fail over what is really dead', async () => {
    const service = await observedService(SITES);
    const partitioned: Weather = { answers: (region) => region !== B };
    await service.live(20, partitioned);
    expect(failovers(service)).toEqual([]);
    const dead: Weather = { ...partitioned, sends: (site) => site !== ACTIVE };
    expect(await secondsToFailover(service, dead)).toBeLessThanOrEqual(12);
  });
});

describe('silence that all observers meet (14)', () => {
  test('of most sites at once (a region is lost) is acted on as fast as that of one', async () => {
    const alone = await secondsToFailover(await observedService(SITES), {
      sends: (site) => site !== ACTIVE,
    });
    const lost = new Set(SITES.slice(0, 6));
    const service = await observedService(SITES);
    const together = await secondsToFailover(service, { sends: (site) => !lost.has(site) });
    expect(together).toBe(alone);
    expect(failovers(service)[0]?.to).toBe('site-6');
  });

  test('of every site moves nothing, and the first that is back gets the traffic', async () => {
    const service = await observedService(SITES);
    await service.live(30, { sends: () => false });
    expect(failovers(service)).toEqual([]);
    expect(service.story.service().analysis.code).toBe('all-sites-failed');
    await service.live(15, { sends: (site) => site === 'site-4' });
    expect(failovers(service).map(({ to }) => to)).toEqual(['site-4']);
  });
});

describe('the loss of every way to us', () => {
  const PAIR = [ACTIVE, 'site-1'];

  /** All are silent for a minute; then the standby is heard, and the active site so much later. */
  async function afterDeafness(
    laterSeconds: number,
    returns: boolean = true,
  ): Promise<ObservedService> {
    const service = await observedService(PAIR);
    await service.live(60, { sends: () => false });
    await service.live(laterSeconds, { sends: (site) => site !== ACTIVE });
    await service.live(30 - laterSeconds, { sends: (site) => returns || site !== ACTIVE });
    return service;
  }

  test('moves nothing when it ends, as long as the agents take to try again', async () => {
    for (const laterSeconds of [0, 1, 2, 3, 4, 5, 6]) {
      const service = await afterDeafness(laterSeconds);
      expect({ laterSeconds, runs: failovers(service) }).toEqual({ laterSeconds, runs: [] });
      expect(service.story.service().phase).toEqual({ kind: 'steady' });
    }
  });

  test('moves the traffic where only the standby is back', async () => {
    expect(failovers(await afterDeafness(5, false)).map(({ to }) => to)).toEqual(['site-1']);
  });
});

describe('one error of a table', () => {
  const dead = (site: string) => site !== ACTIVE;

  /** Seconds by which this observer's word comes later when its table fails in that second. */
  async function delaySeconds(errorSecond: number): Promise<number> {
    const convictedAt = async (answers: NonNullable<Weather['answers']>) => {
      const service = await observedService([ACTIVE, 'site-1']);
      const start = service.second();
      for (let seconds = 1; seconds <= 60; seconds += 1) {
        const weather = {
          answers: (region: RegionId, second: number) => answers(region, second - start),
          sends: dead,
        };
        const news = await service.live(1, weather);
        if (codesOf(news, A).some((code) => code === 'phi-over-fail')) {
          return seconds;
        }
      }
      return Number.POSITIVE_INFINITY;
    };
    const calm = await convictedAt(() => true);
    const troubled = await convictedAt((region, second) => region !== A || second !== errorSecond);
    return troubled - calm;
  }

  test.each([2, 6])('in second %i of a silence delays a conviction by 3 s at most', async (at) => {
    expect(await delaySeconds(at)).toBeLessThanOrEqual(3);
  });
});

describe('a site that is dead for long', () => {
  test('stays convicted, with no word more, while tables fail for a moment again and again', async () => {
    const service = await observedService([ACTIVE, 'site-1', 'site-2']);
    const sends = (site: string) => site !== 'site-2';
    await service.live(30, { sends });
    const news = await service.live(120, { sends, answers: (_, second) => second % 20 !== 0 });
    expect(news).toEqual([]);
    expect(opinionOf(service, 'site-2')).toBe('failed');
    await service.live(10);
    expect(opinionOf(service, 'site-2')).toBe('healthy');
  });
});

describe('new rules', () => {
  const policyOf = (intervalMs: number, service = 'checkout') =>
    servicePolicy({
      service,
      primary: ACTIVE,
      sites: [ACTIVE, 'site-1'].map((site) => sitePolicy(site)),
      detection: { intervalMs, suspectPhi: 8, failPhi: 16, silenceMsMax: 12 * intervalMs },
    });
  const apply = ({ story, clock, second }: ObservedService, policy: ServicePolicy) => {
    const order = { by: 'ann', reason: 'a test', configHash: `at ${second()}` };
    story.write({ kind: 'configure', ...order, policies: [policy] }, clock.wallNow());
    story.finishRuns();
  };

  test('do not convict a site that beats by the old ones until it has heard of them', async () => {
    const service = await observedService([ACTIVE, 'site-1']);
    apply(service, policyOf(30_000));
    const slowly = (offset: number) => (site: string, second: number) =>
      second % 30 === (site === ACTIVE ? offset : (offset + 18) % 30);
    await service.live(900, { sends: slowly(0) });
    apply(service, policyOf(1000));
    const since = service.second();
    const hears = { sends: (_: string, second: number) => second - since >= 29 };
    const news = await service.live(60, hears);
    expect(codesOf(news)).toEqual([]);
    expect(failovers(service)).toEqual([]);
    expect(await secondsToFailover(service, { sends: (site) => site !== ACTIVE })).not.toBeNull();
  });

  test('find a site that dies as they come by the old ones', async () => {
    const service = await observedService([ACTIVE, 'site-1']);
    apply(service, policyOf(500));
    expect(await secondsToFailover(service, { sends: (site) => site !== ACTIVE })).toBeLessThan(20);
  });

  test('leave a service that was away for an hour the time to be heard again', async () => {
    const service = await observedService([ACTIVE, 'site-1']);
    apply(service, policyOf(1000, 'other'));
    await service.live(3600);
    apply(service, policyOf(1000));
    const since = service.second();
    const late = { sends: (site: string, second: number) => site !== ACTIVE || second - since > 5 };
    const news = await service.live(30, late);
    expect(codesOf(news)).not.toContain('phi-over-fail');
    expect(failovers(service)).toEqual([]);
    expect(opinionOf(service, ACTIVE)).toBe('healthy');
  });
});

describe('a gray service (15)', () => {
  const probed = (finding: Pick<ProbeFinding, 'state' | 'code'>) => {
    return (site: string, _: RegionId, now: number): SiteEvidence => ({
      probe:
        site === ACTIVE ? { ...finding, detail: 'GET /health', checkedAt: epochMillis(now) } : null,
      callers: null,
    });
  };

  test('whose heartbeat lives and whose probe fails is degraded, and nobody moves it', async () => {
    const service = await observedService(SITES);
    // A site whose evidence changes is looked at; here its status change brings the timer.
    const evidence = probed({ state: 'failing', code: 'timed-out' });
    await service.live(20, { evidence, status: (site) => (site === ACTIVE ? 'degraded' : 'ok') });
    expect(opinionOf(service, ACTIVE)).toBe('degraded');
    await service.live(20, { evidence });
    expect(opinionOf(service, ACTIVE)).toBe('degraded');
    expect(service.story.service().analysis.code).toBe('active-site-degraded');
    expect(failovers(service)).toEqual([]);
  });

  test('whose heartbeat agent is dead and whose probe passes is suspect, and nobody moves it', async () => {
    const service = await observedService(SITES);
    const evidence = probed({ state: 'passing', code: 'passed' });
    await service.live(40, { evidence, sends: (site) => site !== ACTIVE });
    expect(opinionOf(service, ACTIVE)).toBe('suspect');
    expect(failovers(service)).toEqual([]);
    const refused = probed({ state: 'failing', code: 'connection-refused' });
    await service.live(5, { evidence: refused, sends: (site) => site !== ACTIVE });
    expect(failovers(service)).toHaveLength(1);
  });
});

describe('a deployment (16)', () => {
  test('that restarts every site within a minute and a half moves nothing', async () => {
    const service = await observedService(SITES);
    const start = service.second();
    const restartAt = (site: string) => start + 10 + 11 * SITES.indexOf(site);
    await service.live(100, {
      sends: (site, second) => second < restartAt(site) || second >= restartAt(site) + 4,
      boot: (site, second) => (second < restartAt(site) ? 'boot-1' : 'boot-2'),
    });
    expect(failovers(service)).toEqual([]);
    expect(new Set(SITES.map((site) => opinionOf(service, site)))).toEqual(new Set(['healthy']));
  });

  test('that retires a standby on purpose is no failure; one that retires the active site moves it', async () => {
    const service = await observedService(SITES);
    const leaves = (name: string): Weather => ({
      status: (site) => (site === name ? 'leaving' : 'ok'),
    });
    const gone = (name: string): Weather => ({ sends: (site) => site !== name });
    await service.live(1, leaves('site-7'));
    await service.live(30, gone('site-7'));
    expect(service.story.service()).toMatchObject({
      phase: { kind: 'steady' },
      analysis: { code: 'all-sites-healthy' },
      decision: null,
    });
    expect(opinionOf(service, 'site-7')).toBe('pending');
    await service.live(1, leaves(ACTIVE));
    await service.live(1, gone(ACTIVE));
    expect(failovers(service)).toMatchObject([{ analysis: 'active-site-deregistered' }]);
  });
});

describe('a standby that flaps (10)', () => {
  test('for a quarter of an hour brings a bounded number of entries, and no run', async () => {
    const service = await observedService([ACTIVE, 'site-1']);
    const news = await service.live(900, {
      sends: (site, second) => site !== 'site-1' || second % 18 < 5,
    });
    expect(news.length).toBeLessThan(40);
    expect(failovers(service)).toEqual([]);
    expect(opinionOf(service, 'site-1')).not.toBe('healthy');
    await service.live(120);
    expect(opinionOf(service, 'site-1')).toBe('healthy');
  });
});
