/**
 * A worker dies in the middle of a failover: after its claim, after the effect, after the result, in
 * every step. Others go on from the log, in the same world or in one that has changed meanwhile.
 * What must hold each time: the run ends once, DNS is switched once, and it stands as the log says.
 */
import { describe, expect, test } from 'vitest';
import { reportKeys } from '../../../lib/control/step-effects/report.ts';
import { switchOnce } from '../../../lib/recovery/switch-once.ts';
import { EAST, safetyPolicy, servicePolicy, WEST } from '../../support/service-states.ts';
import {
  ADDRESS_OF,
  type Cut,
  heldChange,
  interruptedFailover,
  NAME,
  type Place,
  type Stage,
} from './interrupted-run.ts';

const STEPS: readonly string[] = ['switch', 'propagate', 'verify', 'report'];
const PLACES: readonly Place[] = ['after-claim', 'after-effect', 'after-result'];
const CUTS: readonly (readonly [string, Cut])[] = STEPS.flatMap((step) =>
  PLACES.map((place) => [`${place} of ${step}`, { step, place }] as const),
);
const WEST_PROBE = `http://${WEST}.example.test/health`;
const BY = { by: 'ann', reason: 'a test' } as const;
const NO_HOLD_DOWN = { safety: safetyPolicy({ holdDownMs: 0, automaticRunsPerDayMax: 9 }) };
const FOREIGN_ADDRESS = '203.0.113.7';

/** Whether the result of this step is in the log at the cut. */
const isRecorded = (cut: Cut, step: string) =>
  cut.place === 'after-result'
    ? STEPS.indexOf(cut.step) >= STEPS.indexOf(step)
    : STEPS.indexOf(cut.step) > STEPS.indexOf(step);

function endings({ story, run }: Stage): readonly string[] {
  const { id } = run();
  return story
    .state()
    .timeline.filter(
      ({ kind, sentence }) => /^run-(done|failed)$/.test(kind) && sentence.includes(` ${id} `),
    )
    .map(({ kind }) => kind);
}

/** DNS says what the log says, by the authority of the newest run. */
function expectDnsAsLogged({ story, zone }: Stage): void {
  const { activeSite, epoch } = story.service();
  expect(zone.addresses(NAME)).toEqual([ADDRESS_OF[activeSite]]);
  expect(zone.fence(NAME)).toMatchObject({ kind: 'fence', fence: { epoch, site: activeSite } });
}

describe('the world stays as it is', () => {
  test.each(CUTS)('%s: another worker ends the run', async (_, cut) => {
    const stage = await interruptedFailover(cut);
    await stage.untilOver();
    expect(stage.run().outcome).toMatchObject({ kind: 'done', exceptions: [] });
    expect(endings(stage)).toEqual(['run-done']);
    expect(stage.zone.applied).toHaveLength(1);
    expectDnsAsLogged(stage);
    expect(stage.story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: WEST });
    expect(stage.store.keys()).toEqual(Object.values(reportKeys(stage.run().id)));
  });

  test.each(CUTS)('%s: the worker that wakes up late changes nothing', async (_, cut) => {
    const stage = await interruptedFailover(cut);
    await stage.untilOver();
    const { story, zone } = stage;
    const before = { state: story.state(), applied: [...zone.applied] };
    stage.thaw();
    await stage.pass(60_000);
    expect(zone.applied).toEqual(before.applied);
    expect(story.state().runs).toEqual(before.state.runs);
    expect(endings(stage)).toEqual(['run-done']);
    expectDnsAsLogged(stage);
  });
});

describe('the target fails meanwhile', () => {
  test.each(CUTS)('%s: the run ends at once, and the next site takes over', async (_, cut) => {
    const stage = await interruptedFailover(cut, NO_HOLD_DOWN);
    const { story, zone } = stage;
    const isVerified = isRecorded(cut, 'verify');
    zone.down.add(WEST_PROBE);
    story.wait(1000);
    // Back before the other failed: two that were failed at once would settle first.
    story.say(EAST, 'healthy');
    story.say(WEST, 'failed');
    const startedAt = stage.clock.wallNow();
    await stage.untilOver();
    expect(stage.clock.wallNow() - startedAt).toBeLessThan(60_000);
    expect(stage.run().outcome).toMatchObject(
      isVerified ? { kind: 'done' } : { kind: 'failed', code: 'superseded-by-newer-run' },
    );
    expect(endings(stage)).toHaveLength(1);
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
    expect(story.run()).toMatchObject({ from: WEST, to: EAST, outcome: { kind: 'done' } });
    // Overtaken before it was done, the first switch is never made.
    const isNeverMade = cut.step === 'switch' && cut.place === 'after-claim';
    expect(zone.applied).toHaveLength(isNeverMade ? 1 : 2);
    expectDnsAsLogged(stage);
  });
});

