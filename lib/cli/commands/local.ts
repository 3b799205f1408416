/** `tripoint start` and `tripoint local …`: a whole Tripoint on this machine, and its processes. */
import type { Command } from 'commander';
import { formatElapsed } from '../../base/elapsed.ts';
import { PORT_BASE_DEFAULT } from '../../local/local-layout.ts';
import { createSupervisorClient, type LocalProcess } from '../../local/supervisor-client.ts';
import { wholeNumber } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, type Run, withExamples } from '../invocation.ts';
import type { Style } from '../render/style.ts';
import { type Cell, cell, renderTable } from '../render/table.ts';
import type { Session } from '../session.ts';

const PORT_MIN = 1024;
const PORT_MAX = 64_000;

interface StartOptions {
  readonly portBase: number;
  readonly config?: string;
}

export const registerStart: Register = (program, run) => {
  const start: Command = program
    .command('start')
    .description('Run three regions, DNS and a demo service on this machine, until Ctrl-C.')
    .option(
      '--port-base <port>',
      'first of the ports',
      wholeNumber(PORT_MIN, PORT_MAX),
      PORT_BASE_DEFAULT,
    )
    .option('--config <file>', 'configuration; default: the demo')
    .action((options: StartOptions) => run(start, (session) => startLocal(session, options)));
  withExamples(start, ['tripoint start', 'tripoint start --dir /tmp/second --port-base 7300']);
};

async function startLocal(
  { host, options }: Session,
  { portBase, config }: StartOptions,
): Promise<ExitCode> {
  // Not needed by any other command, and the largest import of all.
  const { LOCAL_DEFAULTS, runLocal } = await import('../../local/run-local.ts');
  await runLocal({
    dir: options.dir,
    portBase,
    configFile: config ?? LOCAL_DEFAULTS.configFile,
    variables: host.variables,
    write: options.quiet ? () => undefined : host.writeOutput,
  });
  return EXIT.ok;
}

export const registerLocal: Register = (program, run) => {
  const local = program
    .command('local')
    .description('The processes of local mode: list, kill, start, stop.')
    .helpCommand(false);
  const status: Command = local
    .command('status')
    .alias('ps')
    .description('Processes and their states.')
    .action(() => run(status, listProcesses));
  withExamples(status, ['tripoint local status']);
  registerKillAndStart(local, run);
  const stop: Command = local
    .command('stop')
    .description('End local mode in good order.')
    .action(() => run(stop, stopLocal));
  withExamples(stop, ['tripoint local stop']);
};

function registerKillAndStart(local: Command, run: Run): void {
  const kill: Command = local
    .command('kill')
    .description('kill -9 of a region, of the DNS server or of a site.')
    .argument('<name>', 'process, e.g. us-east-1, dns or checkout@us-east-1')
    .action((name: string) => run(kill, (session) => killProcess(session, name)));
  withExamples(kill, ['tripoint local kill us-east-1', 'tripoint local kill checkout@us-east-1']);
  const start: Command = local
    .command('start')
    .description('Start a process that is down.')
    .argument('<name>', 'process, e.g. us-east-1, dns or checkout@us-east-1')
    .action((name: string) => run(start, (session) => startProcess(session, name)));
  withExamples(start, ['tripoint local start us-east-1']);
}

async function listProcesses(session: Session): Promise<ExitCode> {
  const client = await createSupervisorClient({ dir: session.options.dir });
  const processes = await client.processes();
  session.result({ processes }, () => renderProcesses(processes, session.style));
  const down = processes.find(({ state }) => state === 'down');
  session.suggest(
    down === undefined
      ? null
      : { command: `tripoint local start ${down.name}`, why: 'starts it again' },
  );
  return EXIT.ok;
}

const HEADER = ['process', 'kind', 'state', 'pid', 'exit'];

function renderProcesses(processes: readonly LocalProcess[], style: Style): readonly string[] {
  const rows = processes.map(({ name, kind, state, pid, exit }) => [
    cell(name, 'strong'),
    cell(kind),
    stateCell(state),
    cell(pid === null ? '–' : String(pid)),
    cell(exit === null ? '' : (exit.signal ?? `code ${exit.code ?? '?'}`)),
  ]);
  return renderTable({ header: HEADER, rows }, style);
}

function stateCell(state: LocalProcess['state']): Cell {
  switch (state) {
    case 'running':
      return cell('● running', 'good');
    case 'starting':
      return cell('◐ starting', 'warning');
    case 'down':
      return cell('✖ down', 'bad');
  }
}

async function killProcess(session: Session, name: string): Promise<ExitCode> {
  const client = await createSupervisorClient({ dir: session.options.dir });
  const killed = await client.kill(name);
  session.result(killed, () => [`killed ${killed.name} (pid ${killed.pid})`]);
  session.suggest({ command: 'tripoint status --watch', why: 'shows what follows' });
  return EXIT.ok;
}

async function startProcess(session: Session, name: string): Promise<ExitCode> {
  const client = await createSupervisorClient({ dir: session.options.dir });
  const started = await client.start(name);
  session.result(started, () => [
    `started ${started.name} (pid ${started.pid}) in ${formatElapsed(started.elapsedMs)}`,
  ]);
  return EXIT.ok;
}

async function stopLocal(session: Session): Promise<ExitCode> {
  const client = await createSupervisorClient({ dir: session.options.dir });
  await client.stop();
  session.result({ stopping: true }, () => ['stopping']);
  return EXIT.ok;
}
