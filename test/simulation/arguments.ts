/** The flags of `npm run simulate`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface SimulationArguments {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly workers: number;
  /** `all`, those that were named, or none. */
  readonly mutants: 'all' | readonly string[];
  /** Where to write what the clients asked and were told. */
  readonly historyFile: string | null;
  readonly isJson: boolean;
}

const SEEDS_DEFAULT = 100;
/** From here on a campaign is a proof, and its checks are put to the proof as well. */
const SEEDS_WITH_MUTANTS_MIN = 1000;

/** @throws RangeError or TypeError for flags that make no sense. */
export function readArguments(words: readonly string[]): SimulationArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { type: 'string' },
      'first-seed': { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      mutants: { type: 'boolean', default: false },
      'no-mutants': { type: 'boolean', default: false },
      mutant: { type: 'string', multiple: true, default: [] },
      history: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const isOnlyHunt = values.mutant.length > 0 && values.seeds === undefined;
  const seeds = isOnlyHunt ? 0 : wholeNumber('seeds', values.seeds ?? String(SEEDS_DEFAULT));
  if (seeds === 0 && !isOnlyHunt) {
    throw new RangeError('--seeds takes at least 1: no life proves nothing');
  }
  const isProof = values.mutants || seeds >= SEEDS_WITH_MUTANTS_MIN;
  const isAll = isProof && !values['no-mutants'] && values.mutant.length === 0;
  return {
    seeds,
    firstSeed: wholeNumber('first-seed', values['first-seed']),
    workers: Math.max(1, wholeNumber('workers', values.workers)),
    mutants: isAll ? 'all' : values.mutant,
    historyFile: values.history ?? null,
    isJson: values.json,
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) {
    throw new RangeError(`--${name} takes a whole number, not ${text}`);
  }
  return Number(text);
}
