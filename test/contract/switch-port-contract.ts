/**
 * What every zone must do through the switch port, whatever serves it: run on the embedded DNS
 * server over real HTTP and UDP, and on the Route 53 adapter over the strict stand-in.
 *
 * Each case works on names of its own, so that all of them share one zone, as services do.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logIndex, term } from '../../lib/base/identifiers.ts';
import { fenceName, formatFence } from '../../lib/recovery/fence.ts';
import { sameRecordSet, sameRecordSets } from '../../lib/recovery/record-set.ts';
import { type SwitchOutcome, switchOnce } from '../../lib/recovery/switch-once.ts';
import { intendedSets, leadSite, type SwitchIntent } from '../../lib/recovery/switch-plan.ts';
import type {
  Change,
  RecordSet,
  RecordType,
  SwitchPort,
  VerifyPort,
} from '../../lib/recovery/switch-port.ts';

export interface SwitchPortHarness {
  readonly port: SwitchPort;
  /** Apex of the zone. */
  readonly origin: string;
  /** Asks what DNS clients get; null where the zone answers no DNS, with the reason. */
  readonly resolve: VerifyPort['resolve'] | { readonly absentBecause: string };
  /** The next change is applied, but its answer never arrives. */
  readonly loseNextReply: () => void;
  /** The zone is busy with another change until the returned function is called. */
  readonly makeBusy: () => Promise<() => Promise<void>>;
  /** Lets a change reach every server. */
  readonly settle: () => void;
  readonly close: () => Promise<void>;
}

type HarnessOf = () => SwitchPortHarness;

export function switchPortContract(name: string, start: () => Promise<SwitchPortHarness>): void {
  describe(`switch port: ${name}`, () => {
    let harness: SwitchPortHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.close());

    readCases(() => harness);
    batchCases(() => harness);
    doubtCases(() => harness);
    switchCases(() => harness);
    sharingCases(() => harness);
    raceCases(() => harness);
  });
}

let namesUsed = 0;
function freshName({ origin }: SwitchPortHarness): string {
  namesUsed += 1;
  return `service-${namesUsed}.${origin}`;
}

function readCases(harnessOf: HarnessOf): void {
  test('a name that holds nothing reads as nothing', async () => {
    const harness = harnessOf();
    expect(await standing(harness, freshName(harness))).toEqual([]);
  });

  test('reading a name returns its own record sets, none of its neighbours', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    const neighbours = [`a.${name}`, `x${name}`, `${name.replace('.', '-a.')}`, `_a.${name}`];
    const mine = [set(name, 'A', ['192.0.2.1', '192.0.2.2']), set(name, 'TXT', ['mine'])];
    await apply(harness, [
      ...create(...mine),
      ...create(...neighbours.map((other) => set(other, 'A', ['192.0.2.9']))),
    ]);
    const read = await standing(harness, name);
    expect(read).toHaveLength(2);
    for (const recordSet of mine) {
      expect(read.some((other) => sameRecordSet(other, recordSet))).toBe(true);
    }
  });

  test('names are read in any letter case, with or without the trailing dot', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    await apply(harness, create(set(name, 'A', ['192.0.2.1'])));
    const read = await standing(harness, `${name.toUpperCase()}.`);
    expect(read.map((recordSet) => recordSet.name)).toEqual([name]);
  });

  test('any text of a TXT record comes back as it was given, and can be deleted', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    const texts = [
      'v=tp1 term=3 index=42 site=a run=b',
      'a "quoted" \\ path',
      'x'.repeat(600),
      'é;☃\t',
      ' ',
    ];
    let old: RecordSet = set(name, 'TXT', texts);
    await apply(harness, create(old));
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }),
        async (text) => {
          const next = set(name, 'TXT', [text]);
          await apply(harness, [{ action: 'DELETE', recordSet: old }, ...create(next)]);
          old = next;
          expect((await standing(harness, name)).map(({ values }) => values)).toEqual([[text]]);
        },
      ),
      { numRuns: 25, seed: 7 },
    );
  });
}

