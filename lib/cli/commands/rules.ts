/**
 * `tripoint freeze`, `unfreeze`, `override`, `acknowledge`: what people do to the rules that hold
 * automatic runs back. Whatever loosens a rule is asked for, written down, and ends by itself.
 */
import { type Command, Option } from 'commander';
import {
  acknowledge,
  endOverride,
  freeze,
  startOverride,
  unfreeze,
} from '../../api/recovery-client.ts';
import { formatDuration } from '../../config/duration.ts';
import { RUN_LIMITS } from '../../recovery/limits.ts';
import { OVERRIDE_RULES, type OverrideRule } from '../../recovery/overrides.ts';
import { actor, durationBetween, reasonArgument } from '../arguments.ts';
import { isConfirmed } from '../confirm.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, type Run, withExamples } from '../invocation.ts';
import { sendCommand, tryCommand } from '../send-command.ts';
import type { Session } from '../session.ts';

const SHORTEST_MS = 1000;

interface Options {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface LastingOptions extends Options {
  readonly for: number;
}

export const registerRules: Register = (program, run) => {
  registerFreeze(program, run);
  registerUnfreeze(program, run);
  registerOverride(program, run);
  const acknowledged: Command = withWords(program.command('acknowledge'))
    .description('Say that you have seen the last automatic run: the next one may follow.')
    .argument('<service>', 'service whose run was seen')
    .action((service: string, options: Options) =>
      run(acknowledged, (session) =>
        sendCommand(session, (client, key) =>
          acknowledge(client, { service, reason: options.reason, by: actor() }, key),
        ),
      ),
    );
  withExamples(acknowledged, ['tripoint acknowledge checkout --reason "disk full, cleaned up"']);
};

function withWords(command: Command): Command {
  return command.requiredOption('-r, --reason <text>', 'why, for the record', reasonArgument);
}

function registerFreeze(program: Command, run: Run): void {
  const start: Command = withWords(program.command('freeze'))
    .description('Nothing moves by itself, of one service or of all. It ends by itself.')
    .argument('[service]', 'service to freeze; none = all, the kill switch')
    .requiredOption(
      '--for <duration>',
      'how long, at most 168h',
      durationBetween(SHORTEST_MS, RUN_LIMITS.freezeMsMax),
    )
    .option('-n, --dry-run', 'say what would happen, and change nothing')
    .action((name: string | undefined, options: LastingOptions) =>
      run(start, (session) => {
        const service = name ?? null;
        const words = { service, forMs: options.for, reason: options.reason, by: actor() };
        return options.dryRun === true
          ? tryCommand(session, (client) => freeze(client, { ...words, dryRun: true }))
          : sendCommand(session, (client, key) => freeze(client, words, key));
      }),
    );
  withExamples(start, [
    'tripoint freeze checkout --for 2h --reason "migration"',
    'tripoint freeze --for 30m --reason "provider outage"',
  ]);
}

function registerUnfreeze(program: Command, run: Run): void {
  const end: Command = withWords(program.command('unfreeze'))
    .description('End a freeze before its time. What failed meanwhile is looked at at once.')
    .argument('[service]', 'service that is frozen; none = the freeze of all')
    .action((name: string | undefined, options: Options) =>
      run(end, (session) =>
        sendCommand(session, (client, key) =>
          unfreeze(client, { service: name ?? null, reason: options.reason, by: actor() }, key),
        ),
      ),
    );
  withExamples(end, ['tripoint unfreeze checkout --reason "migration done"']);
}

interface OverrideOptions extends Partial<LastingOptions> {
  readonly reason: string;
  /** Lets the rule hold again. */
  readonly end?: boolean;
}

function registerOverride(program: Command, run: Run): void {
  const override: Command = withWords(program.command('override'))
    .description('Set one safety rule of a service aside for a while; or let it hold again.')
    .argument('<service>', 'service')
    .addArgument(program.createArgument('<rule>', 'safety rule').choices(OVERRIDE_RULES))
    .addOption(
      new Option('--for <duration>', 'how long, at most 24h; required without --end').argParser(
        durationBetween(SHORTEST_MS, RUN_LIMITS.overrideMsMax),
      ),
    )
    .option('--end', 'the rule holds again')
    .option('-n, --dry-run', 'say what would happen, and change nothing')
    .option('-y, --yes', 'do not ask')
    .action((service: string, rule: OverrideRule, options: OverrideOptions) =>
      run(override, (session) =>
        options.end === true
          ? sendCommand(session, (client, key) =>
              endOverride(client, { service, rule, reason: options.reason, by: actor() }, key),
            )
          : setAside(session, { service, rule }, options),
      ),
    );
  withExamples(override, [
    'tripoint override checkout hold-down --for 30m --reason "flapping is found"',
    'tripoint override checkout hold-down --end --reason "done"',
  ]);
}

async function setAside(
  session: Session,
  { service, rule }: { readonly service: string; readonly rule: OverrideRule },
  options: OverrideOptions,
): Promise<ExitCode> {
  const { for: forMs, reason } = options;
  if (forMs === undefined) {
    const hint = 'Say how long with --for, e.g. --for 30m; or let the rule hold again with --end.';
    const message = 'an override must end by itself';
    return session.failed({ code: 'duration-missing', message, hint }, EXIT.usage);
  }
  const words = { service, rule, forMs, reason, by: actor() };
  if (options.dryRun === true) {
    return tryCommand(session, (client) => startOverride(client, { ...words, dryRun: true }));
  }
  const agreed = await isConfirmed(session, {
    document: { override: { service, rule, forMs } },
    lines: (style) => [
      `${style(`${rule} of ${service}`, 'strong')}: ${RULE_WORDS[rule]}`,
      `  for ${formatDuration(forMs)}, then the rule holds again`,
    ],
    question: `Set ${rule} of ${service} aside now?`,
    yes: options.yes === true,
  });
  return agreed
    ? sendCommand(session, (client, key) => startOverride(client, words, key))
    : EXIT.usage;
}

const RULE_WORDS: { readonly [rule in OverrideRule]: string } = {
  'hold-down': 'an automatic run may follow another at once',
  'daily-budget': 'automatic runs of the last 24 hours are not counted',
  'data-loss': 'runs start whatever data they lose; the loss is written down',
  acknowledgement: 'automatic runs follow though nobody has seen the last one',
  approval: 'runs wait for no second person',
};
