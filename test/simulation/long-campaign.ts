/**
 * The long campaigns: one life each, long and not many.
 *
 * ```
 * npm run simulate -- --campaign month            [--seed 1] [--json]
 * npm run simulate -- --campaign million-commands [--seed 1] [--commands 1000000] [--json]
 * ```
 *
 * The heap is measured after garbage was collected, after each tenth. It is flat when the last tenths
 * need hardly more than the first ones: what is in use must not grow with the log.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type LongRunResult, runManyCommands, runMonth } from '../../lib/simulation/long-run.ts';

/** The last measure over the mean of the first three; the first of all is taken before all is loaded. */
const GROWTH_MAX = 1.3;
const MILLION = '1000000';

export interface LongCampaign {
  readonly passed: boolean;
  /** What came of it, for people or as one line of JSON. */
  readonly text: string;
}

/** `tell` hears now and then how far it is. */
export async function runLongCampaign(
  words: readonly string[],
  tell: (line: string) => void,
): Promise<LongCampaign> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      campaign: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      commands: { type: 'string', default: MILLION },
      json: { type: 'boolean', default: false },
    },
  });
  const { campaign, seed, commands, json } = values;
  const startedAt = performance.now();
  const result = await play(campaign, { seed: Number(seed), commands: Number(commands), tell });
  const growth = heapGrowth(result);
  const elapsedMs = Math.round(performance.now() - startedAt);
  const passed = growth <= GROWTH_MAX;
  const findings = { passed, campaign, elapsedMs, heapGrowth: growth, ...result };
  return { passed, text: json ? JSON.stringify(findings) : readable(findings) };
}

interface Order {
  readonly seed: number;
  readonly commands: number;
  readonly tell: (line: string) => void;
}

function play(campaign: string, { seed, commands, tell }: Order): Promise<LongRunResult> {
  const onProgress = (part: number) => tell(`${Math.round(part * 100)} %`);
  const options = { seed, heapBytes: heapMeter(), onProgress };
  switch (campaign) {
    case 'month':
      return runMonth(options);
    case 'million-commands':
      return runManyCommands(options, commands);
    default:
      throw new RangeError(`--campaign takes month or million-commands, not ${campaign}`);
  }
}

function heapMeter(): () => number {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  return () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
}

function heapGrowth({ heapBytes }: LongRunResult): number {
  const first = heapBytes.slice(0, 3);
  const mean = first.reduce((sum, bytes) => sum + bytes, 0) / first.length;
  return Math.round(((heapBytes.at(-1) ?? 0) / mean) * 100) / 100;
}

function readable(findings: object): string {
  return Object.entries(findings)
    .map(([name, figure]) => `${name}: ${JSON.stringify(figure)}`)
    .join('\n');
}