function batchCases(harnessOf: HarnessOf): void {
  test('one bad change leaves the whole batch undone', async () => {
    const harness = harnessOf();
    const [good, bad, other] = [freshName(harness), freshName(harness), freshName(harness)];
    const outcome = await harness.port.change(
      [
        ...create(set(good, 'A', ['192.0.2.1'])),
        { action: 'DELETE', recordSet: set(bad, 'A', ['192.0.2.2']) },
        ...create(set(bad, 'A', ['192.0.2.3']), set(other, 'A', ['192.0.2.4'])),
      ],
      'contract',
    );
    expect(outcome.kind).toBe('conflict');
    for (const name of [good, bad, other]) {
      expect(await standing(harness, name)).toEqual([]);
    }
  });

  test.each<readonly [string, (standing: RecordSet) => RecordSet]>([
    ['another TTL', (recordSet) => ({ ...recordSet, ttlSeconds: recordSet.ttlSeconds + 1 })],
    ['a value missing', (recordSet) => ({ ...recordSet, values: recordSet.values.slice(1) })],
    [
      'a value too many',
      (recordSet) => ({ ...recordSet, values: [...recordSet.values, '192.0.2.7'] }),
    ],
    ['another value', (recordSet) => ({ ...recordSet, values: ['192.0.2.7', '192.0.2.8'] })],
  ])('a DELETE with %s conflicts and changes nothing', async (_, distort) => {
    const harness = harnessOf();
    const name = freshName(harness);
    const recordSet = set(name, 'A', ['192.0.2.1', '192.0.2.2']);
    await apply(harness, create(recordSet));
    const batch = replace(distort(recordSet), set(name, 'A', ['192.0.2.9']));
    expect((await harness.port.change(batch, 'contract')).kind).toBe('conflict');
    await expectStanding(harness, name, [recordSet]);
  });

  test('a DELETE that lists the values in another order applies', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    await apply(harness, create(set(name, 'A', ['192.0.2.1', '192.0.2.2'])));
    const old = set(name, 'A', ['192.0.2.2', '192.0.2.1']);
    await apply(harness, replace(old, set(name, 'A', ['192.0.2.3'])));
    expect(await standing(harness, name)).toEqual([set(name, 'A', ['192.0.2.3'])]);
  });

  test('a CREATE of what exists conflicts, also with the very same content', async () => {
    const harness = harnessOf();
    const recordSet = set(freshName(harness), 'A', ['192.0.2.1']);
    await apply(harness, create(recordSet));
    expect((await harness.port.change(create(recordSet), 'contract')).kind).toBe('conflict');
  });

  test('a CNAME beside another record conflicts, in either order', async () => {
    const harness = harnessOf();
    const [first, second] = [freshName(harness), freshName(harness)];
    await apply(harness, create(set(first, 'A', ['192.0.2.1']), set(second, 'CNAME', ['a.test'])));
    const alias = await harness.port.change(create(set(first, 'CNAME', ['a.test'])), 'contract');
    const address = await harness.port.change(create(set(second, 'A', ['192.0.2.1'])), 'contract');
    expect([alias.kind, address.kind]).toEqual(['conflict', 'conflict']);
  });

  test('a batch that would leave a name empty is refused and changes nothing', async () => {
    const harness = harnessOf();
    const recordSet = set(freshName(harness), 'A', ['192.0.2.1']);
    await apply(harness, create(recordSet));
    const outcome = await harness.port.change([{ action: 'DELETE', recordSet }], 'contract');
    expect(outcome).toMatchObject({ kind: 'refused', code: 'would-empty-name' });
    expect(await standing(harness, recordSet.name)).toEqual([recordSet]);
  });

  test('a name outside the zone is refused, not a conflict to retry', async () => {
    const batch = create(set('service.elsewhere.example', 'A', ['192.0.2.1']));
    expect((await harnessOf().port.change(batch, 'contract')).kind).toBe('refused');
  });

  test('an address that is none is refused, not a conflict to retry', async () => {
    const harness = harnessOf();
    const batch = create(set(freshName(harness), 'A', ['999.0.2.1']));
    expect((await harness.port.change(batch, 'contract')).kind).toBe('refused');
  });

  test('an applied change ends in sync', async () => {
    const harness = harnessOf();
    const outcome = await harness.port.change(
      create(set(freshName(harness), 'A', ['192.0.2.1'])),
      'contract',
    );
    if (outcome.kind !== 'applied') {
      throw new Error(`not applied: ${JSON.stringify(outcome)}`);
    }
    harness.settle();
    expect(await harness.port.changeStatus(outcome.changeId)).toEqual({ kind: 'in-sync' });
  });

  test('a change that nobody made has no known status', async () => {
    expect((await harnessOf().port.changeStatus('C99999999')).kind).toBe('unknown');
  });
}

