/**
 * The simulation: seeded lives of a whole cluster on all cores, and then the proof of the proof:
 * mutants of the protocol, each of which must be found out by such lives.
 *
 * ```
 * npm run simulate -- [--seeds 100] [--first-seed 1] [--workers N] [--json]
 *                     [--mutants | --no-mutants | --mutant NAME ...] [--history FILE]
 * ```
 *
 * Mutants are hunted by campaigns of 1,000 seeds or more, or when asked for; `--mutant` alone hunts
 * those it names and nothing else. `--history` writes what the clients asked and were told. Progress goes to standard error; with `--json` the last line of
 * standard output is one JSON object. Exit code 1 when a promise was broken, some fault never
 * occurred, or a mutant survived.
 */
import { writeFile } from 'node:fs/promises';
import { PLAIN } from '../../lib/cli/render/style.ts';
import { joinCampaigns } from '../../lib/simulation/campaign.ts';
import { readArguments, type SimulationArguments } from './arguments.ts';
import { liveEach, liveOnAllCores } from './lives.ts';
import { runLongCampaign } from './long-campaign.ts';
import { MUTANTS } from './mutants/catalogue.ts';
import { type Hunt, hunt, huntOf } from './mutants/hunt.ts';
import type { Mutant } from './mutants/mutant.ts';
import { huntByTests } from './mutants/test-hunt.ts';
import { type Findings, isPassed, renderFindings, summaryOf } from './summary.ts';
import { inParallel } from './worker.ts';
import { runYearCampaign } from './year-campaign.ts';

/** A mutant that so many lives do not find out has survived. */
const HUNT_SEEDS_MAX = 1000;
const TELL_EVERY_MS = 10_000;

function tell(line: string): void {
  console.error(line);
}

/** Tells now and then how many lives have ended. */
function livesTold(total: number): (count: number) => void {
  let done = 0;
  let toldAt = performance.now();
  return (count) => {
    done += count;
    if (performance.now() - toldAt >= TELL_EVERY_MS) {
      toldAt = performance.now();
      tell(`${done} of ${total} lives`);
    }
  };
}

function mutantsAsked({ mutants }: SimulationArguments): readonly Mutant[] {
  if (mutants === 'all') {
    return MUTANTS;
  }
  const unknown = mutants.find((name) => MUTANTS.every((mutant) => mutant.name !== name));
  if (unknown !== undefined) {
    throw new RangeError(`no mutant ${unknown}; they stand in test/simulation/mutants`);
  }
  return MUTANTS.filter(({ name }) => mutants.includes(name));
}

/** By lives, each in a thread of its own, from the first seed on; or by the tests that it names. */
async function huntAll(mutants: readonly Mutant[], workers: number): Promise<readonly Hunt[]> {
  const failing = await huntByTests(mutants);
  const jobs = mutants.map((mutant) => async () => {
    const result =
      mutant.tests === undefined
        ? await hunt({ mutant, firstSeed: 1, seeds: HUNT_SEEDS_MAX })
        : huntOf(mutant, failing);
    if (result.kind === 'survived') {
      tell(`mutant ${mutant.name} survived ${result.tries} tries`);
    }
    return result;
  });
  return inParallel(jobs, workers);
}

/** A life that finds out a mutant must go well without it, or it would prove nothing. */
function seedsOf(hunts: readonly Hunt[]): readonly number[] {
  return [
    ...new Set(hunts.flatMap((found) => (found.kind === 'caught-by-life' ? [found.seed] : []))),
  ];
}

async function simulate(options: SimulationArguments): Promise<Findings> {
  const startedAt = performance.now();
  const mutants = mutantsAsked(options);
  const { seeds, firstSeed, workers, historyFile } = options;
  if (historyFile !== null) {
    await writeFile(historyFile, '');
  }
  const onLives = livesTold(seeds);
  const campaign = await liveOnAllCores({ firstSeed, seeds, workers, historyFile, onLives });
  const hunts = await huntAll(mutants, workers);
  const controls = await liveEach(
    seedsOf(hunts).filter((seed) => seed < firstSeed || seed >= firstSeed + seeds),
  );
  const { user, system } = process.cpuUsage();
  return {
    campaign: joinCampaigns([campaign, controls]),
    hunts,
    elapsedMs: Math.round(performance.now() - startedAt),
    machineMs: Math.round((user + system) / 1000),
  };
}

async function runSeeds(): Promise<boolean> {
  const asked = readArguments(words);
  const findings = await simulate(asked);
  if (asked.isJson) {
    console.log(JSON.stringify(summaryOf(findings)));
  } else {
    console.log(renderFindings(findings, PLAIN).join('\n'));
  }
  return isPassed(findings);
}

/** A month, or a million commands, as one life; or a thousand years of failures. */
async function runLong(): Promise<boolean> {
  const run = isYear ? runYearCampaign : runLongCampaign;
  const { passed, text } = await run(words, tell);
  console.log(text);
  return passed;
}

const words = process.argv.slice(2);
const isLong = words.some((word) => word.startsWith('--campaign'));
const isYear = words.includes('year') || words.includes('--campaign=year');
process.exitCode = (await (isLong ? runLong() : runSeeds())) ? 0 : 1;
