/**
 * `tripoint simulate`: with a file, one scenario played on that configuration; without one, seeded lives
 * of the log under faults, checked for safety.
 */
import { type Command, Option } from 'commander';
import { formatElapsed } from '../../base/elapsed.ts';
import type { CampaignResult } from '../../simulation/campaign.ts';
import { wholeNumber } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { isConclusive, renderCampaign } from '../render/campaign.ts';
import type { Session } from '../session.ts';
import { listScenarios, type ScenarioOptions, simulateScenario } from './simulate-scenario.ts';

const SEEDS_DEFAULT = 100;
const SEEDS_MAX = 10_000_000;
const SEED_MAX = 4_294_967_295;
/** Progress that goes into a file or a log is told this often. */
const REPORT_EVERY_MS = 10_000;

interface SimulateOptions extends ScenarioOptions {
  readonly list?: boolean;
  readonly seeds: number;
  readonly firstSeed: number;
}

export const registerSimulate: Register = (program, run) => {
  const simulate: Command = program
    .command('simulate')
    .description(
      'What would happen to this configuration? Or, without one: seeded lives of the log.',
    )
    .argument('[file]', 'YAML file whose sites and plans are tried')
    .option('--scenario <name>', 'what goes wrong; default: region-loss')
    .option('--list', 'list the scenarios')
    .option('--seed <seed>', 'of the scenario', wholeNumber(0, SEED_MAX), 1)
    .addOption(
      new Option('--path <path>', 'how traffic moves: a = health checks, b = records changed')
        .choices(['a', 'b'])
        .default('b'),
    )
    .option('--exit-code', `of a scenario: exit with ${EXIT.unhealthy} if an objective is missed`)
    .option('-s, --service <name>', 'service whose clients are counted; default: the first')
    .option(
      '--seeds <count>',
      'without a file: how many lives',
      wholeNumber(1, SEEDS_MAX),
      SEEDS_DEFAULT,
    )
    .option('--first-seed <seed>', 'without a file: seed of the first', wholeNumber(0, SEED_MAX), 1)
    .action((file: string | undefined, options: SimulateOptions) =>
      run(simulate, (session) => dispatch(session, file, options)),
    );
  withExamples(simulate, [
    'tripoint simulate tripoint.yaml --scenario region-loss --seed 7',
    'tripoint simulate tripoint.yaml --path a --exit-code',
    'tripoint simulate --list',
    'tripoint simulate --first-seed 4711 --seeds 1',
  ]);
};

function dispatch(
  session: Session,
  file: string | undefined,
  options: SimulateOptions,
): Promise<ExitCode> {
  if (options.list === true) {
    return listScenarios(session);
  }
  return file === undefined
    ? runSimulation(session, options)
    : simulateScenario(session, file, options);
}

async function runSimulation(session: Session, options: SimulateOptions): Promise<ExitCode> {
  const { seeds, firstSeed } = options;
  const { host } = session;
  session.message([`seeds ${firstSeed} to ${firstSeed + seeds - 1}`]);
  const { runCampaign } = await import('../../simulation/campaign.ts');
  const startedAt = host.clock.monotonicNow();
  const result: CampaignResult = await runCampaign({
    seeds,
    firstSeed,
    onProgress: progressOf(session),
  });
  const elapsedMs = Math.round(host.clock.monotonicNow() - startedAt);
  const passed = isConclusive(result);
  session.result({ passed, elapsedMs, firstSeed, ...result }, () => [
    ...renderCampaign(result, session.style),
    `${seeds} seeds in ${formatElapsed(elapsedMs)}`,
  ]);
  return passed ? EXIT.ok : EXIT.error;
}

/** On a terminal one line that is written over; elsewhere a line now and then. */
function progressOf(session: Session): (done: number, total: number) => void {
  const { host, options } = session;
  let toldAt = host.clock.monotonicNow();
  return (done, total) => {
    if (options.quiet || options.json) {
      return;
    }
    const now = host.clock.monotonicNow();
    if (host.messagesAreTerminal) {
      host.writeMessage(`\r${done} of ${total}${done === total ? '\n' : ''}`);
    } else if (now - toldAt >= REPORT_EVERY_MS) {
      toldAt = now;
      host.writeMessage(`${done} of ${total}\n`);
    }
  };
}
