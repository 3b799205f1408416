/**
 * `tripoint failover`, `tripoint failback`: plan, confirm, send, follow.
 *
 * What is confirmed is what is done: the target stands in the plan and in the command. Where nobody
 * can be asked and `--yes` is not given, the plan is printed and nothing happens (exit 2).
 */
import { type Command, Option } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import { actor, durationArgument, reasonArgument } from '../arguments.ts';
import { asDryRun } from '../dry-run.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import {
  planSwitch,
  preferredTarget,
  renderSwitchPlan,
  type SwitchPlan,
} from '../render/switch-plan.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';
import { awaitRun } from './await-run.ts';

const WAIT_MS_DEFAULT = 120_000;

interface SwitchOptions {
  readonly to?: string;
  readonly reason: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** false = `--no-wait`. */
  readonly wait: boolean;
  readonly timeout: number;
}

type SwitchKind = SwitchPlan['kind'];

export const registerSwitches: Register = (program, run) => {
  const failover: Command = switchCommand(program, 'failover')
    .description('Move a service to another site.')
    .addOption(
      new Option('--to <site>', 'target site; default: the first healthy one of the policy'),
    )
    .action((service: string, options: SwitchOptions) =>
      run(failover, (session) => switchService(session, { kind: 'failover', service, options })),
    );
  withExamples(failover, [
    'tripoint failover checkout --reason "maintenance" --dry-run',
    'tripoint failover checkout --to us-west-2 --reason "maintenance"',
  ]);
  const failback: Command = switchCommand(program, 'failback')
    .description('Move a service back to its primary site.')
    .action((service: string, options: SwitchOptions) =>
      run(failback, (session) => switchService(session, { kind: 'failback', service, options })),
    );
  withExamples(failback, [
    'tripoint failback checkout --reason "site is back" --dry-run',
    'tripoint failback checkout --reason "site is back" --yes',
  ]);
};

function switchCommand(program: Command, name: SwitchKind): Command {
  return program
    .command(name)
    .argument('<service>', 'service to move')
    .requiredOption('-r, --reason <text>', 'why, for the record', reasonArgument)
    .option('--force', 'also to a site that is not healthy; recorded')
    .option('-n, --dry-run', 'show what would be decided and changed, and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'return as soon as the run has begun')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the end of the run')
        .argParser(durationArgument)
        .default(WAIT_MS_DEFAULT, '2m'),
    );
}

interface Asked {
  readonly kind: SwitchKind;
  readonly service: string;
  readonly options: SwitchOptions;
}

async function switchService(session: Session, asked: Asked): Promise<ExitCode> {
  const { client } = await session.connect();
  const planned = await makePlan(session, client, asked);
  if (planned.kind === 'stopped') {
    return planned.exitCode;
  }
  const { plan } = planned;
  if (asked.options.dryRun === true) {
    session.result({ dryRun: true, plan }, () => renderSwitchPlan(plan, session.style));
    return plan.decision.accepted ? EXIT.ok : EXIT.refused;
  }
  if (!plan.decision.accepted) {
    return session.failed(refusalOf(plan), EXIT.refused);
  }
  const isConfirmed = asked.options.yes === true || (await isAgreed(session, plan));
  return isConfirmed ? perform(session, client, { asked, plan }) : EXIT.usage;
}

type Planned =
  | { readonly kind: 'planned'; readonly plan: SwitchPlan }
  | { readonly kind: 'stopped'; readonly exitCode: ExitCode };

async function makePlan(session: Session, client: ApiClient, asked: Asked): Promise<Planned> {
  const status = await client.status();
  if (status.kind !== 'ok') {
    return { kind: 'stopped', exitCode: session.refused(status) };
  }
  const { services } = status.value;
  const service = services.find((candidate) => candidate.service === asked.service);
  if (service === undefined) {
    const known = services.map((candidate) => candidate.service).join(', ');
    const failure = {
      code: 'unknown-service',
      message: `there is no service ${asked.service}`,
      hint: known === '' ? 'No services are configured yet.' : `Services: ${known}.`,
    };
    return { kind: 'stopped', exitCode: session.failed(failure) };
  }
  const preferred = asked.kind === 'failback' ? service.primary : preferredTarget(service);
  const to = asked.options.to ?? preferred;
  const decision = asDryRun(await ask(client, asked, { to, dryRun: true }));
  return decision.kind === 'ok'
    ? { kind: 'planned', plan: planSwitch(asked.kind, service, { to, decision: decision.value }) }
    : { kind: 'stopped', exitCode: session.refused(decision) };
}

interface Attempt {
  readonly to: string | null;
  readonly dryRun: boolean;
  readonly key?: string;
}

function ask(client: ApiClient, asked: Asked, { to, dryRun, key }: Attempt) {
  const { kind, service, options } = asked;
  const words = { reason: options.reason, force: options.force === true, by: actor(), dryRun };
  return kind === 'failback'
    ? client.failback(service, words, key)
    : client.failover(service, to === null ? words : { ...words, to }, key);
}

function refusalOf({ decision, service }: SwitchPlan) {
  const hint =
    decision.code === 'target-not-healthy'
      ? 'Wait until the site is healthy, or use --force, which is recorded.'
      : `\`tripoint status\` shows the state of ${service}; docs/failure-modes.md explains the code.`;
  return { code: decision.code, message: decision.sentence, hint };
}

async function isAgreed(session: Session, plan: SwitchPlan): Promise<boolean> {
  const { host } = session;
  if (!host.isInteractive || session.options.json) {
    session.result({ confirmed: false, plan }, () => renderSwitchPlan(plan, session.style));
    session.message(['Nothing was changed. The same command with --yes does it.']);
    return false;
  }
  host.writeMessage(`${renderSwitchPlan(plan, session.messageStyle).join('\n')}\n`);
  const answer = await host.ask(`Move ${plan.service} to ${plan.to ?? '?'} now? [y/N] `);
  const isYes = /^y(es)?$/i.test(answer.trim());
  session.message(isYes ? [] : ['Nothing was changed.']);
  return isYes;
}

interface Confirmed {
  readonly asked: Asked;
  readonly plan: SwitchPlan;
}

async function perform(
  session: Session,
  client: ApiClient,
  { asked, plan }: Confirmed,
): Promise<ExitCode> {
  const sent = await sendOnce(session.host, (key) =>
    ask(client, asked, { to: plan.to, dryRun: false, key }),
  );
  if (sent.kind !== 'accepted') {
    return session.refused(sent);
  }
  const { run, sentence, index } = sent.value;
  session.message([`accepted: ${session.messageStyle(sentence, 'plain')} (entry ${index})`]);
  if (run !== undefined && asked.options.wait) {
    return awaitRun(session, client, { id: run, timeoutMs: asked.options.timeout });
  }
  session.result({ accepted: sent.value, run: null }, () => (run === undefined ? [] : [run]));
  session.suggest(
    run === undefined ? null : { command: `tripoint runs ${run}`, why: 'shows how far it is' },
  );
  return EXIT.ok;
}
