/**
 * `tripoint start`: brings everything up, prints the screen, then tells what happens until Ctrl-C.
 *
 * This process only watches: the regions decide, and it could be killed in the middle of a failover
 * without harm to the log. But its children end with it, so that a terminal that is closed leaves
 * nothing behind. While it still starts, Ctrl-C simply ends it; a start may be cut off anywhere.
 */
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AppError } from '../base/errors.ts';
import type { LogEvent } from '../base/log.ts';
import type { Variables } from '../config/expansion.ts';
import { parseDynamicDns } from '../config/switch-settings.ts';
import { renderBanner } from './banner.ts';
import { followEvents } from './follow-events.ts';
import {
  createLayout,
  type Layout,
  logFileOf,
  PORT_BASE_DEFAULT,
  withOutsideDns,
} from './local-layout.ts';
import { createLogger } from './logger.ts';
import { describeProcessEvent, type ProcessEvent } from './process-table.ts';
import { type Supervisor, startSupervisor } from './supervisor.ts';
import { SYSTEM_CLOCK } from './system-clock.ts';

const DIR_DEFAULT = '.tripoint';
const EXIT_IMPATIENT = 130;

export const LOCAL_DEFAULTS: {
  readonly dir: string;
  readonly portBase: number;
  readonly configFile: string;
} = {
  dir: DIR_DEFAULT,
  portBase: PORT_BASE_DEFAULT,
  configFile: fileURLToPath(new URL('./demo.yaml', import.meta.url)),
};

export interface RunLocalOptions {
  /** Folder of everything that is kept; made when it is missing. */
  readonly dir: string;
  /** First of the ports (`local-layout.ts`), 1,024 to 64,000. */
  readonly portBase: number;
  readonly configFile: string;
  /** What `${NAME}` in the configuration stands for. */
  readonly variables: Variables;
  /** Takes text for the terminal, with its line ends. */
  readonly write: (text: string) => void;
}

/**
 * Resolves when all processes have ended, after SIGINT, SIGTERM, SIGHUP or a stop over the admin API.
 * @throws AppError when local mode cannot start; nothing is left running then.
 */
export async function runLocal(options: RunLocalOptions): Promise<void> {
  const { dir, portBase, configFile, variables, write } = options;
  const startedAt = SYSTEM_CLOCK.monotonicNow();
  const layout = layoutFor(createLayout({ dir, portBase }), variables);
  const log = supervisorLog(layout);
  const say = (line: string) => write(`${timeOfDay()}  ${line}\n`);
  let tellProcess: (event: ProcessEvent) => void = () => undefined;
  const supervisor = await startSupervisor({
    layout,
    configFile,
    variables,
    clock: SYSTEM_CLOCK,
    log,
    onProcessEvent: (event) => tellProcess(event),
  });
  const startedInMs = SYSTEM_CLOCK.monotonicNow() - startedAt;
  log('info', 'local-up', { startedInMs: Math.round(startedInMs) });
  write(bannerOf({ layout, supervisor, startedInMs, dir }));
  for (const trouble of supervisor.troubles) {
    say(`warning: ${trouble}`);
  }
  tellProcess = (event) => say(describeProcessEvent(event));
  const watching = new AbortController();
  const urls = layout.regions.map(({ apiUrl }) => apiUrl);
  const following = followEvents({ urls, clock: SYSTEM_CLOCK, say, signal: watching.signal });
  const cause = await Promise.race([supervisor.stopRequested.then(() => 'request'), interrupted()]);
  log('info', 'local-stopping', { cause });
  tellProcess = () => undefined;
  watching.abort();
  write('\nStopping …\n');
  await Promise.all([supervisor.stop(), following]);
  log('info', 'local-stopped');
}

/** @throws AppError `environment-invalid` when an outside DNS is named, and not well. */
function layoutFor(layout: Layout, variables: Variables): Layout {
  const { settings, problems } = parseDynamicDns(variables);
  if (problems.length > 0) {
    throw new AppError(`the DNS server that the environment names:\n${problems.join('\n')}`, {
      code: 'environment-invalid',
      hint: 'Correct the variables, or unset TRIPOINT_SWITCH to use the embedded DNS.',
      retryable: false,
    });
  }
  return settings === null ? layout : withOutsideDns(layout, settings.server);
}

function bannerOf(up: {
  readonly layout: Layout;
  readonly supervisor: Supervisor;
  readonly startedInMs: number;
  readonly dir: string;
}): string {
  const { layout, supervisor, startedInMs, dir } = up;
  const { policies, sites } = supervisor.configuration;
  return renderBanner({
    layout,
    policies,
    siteUrls: new Map(sites.map(({ name, url }) => [name, url])),
    commandOptions: dir === DIR_DEFAULT ? '' : ` --dir ${shellWord(dir)}`,
    startedInMs,
  });
}

/** The first signal stops in order; a second one does not wait. */
function interrupted(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(EXIT_IMPATIENT));
        resolve(signal);
      });
    }
  });
}

function supervisorLog(layout: Layout): LogEvent {
  const file = logFileOf(layout, 'supervisor');
  return createLogger({
    source: 'supervisor',
    level: 'info',
    format: 'json',
    clock: SYSTEM_CLOCK,
    write: (line) => appendFileSync(file, line, { mode: 0o600 }),
  });
}

function timeOfDay(): string {
  return new Date(SYSTEM_CLOCK.wallNow()).toISOString().slice(11, 19);
}

function shellWord(text: string): string {
  return /^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
