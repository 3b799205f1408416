/**
 * The scenarios of `tripoint simulate FILE --scenario NAME`: what goes wrong, when, and for how long.
 *
 * Each plays on the user's own sites: trouble strikes where the active one is, and instants count from
 * when the service is up and every site is learnt. What must come out is not written here: the checkers
 * hold in every scenario, and the figures speak for themselves.
 */
import { between } from './assumptions.ts';
import {
  bothWays,
  cut,
  heal,
  loseRegion,
  loseSite,
  restoreRegion,
  restoreSite,
  type Stage,
  setControlPlaneAway,
  setGray,
  setWeather,
  troubleClock,
  type Way,
} from './faults.ts';
import { answerPage, approveWaiting, propose } from './orders.ts';
import { CONTROL_REGIONS } from './whole-world.ts';

export interface Scenario {
  readonly sentence: string;
  /** How long it is watched, milliseconds. */
  readonly durationMs: number;
  /** When clients lose the active site, so that a recovery is measured; null = they do not. */
  readonly strikesAt: number | null;
  /** Schedules what happens; instants are milliseconds from its beginning. */
  readonly play: (stage: Stage, at: Schedule) => void;
}

export type Schedule = (ms: number, happen: () => void) => void;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The site that serves, and the AWS region it is in. */
function struck({ whole }: Stage): { readonly site: string; readonly location: string } {
  const site = whole.standing?.activeSite ?? whole.policy.primary;
  return { site, location: whole.site(site).place.location };
}

const PLACES_OF_REGIONS = CONTROL_REGIONS.map((region) => `region ${region}`);

/** A partition that lasts four minutes. */
function partition(sentence: string, waysOf: (stage: Stage) => readonly Way[]): Scenario {
  return {
    sentence,
    durationMs: 6 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const ways = waysOf(stage);
      at(0, () => cut(stage, ways, sentence));
      at(4 * MINUTE, () => heal(stage, ways));
    },
  };
}

function placeOf(stage: Stage, site: string): string {
  return stage.whole.site(site).place.name;
}

/** The control region that leads, and the others. */
function leaderAndOthers({ whole }: Stage): readonly [string, readonly string[]] {
  const leader = `region ${whole.leader ?? CONTROL_REGIONS[0]}`;
  return [leader, PLACES_OF_REGIONS.filter((place) => place !== leader)];
}