function doubtCases(harnessOf: HarnessOf): void {
  test('a lost answer is unknown, and the next read shows that the change was applied', async () => {
    const harness = harnessOf();
    const recordSet = set(freshName(harness), 'A', ['192.0.2.1']);
    harness.loseNextReply();
    expect((await harness.port.change(create(recordSet), 'contract')).kind).toBe('unknown');
    expect(await standing(harness, recordSet.name)).toEqual([recordSet]);
  });

  test('a switch whose answer is lost finds its own fence and is done', async () => {
    const harness = harnessOf();
    const intent = intentFor(freshName(harness), { index: 5 });
    harness.loseNextReply();
    expect(await runSwitch(harness, intent)).toMatchObject({ kind: 'done', changeId: null });
    await expectSwitched(harness, intent);
  });

  test('while the zone works on another change a change is busy and not applied', async () => {
    const harness = harnessOf();
    const recordSet = set(freshName(harness), 'A', ['192.0.2.1']);
    const release = await harness.makeBusy();
    const outcome = await harness.port.change(create(recordSet), 'contract');
    await release();
    expect(outcome.kind).toBe('busy');
    expect(await standing(harness, recordSet.name)).toEqual([]);
  });

  test('a switch that meets a busy zone waits and is done when the zone is free', async () => {
    const harness = harnessOf();
    const intent = intentFor(freshName(harness), { index: 5 });
    const release = await harness.makeBusy();
    const waits: number[] = [];
    const sleep = async (durationMs: number) => {
      waits.push(durationMs);
      if (waits.length === 2) {
        await release();
      }
    };
    const outcome = await switchOnce(harness.port, intent, { clock: { sleep }, random: () => 0.5 });
    expect(outcome.kind).toBe('done');
    expect(waits).toHaveLength(2);
  });
}

function switchCases(harnessOf: HarnessOf): void {
  test('the first switch of a name creates the address and the fence', async () => {
    const harness = harnessOf();
    const intent = intentFor(freshName(harness), { index: 1 });
    expect((await runSwitch(harness, intent)).kind).toBe('done');
    await expectSwitched(harness, intent);
  });

  test('an address that stood without a fence is adopted', async () => {
    const harness = harnessOf();
    const intent = intentFor(freshName(harness), { index: 1 });
    await apply(harness, create(set(intent.dnsName, 'A', ['198.51.100.1', '198.51.100.2'])));
    expect((await runSwitch(harness, intent)).kind).toBe('done');
    await expectSwitched(harness, intent);
  });

  test('repeating a switch changes nothing and says done', async () => {
    const harness = harnessOf();
    const intent = intentFor(freshName(harness), { index: 1 });
    await runSwitch(harness, intent);
    expect(await runSwitch(harness, intent)).toEqual({ kind: 'done', changeId: null, batch: [] });
  });

  test('a switch of an older epoch is stale and changes nothing', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    const newer = intentFor(name, { index: 9, address: '192.0.2.9', site: 'us-west-2' });
    await runSwitch(harness, newer);
    const late = await runSwitch(harness, intentFor(name, { index: 8 }));
    expect(late).toMatchObject({ kind: 'stale', standing: { site: 'us-west-2', run: newer.run } });
    await expectSwitched(harness, newer);
  });

  test('a batch planned before a newer switch fails as a whole when it is sent after it', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    const first = intentFor(name, { index: 1 });
    await runSwitch(harness, first);
    const newer = intentFor(name, { index: 3, address: '192.0.2.3' });
    await runSwitch(harness, newer);
    const delayed = replaceOf(first, intentFor(name, { index: 2, address: '192.0.2.2' }));
    expect((await harness.port.change(delayed, 'a worker that slept')).kind).toBe('conflict');
    await expectSwitched(harness, newer);
  });

  test('what a switch wrote is what DNS answers, and the fence can be read there', async ({
    skip,
  }) => {
    const harness = harnessOf();
    const { resolve } = harness;
    if (typeof resolve !== 'function') {
      return skip(resolve.absentBecause);
    }
    const intent = intentFor(freshName(harness), { index: 1 });
    await runSwitch(harness, intent);
    expect(await resolve(intent.dnsName, 'A')).toEqual({ kind: 'resolved', values: ['192.0.2.1'] });
    expect(await resolve(fenceName(intent.dnsName), 'TXT')).toEqual({
      kind: 'resolved',
      values: [fenceOf(intent)],
    });
  });
}

const SITES = ['us-east-1', 'us-west-2', 'eu-west-1'] as const;

function shared(dnsName: string, index: number, weights: readonly number[]): SwitchIntent {
  const targets = SITES.map((site, place) => {
    return { site, address: `192.0.2.${place + 1}`, weight: weights[place] ?? 0 };
  });
  return { ...intentFor(dnsName, { index }), targets };
}

