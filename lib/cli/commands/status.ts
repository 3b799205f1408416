/** `tripoint status`, `tripoint services`: what the control plane knows now. */
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { StatusJson } from '../../api/schemas.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { pause } from '../host.ts';
import { type Register, withExamples } from '../invocation.ts';
import { renderMonitorLines } from '../render/monitors.ts';
import { nextAfterStatus } from '../render/next.ts';
import { isHealthy } from '../render/opinion.ts';
import { describeSilences } from '../render/problems.ts';
import { renderServices } from '../render/services.ts';
import { renderStatus } from '../render/status.ts';
import type { Session } from '../session.ts';

const WATCH_INTERVAL_MS = 1000;
/** Home the cursor and clear what is below it (ECMA-48). */
const CLEAR = '\u001b[H\u001b[J';

interface StatusOptions {
  readonly watch?: boolean;
  readonly exitCode?: boolean;
}

interface Asked extends StatusOptions {
  readonly service: string | undefined;
}

export const registerStatus: Register = (program, run) => {
  const status: Command = program
    .command('status')
    .description('Services, sites and what each region thinks of them.')
    .argument('[service]', 'only this service; default: all')
    .option('-w, --watch', 'show it again each second, until Ctrl-C')
    .option('--exit-code', `exit with ${EXIT.unhealthy} unless everything is healthy`)
    .action((service: string | undefined, options: StatusOptions) =>
      run(status, (session) => showStatus(session, { ...options, service })),
    );
  withExamples(status, [
    'tripoint status',
    'tripoint status checkout',
    'tripoint status --watch',
    'tripoint status --exit-code -q',
  ]);

  const services: Command = program
    .command('services')
    .description('Protected services and monitors, one line each.')
    .action(() => run(services, showServices));
  withExamples(services, ['tripoint services', 'tripoint services --json']);
};

async function showStatus(session: Session, options: Asked): Promise<ExitCode> {
  const { client } = await session.connect();
  if (options.watch === true) {
    return watchStatus(session, client, options.service);
  }
  const answer = await client.statusOfAll();
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  const status = statusOf(answer.value, options.service);
  if (status === null) {
    return session.failed(unknown(answer.value, options.service));
  }
  session.result(status, () => renderStatus(status, session.style));
  session.suggest(nextAfterStatus(status));
  return options.exitCode === true && !isHealthy(status) ? EXIT.unhealthy : EXIT.ok;
}

/** What concerns one service or monitor, and how the cluster is; null = there is none of that name. */
function statusOf(status: StatusJson, name: string | undefined): StatusJson | null {
  if (name === undefined) {
    return status;
  }
  const services = status.services.filter(({ service }) => service === name);
  const monitors = status.monitors.filter(({ monitor }) => monitor === name);
  const runs = status.runs.filter(({ service }) => service === name);
  const timeline = status.timeline.filter(({ service }) => service === name);
  return services.length + monitors.length === 0
    ? null
    : { ...status, services, monitors, runs, timeline };
}

function unknown({ services, monitors }: StatusJson, name: string | undefined) {
  const known = [
    ...services.map(({ service }) => service),
    ...monitors.map(({ monitor }) => monitor),
  ];
  return {
    code: 'unknown-service',
    message: `there is no service ${name}`,
    hint: known.length === 0 ? 'None is configured yet.' : `There are: ${known.join(', ')}.`,
  };
}

/** Silence of all regions is shown and waited out: watching is for bad days. */
async function watchStatus(
  session: Session,
  client: ApiClient,
  service: string | undefined,
): Promise<ExitCode> {
  const { host, options } = session;
  const signal = host.interruption();
  do {
    const answer = await client.statusOfAll();
    if (answer.kind === 'ok') {
      const status = statusOf(answer.value, service);
      if (status === null) {
        return session.failed(unknown(answer.value, service));
      }
      showFrame(session, status);
    } else if (answer.kind === 'problem' && answer.problem.status < 500) {
      return session.refused(answer);
    } else if (!options.json) {
      host.writeMessage(
        `${answer.kind === 'unreachable' ? describeSilences(answer.silences) : answer.problem.detail}\n`,
      );
    }
  } while (await pause(host, WATCH_INTERVAL_MS, signal));
  return EXIT.interrupted;
}

/** On a terminal one screen, elsewhere one block after the other; with `--json` one line each. */
function showFrame({ host, options, style }: Session, status: StatusJson): void {
  if (options.json) {
    host.writeOutput(`${JSON.stringify(status)}\n`);
    return;
  }
  const text = renderStatus(status, style).join('\n');
  host.writeOutput(host.outputIsTerminal ? `${CLEAR}${text}\n` : `${text}\n\n`);
}

async function showServices(session: Session): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.status();
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  const { at, services, monitors } = answer.value;
  session.result({ at, services, monitors }, () => [
    ...renderServices(services, session.style),
    ...(monitors.length === 0 ? [] : ['', ...renderMonitorLines(monitors, session.style)]),
  ]);
  session.suggest(nextAfterStatus(answer.value));
  return EXIT.ok;
}