export const SCENARIOS: { readonly [name: string]: Scenario } = {
  calm: {
    sentence: 'nothing happens for half an hour',
    durationMs: 30 * MINUTE,
    strikesAt: null,
    play: () => undefined,
  },
  'region-loss': {
    sentence: 'the region of the active site is lost with everything in it, and comes back',
    durationMs: 10 * MINUTE,
    strikesAt: 0,
    play: (stage, at) => {
      const { location } = struck(stage);
      at(0, () => loseRegion(stage, location));
      at(6 * MINUTE, () => restoreRegion(stage, location));
    },
  },
  'person-answers': {
    sentence:
      'as region-loss; a person answers the page after 2 min, and begins the failover that did not begin itself',
    durationMs: 12 * MINUTE,
    strikesAt: 0,
    play: (stage, at) => {
      const { location, site } = struck(stage);
      at(0, () => loseRegion(stage, location));
      at(2 * MINUTE, () => answerPage(stage, site));
      // Whoever is asked for a second opinion looks each half minute.
      for (let round = 1; round <= 12; round += 1) {
        at(2 * MINUTE + round * 30 * SECOND, () => approveWaiting(stage));
      }
      at(10 * MINUTE, () => restoreRegion(stage, location));
    },
  },
  'site-loss': {
    sentence: 'the active site is lost, its region lives',
    durationMs: 10 * MINUTE,
    strikesAt: 0,
    play: (stage, at) => {
      const { site } = struck(stage);
      at(0, () => loseSite(stage, site));
      at(6 * MINUTE, () => restoreSite(stage, site));
    },
  },
  'gray-failure': {
    sentence: 'the active site beats on and answers no request; its alarm says so after 20 s',
    durationMs: 8 * MINUTE,
    strikesAt: 0,
    play: (stage, at) => {
      const { site } = struck(stage);
      at(0, () => setGray(stage, site, true));
      at(20 * SECOND, () => alarm(stage, site, ['requests-failing', 'alarm']));
      at(5 * MINUTE, () => setGray(stage, site, false));
      at(5 * MINUTE + 20 * SECOND, () => alarm(stage, site, ['requests-failing', 'ok']));
    },
  },
  flapping: {
    sentence: 'the active site goes away and comes back each 25 s, eight times',
    durationMs: 8 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const { site } = struck(stage);
      for (let round = 0; round < 8; round += 1) {
        at(round * 25 * SECOND, () => loseSite(stage, site));
        at(round * 25 * SECOND + 12 * SECOND, () => restoreSite(stage, site));
      }
    },
  },
  'partition-site': partition('the active site reaches no region, and clients reach it', (stage) =>
    bothWays([placeOf(stage, struck(stage).site)], PLACES_OF_REGIONS),
  ),
  'partition-one-way': partition(
    'beats of the active site arrive, and no answer gets back to it',
    (stage) => PLACES_OF_REGIONS.map((from) => ({ from, to: placeOf(stage, struck(stage).site) })),
  ),
  'partition-partial': partition('the active site reaches one region only', (stage) =>
    bothWays([placeOf(stage, struck(stage).site)], PLACES_OF_REGIONS.slice(1)),
  ),
  'partition-leader': partition('the leading region is cut off from the other two', (stage) => {
    const [leader, others] = leaderAndOthers(stage);
    return bothWays([leader], others);
  }),
  'partition-minority': partition(
    'the leading region and the active site are cut off from the other two regions together',
    (stage) => {
      const [leader, others] = leaderAndOthers(stage);
      return bothWays([leader, placeOf(stage, struck(stage).site)], others);
    },
  ),
  'partition-regions': partition('no region reaches another one', () =>
    PLACES_OF_REGIONS.flatMap((from) =>
      PLACES_OF_REGIONS.filter((to) => to !== from).map((to) => ({ from, to })),
    ),
  ),
  'control-plane-outage': {
    sentence:
      'the region of the active site is lost while the control plane of DNS is away for 3 min',
    durationMs: 10 * MINUTE,
    strikesAt: 10 * SECOND,
    play: (stage, at) => {
      const { location } = struck(stage);
      at(0, () => setControlPlaneAway(stage, true));
      at(10 * SECOND, () => loseRegion(stage, location));
      at(3 * MINUTE, () => setControlPlaneAway(stage, false));
      at(8 * MINUTE, () => restoreRegion(stage, location));
    },
  },
  'clock-skew': {
    sentence:
      'clocks jump by minutes and run 5 % wrong, then the region of the active site is lost',
    durationMs: 10 * MINUTE,
    strikesAt: 2 * MINUTE,
    play: (stage, at) => {
      const { whole } = stage;
      const { location } = struck(stage);
      const random = whole.random;
      at(0, () => {
        for (const region of whole.regions) {
          const jumpMs = Math.round(between(random, -120, 120)) * SECOND;
          const rate = Math.round(between(random, 0.95, 1.05) * 1000) / 1000;
          troubleClock(stage, region.clock, { jumpMs, rate, whose: region.place.name });
        }
      });
      at(2 * MINUTE, () => loseRegion(stage, location));
      at(8 * MINUTE, () => restoreRegion(stage, location));
    },
  },
  'alarm-storm': {
    sentence: 'an alarm of the standby changes its state each 300 ms for a minute',
    durationMs: 4 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const standby = stage.whole.policy.sites.find(({ site }) => site !== struck(stage).site);
      const states = ['alarm', 'ok', 'insufficient-data'] as const;
      for (let round = 0; round < 200 && standby !== undefined; round += 1) {
        const state = states[round % states.length] ?? 'ok';
        at(round * 300, () => alarm(stage, standby.site, ['noise', state]));
      }
    },
  },
  jitter: {
    sentence: 'each beat comes up to 30 % of its interval early or late, for half an hour',
    durationMs: 30 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      at(0, () => {
        for (const { ailment } of stage.whole.sites) {
          ailment.jitterShare = 0.3;
        }
        stage.tell('beats come up to 30 % early or late');
      });
    },
  },
  'mute-agent': {
    sentence: 'the agent of the active site hangs for four minutes, and the site serves on',
    durationMs: 8 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const { ailment, site } = stage.whole.site(struck(stage).site);
      at(0, () => {
        ailment.isMute = true;
        stage.tell(`the agent of ${site} hangs`);
      });
      at(4 * MINUTE, () => {
        ailment.isMute = false;
        stage.tell(`the agent of ${site} beats again`);
      });
    },
  },
  cascade: {
    sentence:
      'whichever site serves is lost a minute after it took over, six times; each is back after 50 s',
    durationMs: 15 * MINUTE,
    strikesAt: 0,
    play: (stage, at) => {
      for (let round = 0; round < 6; round += 1) {
        at(round * 2 * MINUTE, () => {
          const { site } = struck(stage);
          loseSite(stage, site);
          stage.whole.world.after(50 * SECOND, () => restoreSite(stage, site), 'scenario');
        });
      }
    },
  },
  'bad-weather': {
    sentence: 'a tenth of all packets is lost and delays are three times as long, for five minutes',
    durationMs: 8 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const places = [...PLACES_OF_REGIONS, ...stage.whole.sites.map(({ place }) => place.name)];
      for (const place of places) {
        at(0, () => setWeather(stage, place, { loss: 0.1, slowness: 3 }));
        at(5 * MINUTE, () => setWeather(stage, place, { loss: 0, slowness: 1 }));
      }
    },
  },
  'replication-behind': {
    sentence: 'replication falls 90 s behind, then the region of the active site is lost',
    durationMs: 10 * MINUTE,
    strikesAt: MINUTE,
    play: (stage, at) => {
      const { location } = struck(stage);
      at(0, () => {
        stage.whole.lag.extraMs = 90_000;
        stage.tell('replication is 90 s behind');
      });
      at(MINUTE, () => loseRegion(stage, location));
      at(8 * MINUTE, () => restoreRegion(stage, location));
    },
  },
  'planned-return': {
    sentence: 'a person moves the service to the other site, and back when it is steady',
    durationMs: 12 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const { service } = stage.whole.options;
      const common = { service, by: 'simulation', reason: 'a planned move', force: false };
      at(0, () => propose(stage, (at_) => ({ kind: 'failover', at: at_, to: null, ...common })));
      at(6 * MINUTE, () => propose(stage, (at_) => ({ kind: 'failback', at: at_, ...common })));
    },
  },
  drill: {
    sentence: 'a practice run of five minutes: the traffic goes to the standby and comes back',
    durationMs: 15 * MINUTE,
    strikesAt: null,
    play: (stage, at) => {
      const { service } = stage.whole.options;
      const asked = { service, by: 'simulation', reason: 'practice' };
      at(0, () =>
        propose(stage, (now) => ({
          kind: 'drill',
          at: now,
          to: null,
          durationMs: 5 * MINUTE,
          scheduled: false,
          ...asked,
        })),
      );
    },
  },
};

function alarm(
  stage: Stage,
  site: string,
  [name, state]: readonly [string, 'alarm' | 'ok' | 'insufficient-data'],
): void {
  const { service } = stage.whole.options;
  propose(stage, (at) => ({ kind: 'alarm', at, service, site, name, state }));
}