describe('the zone loses an answer meanwhile', () => {
  test.each(CUTS)('%s: the change is found, not made again', async (_, cut) => {
    const stage = await interruptedFailover(cut);
    stage.zone.fault = 'answer-lost';
    await stage.untilOver();
    expect(stage.run().outcome.kind).toBe('done');
    expect(stage.zone.applied).toHaveLength(1);
    expectDnsAsLogged(stage);
  });

  test('the zone is away for minutes: the run waits and ends when it is back', async () => {
    const stage = await interruptedFailover({ step: 'switch', place: 'after-claim' });
    stage.zone.fault = 'away';
    await stage.pass(120_000);
    expect(stage.run().outcome.kind).toBe('open');
    stage.zone.fault = null;
    await stage.untilOver();
    expect(stage.run().outcome.kind).toBe('done');
    expect(stage.zone.applied).toHaveLength(1);
  });

  test('the zone is away for good: the run fails, and says that a person is needed', async () => {
    const stage = await interruptedFailover({ step: 'switch', place: 'after-claim' });
    stage.zone.fault = 'away';
    await stage.untilOver();
    expect(stage.run().outcome).toMatchObject({
      kind: 'failed',
      code: 'switch: dns-did-not-answer',
    });
    expect(stage.story.service().phase).toEqual({ kind: 'impaired', cause: 'run-failed' });
  });
});

describe('a person changes DNS meanwhile', () => {
  const cuts = CUTS.filter(([, { step, place }]) => step !== 'switch' || place !== 'after-claim');

  test.each(cuts)('%s: it is never overwritten by the run', async (_, cut) => {
    const stage = await interruptedFailover(cut);
    const { story, zone } = stage;
    zone.editByHand(NAME, FOREIGN_ADDRESS);
    await stage.untilOver();
    expect(zone.addresses(NAME)).toEqual([FOREIGN_ADDRESS]);
    expect(zone.switches()).toHaveLength(1);
    expect(endings(stage)).toHaveLength(1);
    const isSeen = !isRecorded(cut, 'propagate');
    expect(stage.run().outcome.kind).toBe(isSeen ? 'failed' : 'done');
    expect(story.service().phase.kind).toBe(isSeen ? 'impaired' : 'steady');
  });

  test('asked for again by a person, a new run takes the name back', async () => {
    const stage = await interruptedFailover({ step: 'switch', place: 'after-effect' });
    const { story, zone } = stage;
    zone.editByHand(NAME, FOREIGN_ADDRESS);
    await stage.untilOver();
    expect(stage.run().outcome).toMatchObject({ code: 'switch: changed-outside' });
    const again = { kind: 'failover', service: 'checkout', to: WEST, force: false, ...BY } as const;
    expect(story.write(again)).toMatchObject({ kind: 'accepted' });
    await stage.untilOver();
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: WEST });
    expectDnsAsLogged(stage);
  });
});

describe('a person switches meanwhile', () => {
  const failback = { kind: 'failback', service: 'checkout', force: false, ...BY } as const;

  test.each(CUTS)(
    '%s: not while the run is open, and after it the old worker is fenced',
    async (_, cut) => {
      const stage = await interruptedFailover(cut);
      const { story, zone } = stage;
      story.say(EAST, 'healthy');
      const asked = story.write(failback);
      const isOver = stage.run().outcome.kind !== 'open';
      expect(asked).toMatchObject(
        isOver ? { kind: 'accepted' } : { kind: 'refused', code: 'run-in-progress' },
      );
      await stage.untilOver();
      expect(isOver || story.write(failback).kind === 'accepted').toBe(true);
      await stage.untilOver();
      expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
      stage.thaw();
      await stage.pass(60_000);
      expect(zone.applied).toHaveLength(2);
      expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
      expectDnsAsLogged(stage);
    },
  );

  test.each(CUTS)('%s: by force, past the open run, whose worker is fenced', async (_, cut) => {
    const stage = await interruptedFailover(cut);
    const { story } = stage;
    story.say(EAST, 'healthy');
    const asked = story.write({ ...failback, force: true });
    expect(asked).toMatchObject({ kind: 'accepted', code: 'failback-authorised' });
    expect(stage.run().outcome.kind).not.toBe('open');
    await stage.untilOver();
    stage.thaw();
    await stage.pass(60_000);
    expect(endings(stage)).toHaveLength(1);
    expect(story.run()).toMatchObject({ kind: 'failback', outcome: { kind: 'done' } });
    expect(story.service()).toMatchObject({ phase: { kind: 'steady' }, activeSite: EAST });
    expectDnsAsLogged(stage);
  });

  test('a change that was read for before and arrives after is refused as a whole', async () => {
    const stage = await interruptedFailover({ step: 'switch', place: 'after-claim' });
    const { story, zone, clock } = stage;
    const { port, release } = heldChange(zone.switchPort);
    const { policy } = story.service();
    const intent = {
      dnsName: policy.dnsName,
      recordType: policy.recordType,
      ttlSeconds: policy.ttlSeconds,
      targets: [{ site: WEST, address: ADDRESS_OF[WEST] ?? '', weight: 100 }],
      epoch: stage.run().epoch,
      run: stage.run().id,
    };
    const late = switchOnce(port, intent, { clock, random: () => 0.5 });
    await clock.advance(0);
    await stage.untilOver();
    story.say(EAST, 'healthy');
    story.write(failback);
    await stage.untilOver();
    expectDnsAsLogged(stage);
    release();
    expect(await late).toMatchObject({ kind: 'stale', standing: { site: EAST } });
    expect(zone.applied).toHaveLength(2);
    expectDnsAsLogged(stage);
  });
});

test('the sites of these scenarios have the addresses that the scenarios expect', () => {
  const addresses = servicePolicy().sites.map(({ site, address }) => [site, address]);
  expect(Object.fromEntries(addresses)).toEqual(ADDRESS_OF);
});
