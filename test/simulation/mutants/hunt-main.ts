/** The thread of one hunt (`hunt.ts`): loads the mutated code, and lives until it is found out. */
import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../../../lib/base/errors.ts';
import { invariant } from '../../../lib/base/invariant.ts';
import type { WorkerMessage } from '../worker.ts';
import type { Hunt, HuntOrder } from './hunt.ts';
import { KNOWN_SEEDS } from './known-seeds.ts';
import { installMutant } from './mutated-source.ts';

const { mutant, firstSeed, seeds } = workerData as HuntOrder;

const sourcesNotLoaded = installMutant(mutant);
const { runConsensus } = await import('../../../lib/simulation/consensus-run.ts');
const missing = sourcesNotLoaded();
invariant(missing.length === 0, 'mutant-not-loaded', { name: mutant.name, missing });

/** A promise that nobody waits for ends a life as well, as it would end a process. */
function strayRejection(): { readonly promise: Promise<never>; readonly stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  process.on('unhandledRejection', reject);
  return { promise, stop: () => process.off('unhandledRejection', reject) };
}

/** What a life of the mutant threw; null = it went well. */
async function violationIn(seed: number): Promise<{ readonly thrown: unknown } | null> {
  const stray = strayRejection();
  try {
    await Promise.race([runConsensus({ seed }), stray.promise]);
    return null;
  } catch (thrown) {
    return { thrown };
  } finally {
    stray.stop();
  }
}

/** The innermost code: of the invariant that a process met, if it logged one. */
function codeOf(thrown: unknown): string {
  const [, inner] = /invariant violated: ([\w-]+)/.exec(describeError(thrown)) ?? [];
  const outer = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'exception';
  return inner === undefined || inner === outer ? outer : `${outer}/${inner}`;
}

function seedsToTry(): readonly number[] {
  const all = Array.from({ length: seeds }, (_, place) => firstSeed + place);
  const known = KNOWN_SEEDS[mutant.name];
  return known !== undefined && all.includes(known) ? [known, ...all] : all;
}

async function hunted(): Promise<Hunt> {
  const { name } = mutant;
  for (const [tried, seed] of seedsToTry().entries()) {
    const violation = await violationIn(seed);
    if (violation !== null) {
      const { thrown } = violation;
      return {
        kind: 'caught-by-life',
        name,
        seed,
        violation: codeOf(thrown),
        cause: describeError(thrown),
      };
    }
    say({ kind: 'progress', done: tried + 1 });
  }
  return { kind: 'survived', name, tries: seeds };
}

function say(message: WorkerMessage<Hunt>): void {
  parentPort?.postMessage(message);
}

say({ kind: 'answer', answer: await hunted() });
