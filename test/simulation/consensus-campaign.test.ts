/**
 * Seeded lives of a whole cluster, as many as fit into a test run; `npm run simulate` goes on.
 *
 * And the proof that the checks can fail: twins whose stores break one promise each must be found out.
 */
import { describe, expect, test } from 'vitest';
import { logIndex, regionId } from '../../lib/base/identifiers.ts';
import type { Copy, RegisterPort, RegisterRead } from '../../lib/consensus/register-port.ts';
import { runCampaign } from '../../lib/simulation/campaign.ts';
import { runConsensus } from '../../lib/simulation/consensus-run.ts';
import type { HistoryOperation } from '../../lib/simulation/history.ts';
import { checkLinearizability } from '../../lib/simulation/linearizability.ts';
import { seededRandom } from '../../lib/simulation/random.ts';
import type { Sabotage } from '../../lib/simulation/simulated-cluster.ts';

const SEEDS = 200;
/** Once in some hundred lives; a campaign of 1,000 must meet them too. */
const RARE = [
  'lateBases',
  'lateVotes',
  'ambush at readSnapshot',
  'ambush at writeSnapshot',
  'ambush at dropSnapshotsBelow',
];

test(`${SEEDS} lives keep every promise, and meet every fault`, async () => {
  const result = await runCampaign({ seeds: SEEDS, firstSeed: 1, onProgress: () => undefined });
  expect(result.failures).toEqual([]);
  expect(result.missingFaults.filter((kind) => !RARE.includes(kind))).toEqual([]);
  expect(result.compactions).toBeGreaterThan(SEEDS / 2);
  expect(result.acknowledged).toBeGreaterThan(20 * SEEDS);
});

describe('one seed is one life', () => {
  const lifeOf = async (seed: number) => {
    const events: string[] = [];
    const result = await runConsensus({ seed, onEvent: (line) => events.push(line) });
    return { events, result };
  };

  test.each([1, 2, 3, 4])('seed %i twice is the same trace, byte for byte', async (seed) => {
    const once = await lifeOf(seed);
    const again = await lifeOf(seed);
    expect(again.events.join('\n')).toBe(once.events.join('\n'));
    expect(again.result).toEqual(once.result);
    expect(once.events.length).toBeGreaterThan(once.result.events);
  });

  test('and other seeds are other lives', async () => {
    const traces = new Set<string>();
    for (const seed of [1, 2, 3, 4]) {
      traces.add((await runConsensus({ seed })).trace);
    }
    expect(traces.size).toBe(4);
  });
});

test('the history of a life is linearizable, and would not be with one answer changed', async () => {
  let history: readonly HistoryOperation[] = [];
  await runConsensus({
    seed: 3,
    onHistory: (operations) => {
      history = operations;
    },
  });
  expect(checkLinearizability(history).kind).toBe('ok');
  const place = history.findLastIndex(({ op, outcome }) => op.kind === 'read' && outcome === 'ok');
  expect(place).toBeGreaterThan(0);
  const lied = history.map((operation, at) =>
    at === place ? { ...operation, result: 'never written' } : operation,
  );
  expect(checkLinearizability(lied).kind).toBe('illegal');
});

/** How many lives may go by before a twin is found out. */
const TWIN_SEEDS = 10;

/** What the lives of a twin end with: codes of violations; a life that goes well adds none. */
async function violationsOf(sabotage: () => Sabotage): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let seed = 1; seed <= TWIN_SEEDS; seed += 1) {
    await runConsensus({ seed, sabotage: sabotage() }).catch((thrown: unknown) => {
      codes.push(thrown instanceof Error ? thrown.message : String(thrown));
    });
  }
  return codes;
}

describe('a cluster is found out whose stores', () => {
  test('answer "applied" and write nothing, now and then', async () => {
    const forgetful = () => {
      const random = seededRandom(20_261_123);
      return (port: RegisterPort): RegisterPort => ({
        ...port,
        compareAndSet: async (expected, server) =>
          random() < 0.03 ? { kind: 'applied' } : port.compareAndSet(expected, server),
      });
    };
    expect((await violationsOf(forgetful)).length).toBeGreaterThanOrEqual(TWIN_SEEDS / 2);
  });

  test('let the last writer win, as a global table does', async () => {
    const lastWriterWins = (): Sabotage => (port) => ({
      ...port,
      compareAndSet: async (_, server) => {
        const read = await port.read();
        const revision = read.kind === 'found' ? read.copy.revision : 0;
        return port.compareAndSet(revision, server);
      },
    });
    const codes = await violationsOf(lastWriterWins);
    expect(codes.length).toBe(TWIN_SEEDS);
    expect(codes.join()).toMatch(/committed-on-a-minority|two-leaders|register-\w+-fell|diverge/);
  });

  test('read what stood there a moment ago, as an eventually consistent read does', async () => {
    const eventual = (): Sabotage => (port) => {
      const seen: RegisterRead[] = [];
      return {
        ...port,
        read: async () => {
          seen.push(await port.read());
          return seen.at(-2) ?? port.read();
        },
      };
    };
    const codes = await violationsOf(eventual);
    expect(codes.join()).toMatch(/stale-read|went back|register-halted/);
  });

  test('lose the snapshot that a base points at', async () => {
    const losing = (): Sabotage => (port) => ({
      ...port,
      writeSnapshot: async () => true,
    });
    const codes = await violationsOf(losing);
    expect(codes.length).toBeGreaterThanOrEqual(TWIN_SEEDS / 2);
    expect(codes.join()).toMatch(/base-without-snapshot/);
  });
});

/** Each must be told to an operator, at once: never a silent commit on such a store. */
describe('a cluster halts loudly whose store', () => {
  const ONE = 'us-east-2';
  const AFTER_CALLS = 25;

  /** From some call on, one region's store shows something else than what was written to it. */
  const fromThenOn = (otherwise: (copy: Copy) => RegisterRead): Sabotage => {
    let calls = 0;
    const changed = (read: RegisterRead): RegisterRead => {
      calls += 1;
      return read.kind === 'found' && calls > AFTER_CALLS ? otherwise(read.copy) : read;
    };
    return (port) =>
      port.region === ONE ? { ...port, read: async () => changed(await port.read()) } : port;
  };

  test.each<readonly [string, (copy: Copy) => RegisterRead]>([
    [
      'was restored to an older point',
      ({ revision, server }) => ({
        kind: 'found',
        copy: { revision: Math.floor(revision / 2), server },
      }),
    ],
    ['was deleted', () => ({ kind: 'absent' })],
    [
      'contradicts itself',
      ({ revision, server }) => ({
        kind: 'found',
        copy: { revision: revision + 1, server: { ...server, commitIndex: logIndex(9999) } },
      }),
    ],
  ])('%s', async (_, otherwise) => {
    const codes = await violationsOf(() => fromThenOn(otherwise));
    expect(codes.length).toBe(TWIN_SEEDS);
    for (const code of codes) {
      // Who never saw it in its place says that it is absent.
      expect(code).toMatch(/register-(halted|absent)/);
    }
  });

  test('is that of another region', async () => {
    const misdirected = (): Sabotage => (port, onStoreOf) =>
      port.region === ONE ? onStoreOf(regionId('us-east-1')) : port;
    const codes = await violationsOf(misdirected);
    expect(codes.length).toBe(TWIN_SEEDS);
    for (const code of codes) {
      expect(code).toMatch(/register-halted.*register-identity-mismatch|expected register/);
    }
  });
});