const NO_WEIGHTS = 'the server knows no weights; even shares are tested on it';

function sharingCases(harnessOf: HarnessOf): void {
  test('even shares stand as the zone can have them, and one site takes all again', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    for (const [index, weights] of [[100], [50, 50], [0, 0, 100], [34, 34, 34], [100]].entries()) {
      const intent = shared(name, index + 1, weights);
      expect((await runSwitch(harness, intent)).kind).toBe('done');
      await expectSwitched(harness, intent);
    }
  });

  test('uneven shares are refused where there are no weights, and nothing is changed', async ({
    skip,
  }) => {
    const harness = harnessOf();
    const intent = shared(freshName(harness), 1, [90, 10]);
    if (harness.port.sharing !== 'even') {
      return skip('the zone knows weights');
    }
    expect(await runSwitch(harness, intent)).toMatchObject({ code: 'weights-unsupported' });
    const [first] = intendedSets(intent);
    const sent = await harness.port.change(create(...(first ? [first] : [])), 'contract');
    expect(sent).toMatchObject({ kind: 'refused', code: 'weights-unsupported' });
    expect(await standing(harness, intent.dnsName)).toEqual([]);
  });

  test('shares move step by step, each step one batch, plain at both ends', async ({ skip }) => {
    const harness = harnessOf();
    if (harness.port.sharing === 'even') {
      return skip(NO_WEIGHTS);
    }
    const name = freshName(harness);
    const steps = [[100], [99, 1], [90, 10], [50, 30, 20], [0, 60, 40], [0, 100]];
    for (const [index, weights] of steps.entries()) {
      const intent = shared(name, index + 1, weights);
      expect((await runSwitch(harness, intent)).kind).toBe('done');
      await expectSwitched(harness, intent);
    }
  });

  test('a batch that expects another weight fails as a whole', async ({ skip }) => {
    const harness = harnessOf();
    if (harness.port.sharing === 'even') {
      return skip(NO_WEIGHTS);
    }
    const name = freshName(harness);
    const stands = shared(name, 1, [90, 10]);
    await runSwitch(harness, stands);
    const other = { ...stands, targets: shared(name, 1, [89, 10]).targets };
    const late = replaceOf(other, shared(name, 2, [0, 100]));
    expect((await harness.port.change(late, 'contract')).kind).toBe('conflict');
    await expectSwitched(harness, stands);
  });

  test('a plain set beside a weighted one conflicts, in either order', async ({ skip }) => {
    const harness = harnessOf();
    if (harness.port.sharing === 'even') {
      return skip(NO_WEIGHTS);
    }
    const [first, second] = [freshName(harness), freshName(harness)];
    const weighted = (name: string): RecordSet => {
      return { ...set(name, 'A', ['192.0.2.1']), weighted: { id: 'us-east-1', weight: 1 } };
    };
    await apply(harness, create(weighted(first), set(second, 'A', ['192.0.2.1'])));
    const plain = await harness.port.change(create(set(first, 'A', ['192.0.2.2'])), 'contract');
    const share = await harness.port.change(create(weighted(second)), 'contract');
    expect([plain.kind, share.kind]).toEqual(['conflict', 'conflict']);
  });

  test('aliases are shared too, where addresses are', async ({ skip }) => {
    const harness = harnessOf();
    if (harness.port.sharing === 'even') {
      return skip(NO_WEIGHTS);
    }
    const base = shared(freshName(harness), 1, [60, 40]);
    const targets = base.targets.map((one) => ({ ...one, address: `${one.site}.example.net` }));
    const intent: SwitchIntent = { ...base, recordType: 'CNAME', targets };
    expect((await runSwitch(harness, intent)).kind).toBe('done');
    await expectSwitched(harness, intent);
  });
}

const ROUNDS = 20;
const WRITERS = 4;

