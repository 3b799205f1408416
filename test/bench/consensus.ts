/**
 * What the log costs, in the order of the question: (a) the pure core, (b) a commit on real stores
 * against the writes below it, (c) over the distances of three regions, (d) an election, (e) a
 * linearizable read, (f) requests, also of an idle log, (g) what one log can take in a second.
 *
 * The code is the production code from the log host to the SDK; distances and lost regions are in a
 * port between. The stores are real ones (dynalite), each on a thread of its own.
 */
import { benchCommits } from './consensus-commit.ts';
import { benchCore } from './consensus-core.ts';
import { benchDistance } from './consensus-distance.ts';
import { benchElections } from './consensus-election.ts';
import { benchFlow } from './consensus-flow.ts';
import type { Benchmark } from './measure.ts';

export async function benchConsensus(): Promise<Benchmark> {
  return {
    ...benchCore(),
    ...(await benchCommits()),
    ...(await benchDistance()),
    ...(await benchElections()),
    ...(await benchFlow()),
  };
}
