/**
 * Brings up a whole Tripoint on one machine: three regions, DNS and sites, each its own process.
 *
 * The order of a first start is what makes it safe to be cut off at any instant and started again:
 *
 * ```
 * identity on disk ▶ stores open ▶ registers made ▶ "bootstrapped" on disk ▶ regions run ▶ leader
 *                                  ▲ repeatable      ▲ from here on a missing register is a loss
 * ▶ configuration through the API ▶ its hash on disk ▶ sites beat ▶ DNS records stand
 * ```
 * Everything goes through the same ports and the same API as on AWS; nothing reaches into a store.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { LogEvent } from '../base/log.ts';
import type { Variables } from '../config/expansion.ts';
import type { Child } from './child.ts';
import { planChildren } from './child-plans.ts';
import {
  type ClusterRecord,
  newSecret,
  openClusterRecord,
  saveClusterRecord,
} from './cluster-file.ts';
import { pathExists } from './durable-file.ts';
import { applyConfiguration, untilLeaderStands, untilServicesStand } from './first-steps.ts';
import { listen } from './listen.ts';
import { type LocalConfiguration, loadLocalConfiguration } from './local-configuration.ts';
import { describeLocal, writeLocalFile } from './local-file.ts';
import { DNS_PROCESS, type Layout } from './local-layout.ts';
import { requireFreePorts } from './ports.ts';
import { type ProcessEvent, ProcessTable } from './process-table.ts';
import { createSupervisorApi } from './supervisor-api.ts';
import { requireNotRunning, type SupervisorLock, takeSupervisorLock } from './supervisor-lock.ts';

/** Ctrl-C to the last process gone: below three seconds. */
const STOP_GRACE_MS = 2000;

export interface SupervisorOptions {
  readonly layout: Layout;
  readonly configFile: string;
  /** What `${NAME}` in the configuration stands for. */
  readonly variables: Variables;
  readonly clock: Clock;
  readonly log: LogEvent;
  readonly onProcessEvent: (event: ProcessEvent) => void;
}

export interface Supervisor {
  readonly configuration: LocalConfiguration;
  /** What a person should look at though all is up, as sentences. */
  readonly troubles: readonly string[];
  /** Resolves when somebody asked for an end over the admin API. */
  readonly stopRequested: Promise<void>;
  /** Ends every process in order; resolves when none is left. */
  readonly stop: () => Promise<void>;
}

/**
 * Resolves when regions lead, DNS answers and sites beat.
 * @throws AppError with nothing left running: `already-running`, `port-in-use`, `config-invalid`,
 * or the failure of a child.
 */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { layout, clock, log, onProcessEvent } = options;
  await mkdir(layout.logDir, { recursive: true, mode: 0o700 });
  await mkdir(dirname(layout.dns.zoneFile), { recursive: true });
  await requireNotRunning(layout.lockFile);
  const token = newSecret();
  const stopping = Promise.withResolvers<void>();
  const table = new ProcessTable({ log, onEvent: onProcessEvent, now: clock.monotonicNow });
  const api = createSupervisorApi({ token, table, requestStop: stopping.resolve });
  const listener = await listen(api, { port: layout.supervisor.port });
  let lock: SupervisorLock | null = null;
  const stop = async () => {
    await table.stopAll(STOP_GRACE_MS);
    await listener.close();
    if (lock !== null) {
      // It would send the command line to nobody. After a kill it stays, and the CLI says so.
      await rm(layout.localFile, { force: true });
      lock.release();
    }
  };
  try {
    const holder = { pid: process.pid, url: layout.supervisor.url, token };
    lock = await takeSupervisorLock(layout.lockFile, holder);
    const { configuration, troubles } = await bringUp(options, table);
    const siteUrls = new Map(configuration.sites.map(({ name, url }) => [name, url]));
    const { record } = configuration;
    await writeLocalFile(
      layout.localFile,
      describeLocal({ layout, record, supervisorToken: token, siteUrls }),
    );
    return { configuration, troubles, stopRequested: stopping.promise, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function bringUp(
  options: SupervisorOptions,
  table: ProcessTable,
): Promise<Pick<Supervisor, 'configuration' | 'troubles'>> {
  const { layout, clock } = options;
  await requireNoStrangers(layout);
  const opened = await openClusterRecord(layout.clusterFile);
  const configuration = await loadLocalConfiguration({
    file: options.configFile,
    layout,
    record: opened,
    variables: options.variables,
  });
  const { sites } = configuration;
  let { record } = configuration;
  const save = async (change: Partial<ClusterRecord>) => {
    record = { ...record, ...change };
    await saveClusterRecord(layout.clusterFile, record);
    table.plan(planChildren({ layout, record, sites }));
  };
  await requireFreePorts(layout, sites, clock.sleep);
  await save({});
  const children = table.spawnAll();
  const begin = async () => {
    await Promise.all([...children.values()].map(({ prepared }) => prepared));
    if (!record.bootstrapped) {
      // Loaded while the children load, and only where it is needed: the AWS SDK takes its time.
      const { makeRegisters } = await import('./make-registers.ts');
      await makeRegisters(layout, record.clusterId);
      await save({ bootstrapped: true });
    }
    await runAll(children, (name) => name === DNS_PROCESS || isRegion(layout, name));
    await untilLeaderStands(layout, clock);
    if (record.configuredFrom !== configuration.hash) {
      const { policies, monitors } = configuration;
      const { operatorToken } = record;
      await applyConfiguration({ layout, operatorToken, policies, monitors });
      await save({ configuredFrom: configuration.hash });
    }
    await runAll(children, () => true);
    return await untilServicesStand(layout, clock);
  };
  const troubles = await Promise.race([begin(), anyEnds(children)]);
  return { configuration: { ...configuration, record }, troubles };
}

/**
 * Stores without a cluster record belong to a cluster whose record was lost. A new record would
 * make them look like leftovers of a start that was cut off, which are begun again.
 */
async function requireNoStrangers({ clusterFile, regions }: Layout): Promise<void> {
  const hasRecord = await pathExists(clusterFile);
  const stores = await Promise.all(regions.map(({ databaseDir }) => pathExists(databaseDir)));
  if (!hasRecord && stores.includes(true)) {
    throw new AppError(`${clusterFile} is gone, but the stores of its cluster are there`, {
      code: 'cluster-file-lost',
      hint: 'Restore the file, or remove the whole folder to begin anew.',
      retryable: false,
    });
  }
}

/** Lets the children of these names begin, and waits until they work. Repeating it is harmless. */
async function runAll(
  children: ReadonlyMap<string, Child>,
  isMeant: (name: string) => boolean,
): Promise<void> {
  const meant = [...children].filter(([name]) => isMeant(name)).map(([, child]) => child);
  for (const child of meant) {
    child.run();
  }
  await Promise.all(meant.map(({ ready }) => ready));
}

/** Never resolves; rejects when the first child ends, so that nobody waits for what cannot come. */
async function anyEnds(children: ReadonlyMap<string, Child>): Promise<never> {
  const { name, code, signal } = await Promise.race(
    [...children].map(async ([child, { exited }]) => ({ name: child, ...(await exited) })),
  );
  throw new AppError(`${name} ended (${signal ?? `exit code ${code}`}) during the start`, {
    code: 'process-ended-early',
    hint: 'Its log, under logs/ of the folder, tells why.',
    retryable: true,
  });
}

function isRegion(layout: Layout, name: string): boolean {
  return layout.regions.some(({ region }) => region === name);
}
