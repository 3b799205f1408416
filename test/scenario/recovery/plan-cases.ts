/** One case for each plan of each strategy, with what it needs in the world. */
import { planned } from '../../../lib/recovery/planned-step.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import type { EffectWorld } from '../../support/effect-ports.ts';
import type { LogStory } from '../../support/log-story.ts';
import {
  EAST,
  safetyPolicy,
  servicePolicy,
  sitePolicy,
  WEST,
} from '../../support/service-states.ts';
import type { PlanCase } from './interrupted-plan.ts';

const BY = { by: 'ann', reason: 'a test' } as const;
const hook = (site: string) => ({ kind: 'hook', url: `http://${site}.test/scale` }) as const;
const capacityOf = (site: string, standby: number) => ({
  resource: hook(site),
  serving: 6,
  standby,
});
const sized = (standby: number) =>
  [EAST, WEST].map((site) => sitePolicy(site, { capacity: capacityOf(site, standby) }));
const DATABASE = {
  kind: 'rds-replica',
  members: { [EAST]: { region: EAST, instance: 'a' }, [WEST]: { region: WEST, instance: 'b' } },
} as const;
const ORDERS = { region: EAST, table: 'orders' };
const COPY = { region: WEST, table: 'orders-copy' };
const CALM = safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 9 });

const policy = (changes: Partial<ServicePolicy> = {}) =>
  servicePolicy({ safety: CALM, ...changes });

const eastFails = (story: LogStory) => story.say(EAST, 'failed');
const asked = { service: 'checkout', force: false, ...BY } as const;
const failover = (story: LogStory) => {
  story.write({ kind: 'failover', to: WEST, ...asked });
};
const failback = (story: LogStory) => {
  story.say(EAST, 'healthy');
  story.write({ kind: 'failback', ...asked });
};
const growing =
  (standby: number) =>
  ({ actions }: EffectWorld) => {
    actions.addCapacity(hook(EAST), 6);
    actions.addCapacity(hook(WEST), standby);
    actions.addDatabase(DATABASE, EAST);
  };

const OWN_STAGES = [
  [
    planned('copy', { kind: 'snapshot', source: ORDERS }),
    planned('warn', {
      kind: 'notify',
      target: { kind: 'sns', topicArn: 'arn:aws:sns:us-east-1:1:ops' },
      sentence: 'we move',
    }),
  ],
  [
    planned('put-back', { kind: 'restore', source: ORDERS, into: COPY }),
    planned('search', { kind: 'child-plan', service: 'search' }),
  ],
  [
    planned(
      'drain',
      { kind: 'webhook', url: 'http://drain.test/', secretName: null },
      { undo: { kind: 'webhook', url: 'http://undrain.test/', secretName: null } },
    ),
    planned('warm', { kind: 'lambda', region: WEST, functionName: 'warm', payload: {} }),
  ],
  [planned('move', { kind: 'switch' })],
  [planned('settle', { kind: 'hold', forMs: 3000 })],
  [planned('confirm', { kind: 'webhook', url: 'http://confirm.test/', secretName: null })],
] as const;

const ownPlan = policy({
  plans: { failover: { stages: OWN_STAGES, onFailure: 'undo' }, failback: null },
});
const search = policy({ service: 'search', dnsName: 'search.example.test' });

const ownWorld = ({ actions }: EffectWorld) => actions.addTable(ORDERS, [{ id: 1 }]);

const shared = policy({
  strategy: 'active-active',
  sites: [EAST, WEST].map((site) => sitePolicy(site, { weight: 50 })),
  returning: { percents: [10, 100], holdMs: 3000 },
});

export const PLAN_CASES: readonly PlanCase[] = [
  { name: 'hot standby, in an emergency', policies: [policy()], begin: eastFails },
  {
    name: 'hot standby, planned, approved, fenced',
    policies: [policy({ fencing: 'lease', safety: { ...CALM, approval: 'all' } })],
    begin: failover,
  },
  {
    name: 'hot standby, back in steps',
    policies: [policy({ returning: { percents: [10, 50, 100], holdMs: 3000 } })],
    begin: failover,
    next: [failback],
  },
  {
    name: 'warm standby, in an emergency',
    policies: [policy({ strategy: 'warm-standby', sites: sized(1) })],
    prepare: growing(1),
    begin: eastFails,
  },
  {
    name: 'warm standby there and back, with a database and fences',
    policies: [
      policy({
        strategy: 'warm-standby',
        sites: sized(1),
        database: DATABASE,
        fencing: 'lease',
      }),
    ],
    prepare: growing(1),
    begin: failover,
    next: [failback],
  },
  {
    name: 'pilot light, in an emergency, with a database',
    policies: [policy({ strategy: 'pilot-light', sites: sized(0), database: DATABASE })],
    prepare: growing(0),
    begin: eastFails,
  },
  {
    name: 'active-active: a site drops out and comes back by its ramp',
    policies: [shared],
    begin: eastFails,
    next: [
      (story) => {
        story.say(EAST, 'healthy');
        story.waitReviewing(60_000);
      },
    ],
  },
  {
    name: 'active-active: other shares, as asked',
    policies: [shared],
    begin: (story) => {
      story.write({
        kind: 'set-weights',
        service: 'checkout',
        weights: { [EAST]: 80, [WEST]: 20 },
        ...BY,
      });
    },
  },
  {
    name: 'a practice and the way home',
    policies: [policy()],
    begin: (story) => {
      story.write({
        kind: 'drill',
        service: 'checkout',
        to: WEST,
        durationMs: 60_000,
        scheduled: false,
        ...BY,
      });
    },
  },
  {
    name: 'a plan of the owner with everything, and a child',
    policies: [ownPlan, search],
    prepare: ownWorld,
    begin: failover,
  },
  {
    name: 'a plan of the owner that fails in the end and takes everything back',
    policies: [ownPlan, search],
    prepare: (world) => {
      ownWorld(world);
      world.actions.answerWith('http://confirm.test/', {
        kind: 'refused',
        code: 'receiver-refused',
        detail: 'no',
      });
    },
    begin: failover,
  },
];