function raceCases(harnessOf: HarnessOf): void {
  test(`of ${WRITERS} writers on the same ground exactly one wins, ${ROUNDS} times`, async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    let ground = set(name, 'A', ['192.0.2.200']);
    await apply(harness, create(ground));
    for (let round = 0; round < ROUNDS; round += 1) {
      const targets = Array.from({ length: WRITERS }, (_, writer) =>
        set(name, 'A', [`192.0.2.${(round % 2) * WRITERS + writer}`]),
      );
      const outcomes = await Promise.all(
        targets.map((target) => harness.port.change(replace(ground, target), 'race')),
      );
      const winners = targets.filter((_, writer) => outcomes[writer]?.kind === 'applied');
      const losses = outcomes.filter(({ kind }) => kind === 'conflict' || kind === 'busy');
      expect([winners.length, losses.length]).toEqual([1, WRITERS - 1]);
      expect(await standing(harness, name)).toEqual(winners);
      ground = winners[0] ?? ground;
    }
  });

  test('of concurrent switches the newest epoch always stands in the end', async () => {
    const harness = harnessOf();
    const name = freshName(harness);
    for (let round = 0; round < 8; round += 1) {
      const intents = [3, 1, 4, 2].map((place) => {
        const index = round * 10 + place;
        return round % 2 === 0
          ? intentFor(name, { index, address: `192.0.2.${place}` })
          : shared(name, index, place % 2 === 0 ? [50, 50] : [0, 50, 50]);
      });
      const outcomes = await Promise.all(intents.map((intent) => runSwitch(harness, intent)));
      const newest = intents[2];
      expect(outcomes[2]?.kind).toBe('done');
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        outcomes.map(({ kind }) => (kind === 'done' ? 'done' : 'stale')),
      );
      await expectSwitched(harness, newest);
    }
  });
}

function runSwitch({ port }: SwitchPortHarness, intent: SwitchIntent): Promise<SwitchOutcome> {
  // The zones here work a hundred times faster than Route 53 does; so the back-off is shorter too.
  const sleep = (durationMs: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, durationMs / 10));
  return switchOnce(port, intent, { clock: { sleep }, random: seededRandom });
}

/** mulberry32, so that a run that failed fails again. */
let randomState = 42;
function seededRandom(): number {
  randomState = (randomState + 0x6d2b79f5) | 0;
  let mixed = Math.imul(randomState ^ (randomState >>> 15), 1 | randomState);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

interface IntentParts {
  readonly index: number;
  readonly address?: string;
  readonly site?: string;
}

function intentFor(dnsName: string, { index, address, site }: IntentParts): SwitchIntent {
  return {
    dnsName,
    recordType: 'A',
    ttlSeconds: 5,
    targets: [{ site: site ?? 'us-east-1', address: address ?? '192.0.2.1', weight: 100 }],
    epoch: { term: term(1), index: logIndex(index) },
    run: `checkout-${index}`,
  };
}

function fenceOf({ epoch, targets, run }: SwitchIntent): string {
  return formatFence({ epoch, site: leadSite(targets), run });
}

async function expectSwitched(
  harness: SwitchPortHarness,
  intent: SwitchIntent | undefined,
): Promise<void> {
  expect(intent).toBeDefined();
  if (intent !== undefined) {
    const { dnsName } = intent;
    await expectStanding(harness, dnsName, intendedSets(intent, harness.port.sharing));
    expect(await standing(harness, fenceName(dnsName))).toEqual([
      set(fenceName(dnsName), 'TXT', [fenceOf(intent)]),
    ]);
  }
}

function replaceOf(old: SwitchIntent, next: SwitchIntent): readonly Change[] {
  const { dnsName } = old;
  const fence = (intent: SwitchIntent) => set(fenceName(dnsName), 'TXT', [fenceOf(intent)]);
  return [
    ...intendedSets(old).map((recordSet): Change => ({ action: 'DELETE', recordSet })),
    ...create(...intendedSets(next)),
    ...replace(fence(old), fence(next)),
  ];
}

/** In any order, as DNS has none. */
async function expectStanding(
  harness: SwitchPortHarness,
  name: string,
  wanted: readonly RecordSet[],
): Promise<void> {
  const stands = await standing(harness, name);
  expect(sameRecordSets(stands, wanted) ? wanted : stands).toEqual(wanted);
}

async function standing({ port }: SwitchPortHarness, name: string): Promise<readonly RecordSet[]> {
  const outcome = await port.read([name]);
  if (outcome.kind !== 'read') {
    throw new Error(`not read: ${JSON.stringify(outcome)}`);
  }
  expect(outcome.foreign).toEqual([]);
  return outcome.recordSets;
}

async function apply({ port }: SwitchPortHarness, batch: readonly Change[]): Promise<void> {
  expect(await port.change(batch, 'contract')).toMatchObject({ kind: 'applied' });
}

function set(name: string, type: RecordType, values: readonly string[]): RecordSet {
  return { name, type, ttlSeconds: 5, values };
}

function create(...recordSets: readonly RecordSet[]): readonly Change[] {
  return recordSets.map((recordSet) => ({ action: 'CREATE', recordSet }));
}

function replace(old: RecordSet, next: RecordSet): readonly Change[] {
  return [{ action: 'DELETE', recordSet: old }, ...create(next)];
}
