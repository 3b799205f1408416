/** `tripoint validate`, `tripoint apply`: the configuration file, checked and put into the log. */
import type { Command } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { StatusJson } from '../../api/schemas.ts';
import type { ParsedConfiguration } from '../../config/parse.ts';
import type { Problem } from '../../config/problem.ts';
import type { MonitorPolicy, ServicePolicy } from '../../recovery/policy.ts';
import { actor, reasonArgument } from '../arguments.ts';
import { readConfigurationFile } from '../configuration-file.ts';
import { asDryRun } from '../dry-run.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import {
  type ConfigurationChange,
  configurationChanges,
  renderConfigurationChanges,
} from '../render/configuration-changes.ts';
import { monitorChanges } from '../render/monitor-changes.ts';
import { renderFileProblems } from '../render/problems.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';

interface ApplyOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly reason: string;
}

export const registerConfiguration: Register = (program, run) => {
  const validate: Command = program
    .command('validate')
    .description('Check a configuration file; lists every problem at once.')
    .argument('<file>', 'YAML file')
    .action((file: string) => run(validate, (session) => validateFile(session, file)));
  withExamples(validate, ['tripoint validate docs/examples/tripoint.yaml']);

  const apply: Command = program
    .command('apply')
    .description('Put a configuration file into the log: all of it, or nothing.')
    .argument('<file>', 'YAML file')
    .option('-r, --reason <text>', 'why, for the record', reasonArgument, 'configuration applied')
    .option('-n, --dry-run', 'show what would change, and change nothing')
    .option('-y, --yes', 'do not ask when services are removed')
    .action((file: string, options: ApplyOptions) =>
      run(apply, (session) => applyFile(session, file, options)),
    );
  withExamples(apply, ['tripoint apply tripoint.yaml --dry-run', 'tripoint apply tripoint.yaml']);
};

async function validateFile(session: Session, file: string): Promise<ExitCode> {
  const parsed = await readConfigurationFile(session, file);
  if (parsed.kind === 'invalid') {
    return invalid(session, file, parsed.problems);
  }
  const { policies, hash } = parsed;
  const services = policies.map(({ service }) => service);
  const monitors = parsed.monitors.map(({ service }) => service);
  session.result({ valid: true, hash, services, monitors, problems: [] }, () => [
    `${session.style('● valid', 'good')}: ${[...services, ...monitors].join(', ')}`,
    `hash ${hash}`,
  ]);
  session.suggest({ command: `tripoint apply ${file} --dry-run`, why: 'shows what would change' });
  return EXIT.ok;
}

/** Problems are what was asked for, so they are data. */
function invalid(session: Session, file: string, problems: readonly Problem[]): ExitCode {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  session.result({ valid: false, problems }, () =>
    renderFileProblems(file, problems, session.style),
  );
  session.message([`${session.messageStyle(`✖ ${count}`, 'bad')} in ${file}`]);
  return EXIT.error;
}

async function applyFile(session: Session, file: string, options: ApplyOptions): Promise<ExitCode> {
  const parsed = await readConfigurationFile(session, file);
  if (parsed.kind === 'invalid') {
    return invalid(session, file, parsed.problems);
  }
  const { client } = await session.connect();
  const status = await client.status();
  if (status.kind !== 'ok') {
    return session.refused(status);
  }
  const comparison = compare(parsed, status.value);
  if (comparison.isUnchanged) {
    session.result({ changed: false, ...comparison }, () => [
      'nothing to change: this configuration is in force',
    ]);
    return EXIT.ok;
  }
  const { policies, monitors } = parsed;
  const request = { policies, monitors, reason: options.reason, by: actor() };
  if (options.dryRun === true) {
    return dryRun(session, client, { request, comparison });
  }
  const confirmation = await confirmRemovals(session, options, comparison);
  return confirmation ?? send(session, client, { request, comparison });
}

interface Comparison {
  readonly isUnchanged: boolean;
  readonly hash: string;
  readonly changes: readonly ConfigurationChange[];
}

function compare(
  { policies, monitors, hash }: Extract<ParsedConfiguration, { kind: 'valid' }>,
  { services, monitors: watched, configHash }: StatusJson,
): Comparison {
  return {
    isUnchanged: hash === configHash,
    hash,
    changes: [...configurationChanges(services, policies), ...monitorChanges(watched, monitors)],
  };
}

interface Application {
  readonly request: {
    readonly policies: readonly ServicePolicy[];
    readonly monitors: readonly MonitorPolicy[];
    readonly reason: string;
    readonly by: string;
  };
  readonly comparison: Comparison;
}

async function dryRun(
  session: Session,
  client: ApiClient,
  { request, comparison }: Application,
): Promise<ExitCode> {
  const { policies, monitors, ...ask } = request;
  const configuration = { policies, monitors };
  const answer = asDryRun(await client.applyConfig(configuration, { ...ask, dryRun: true }));
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  const { wouldBe, code, sentence } = answer.value;
  session.result({ dryRun: true, wouldBe, code, sentence, ...comparison }, () => [
    ...renderConfigurationChanges(comparison.changes, session.style),
    `would be ${wouldBe}: ${session.style(sentence, 'plain')}`,
  ]);
  return wouldBe === 'accepted' ? EXIT.ok : EXIT.refused;
}

/** A service that leaves the file is no longer protected: that is never done by accident. */
async function confirmRemovals(
  session: Session,
  options: ApplyOptions,
  { changes }: Comparison,
): Promise<ExitCode | null> {
  const removed = changes.filter(({ kind }) => kind === 'remove').map(({ service }) => service);
  if (removed.length === 0 || options.yes === true) {
    return null;
  }
  const { host } = session;
  if (!host.isInteractive || session.options.json) {
    session.result({ confirmed: false, changes }, () =>
      renderConfigurationChanges(changes, session.style),
    );
    session.message(['Nothing was changed. The same command with --yes does it.']);
    return EXIT.usage;
  }
  host.writeMessage(`${renderConfigurationChanges(changes, session.messageStyle).join('\n')}\n`);
  const answer = await host.ask(`Stop protecting ${removed.join(', ')}? [y/N] `);
  return /^y(es)?$/i.test(answer.trim()) ? null : EXIT.usage;
}

async function send(
  session: Session,
  client: ApiClient,
  { request, comparison }: Application,
): Promise<ExitCode> {
  const { policies, monitors, ...ask } = request;
  const configuration = { policies, monitors };
  const sent = await sendOnce(session.host, (key) => client.applyConfig(configuration, ask, key));
  if (sent.kind !== 'accepted') {
    return session.refused(sent);
  }
  session.result({ changed: true, accepted: sent.value, ...comparison }, () => [
    ...renderConfigurationChanges(comparison.changes, session.style),
    `applied at entry ${sent.value.index}`,
  ]);
  session.suggest({ command: 'tripoint status', why: 'shows the services' });
  return EXIT.ok;
}
