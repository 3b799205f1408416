/**
 * All commands as one commander program, with help that leads with examples.
 *
 * Options that every command takes may stand before or after the command. Building the program does
 * nothing, so the documentation and the completion scripts are made from the same object.
 */
import { Command, Help, type Option } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { collect } from './arguments.ts';
import { registerAgent } from './commands/agent.ts';
import { registerAlarm } from './commands/alarm.ts';
import { registerBeats } from './commands/beats.ts';
import { registerBootstrap } from './commands/bootstrap.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerConfiguration } from './commands/configuration.ts';
import { registerDrill } from './commands/drill.ts';
import { registerLocal, registerStart } from './commands/local.ts';
import { registerLog } from './commands/log.ts';
import { registerMaintenance } from './commands/maintenance.ts';
import { registerNote } from './commands/note.ts';
import { registerPlan } from './commands/plan.ts';
import { registerRegion } from './commands/region.ts';
import { registerReplay } from './commands/replay.ts';
import { registerReports } from './commands/reports.ts';
import { registerRules } from './commands/rules.ts';
import { registerRunControl } from './commands/run-control.ts';
import { registerRuns } from './commands/runs.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerStatus } from './commands/status.ts';
import { registerSwitches } from './commands/switch.ts';
import { registerToken } from './commands/token.ts';
import { registerWeights } from './commands/weights.ts';
import { examplesOf, type Register, type Run, withExamples } from './invocation.ts';
import { LOCAL_DIR_DEFAULT } from './target.ts';

/** In the order in which help lists them. */
const COMMANDS: readonly Register[] = [
  registerStart,
  registerStatus,
  registerRuns,
  registerLog,
  registerSwitches,
  registerWeights,
  registerRunControl,
  registerDrill,
  registerPlan,
  registerReports,
  registerRules,
  registerNote,
  registerMaintenance,
  registerAlarm,
  registerConfiguration,
  registerToken,
  registerBootstrap,
  registerRegion,
  registerLocal,
  registerReplay,
  registerBeats,
  registerSimulate,
  registerAgent,
  registerCompletion,
];

export function createProgram(run: Run): Command {
  const program = new Command('tripoint')
    .description('Serverless disaster recovery and health checks.')
    .version(packageFile.version, '-V, --version', 'print the version')
    .option('--json', 'print one JSON document instead of lines for people')
    .option('-q, --quiet', 'print no messages, only data and errors')
    .option('--no-color', 'print no colours (as does NO_COLOR)')
    .option('--dir <folder>', 'folder of local mode', LOCAL_DIR_DEFAULT)
    .option('--endpoint <url>', 'URL of a control region; may be repeated', collect)
    .option(
      '--token-file <file>',
      'file that holds the token (of an operator; for `agent`, of the site)',
    )
    .helpCommand(false)
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ showGlobalOptions: true, formatHelp: helpWithExamples, optionDescription })
    .showHelpAfterError('(add --help for examples and options)')
    .exitOverride();
  withExamples(program, [
    'tripoint start',
    'tripoint status',
    'tripoint failover checkout --reason "maintenance" --dry-run',
  ]);
  for (const register of COMMANDS) {
    register(program, run);
  }
  return program;
}

const HELP_COLUMNS = 100;
const PLAIN_HELP = new Help();

/** An option that must be given says so: it stands among those that need not. */
function optionDescription(option: Option): string {
  const words = PLAIN_HELP.optionDescription(option);
  return option.mandatory && option.defaultValue === undefined ? `${words} (required)` : words;
}

function helpWithExamples(command: Command, help: Help): string {
  help.helpWidth = Math.min(help.helpWidth ?? HELP_COLUMNS, HELP_COLUMNS);
  const examples = examplesOf(command).map((line) => `  ${line}`);
  const lead = examples.length === 0 ? '' : `Examples:\n${examples.join('\n')}\n\n`;
  // The prototype's own, because the instance's was replaced by this function.
  return lead + Object.getPrototypeOf(help).formatHelp.call(help, command, help);
}
