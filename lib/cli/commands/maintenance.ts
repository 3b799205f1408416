/** `tripoint maintenance`: for a while people work on a service, and no run starts by itself. */
import type { Command } from 'commander';
import { RUN_LIMITS } from '../../recovery/limits.ts';
import { actor, durationBetween, reasonArgument } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, type Run, withExamples } from '../invocation.ts';
import { renderMaintenance } from '../render/maintenance.ts';
import { sendCommand } from '../send-command.ts';
import type { Session } from '../session.ts';

const SHORTEST_MS = 1000;
const REASON_OF_END = 'maintenance is over';

interface StartOptions {
  readonly for: number;
  readonly reason: string;
  readonly site?: string;
}

interface EndOptions {
  readonly reason: string;
  readonly site?: string;
}

export const registerMaintenance: Register = (program, run) => {
  const maintenance = program
    .command('maintenance')
    .description('Times in which people work on a service: no run starts by itself.');
  registerStart(maintenance, run);
  registerEnd(maintenance, run);
  const list: Command = maintenance
    .command('list')
    .description('All windows that stand.')
    .action(() => run(list, listWindows));
  withExamples(list, ['tripoint maintenance list']);
};

function registerStart(maintenance: Command, run: Run): void {
  const start: Command = maintenance
    .command('start')
    .description('Begin maintenance. It ends by itself; a second one takes the place of the first.')
    .argument('<service>', 'service that is worked on')
    .requiredOption(
      '--for <duration>',
      'how long, at most 168h',
      durationBetween(SHORTEST_MS, RUN_LIMITS.maintenanceMsMax),
    )
    .requiredOption('-r, --reason <text>', 'why, for the record', reasonArgument)
    .option('--site <name>', 'only this site; else the whole service')
    .action((service: string, options: StartOptions) =>
      run(start, (session) =>
        sendCommand(session, (client, key) => {
          const words = { forMs: options.for, reason: options.reason, by: actor() };
          return client.startMaintenance(service, { ...siteOf(options), ...words }, key);
        }),
      ),
    );
  withExamples(start, [
    'tripoint maintenance start checkout --for 2h --reason "new disks"',
    'tripoint maintenance start checkout --site us-east-1 --for 30m --reason "kernel update"',
  ]);
}

function registerEnd(maintenance: Command, run: Run): void {
  const end: Command = maintenance
    .command('end')
    .description('End maintenance before its time. What failed meanwhile is recovered at once.')
    .argument('<service>', 'service that was worked on')
    .option('-r, --reason <text>', 'why, for the record', reasonArgument, REASON_OF_END)
    .option('--site <name>', 'the window of this site; else that of the whole service')
    .action((service: string, options: EndOptions) =>
      run(end, (session) =>
        sendCommand(session, (client, key) => {
          const words = { ...siteOf(options), reason: options.reason, by: actor() };
          return client.endMaintenance(service, words, key);
        }),
      ),
    );
  withExamples(end, ['tripoint maintenance end checkout']);
}

function siteOf({ site }: { readonly site?: string }): { readonly site?: string } {
  return site === undefined ? {} : { site };
}

async function listWindows(session: Session): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.services();
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  const { at, services } = answer.value;
  const maintenance = services.flatMap(({ service, maintenance: windows }) =>
    windows.map((window) => ({ service, ...window })),
  );
  session.result({ at, maintenance }, () => renderMaintenance(services, session.style));
  return EXIT.ok;
}
