/**
 * `tripoint failover`, `tripoint failback`: plan, confirm, send, follow.
 *
 * What is confirmed is what is done: the target stands in the plan and in the command. Where nobody
 * can be asked and `--yes` is not given, the plan is printed and nothing happens (exit 2).
 */
import { type Command, Option } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { TabletopJson } from '../../api/preparation-schemas.ts';
import { actor, durationArgument, reasonArgument } from '../arguments.ts';
import { isConfirmed } from '../confirm.ts';
import { asDryRun } from '../dry-run.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { planSwitch, renderSwitchPlan, type SwitchPlan } from '../render/switch-plan.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';
import { awaitRun } from './await-run.ts';

const WAIT_MS_DEFAULT = 120_000;

interface SwitchOptions {
  readonly to?: string;
  readonly reason: string;
  readonly force?: boolean;
  readonly mode?: 'graceful' | 'emergency';
  readonly acceptLoss?: boolean;
  /** Only of `failback`. */
  readonly atOnce?: boolean;
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
    .addOption(new Option('--to <site>', 'target site; default: as the policy decides'))
    .action((service: string, options: SwitchOptions) =>
      run(failover, (session) => switchService(session, { kind: 'failover', service, options })),
    );
  withExamples(failover, [
    'tripoint failover checkout --reason "maintenance" --dry-run',
    'tripoint failover checkout --to us-west-2 --reason "maintenance"',
    'tripoint failover checkout --mode emergency --accept-loss --reason "us-east-1 is gone"',
  ]);
  const failback: Command = switchCommand(program, 'failback')
    .description('Move a service back to its primary site, by the steps of its policy.')
    .option('--at-once', 'all of the traffic in one step, whatever the steps of the policy are')
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
    .addOption(
      new Option(
        '--mode <mode>',
        'graceful: lose nothing; emergency: leave out what cannot be had; default: by whether the active site lives',
      ).choices(['graceful', 'emergency']),
    )
    .option('--accept-loss', 'accept the data loss that the plan shows; recorded')
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
  const { plan, to } = planned;
  if (asked.options.dryRun === true) {
    const tabletop = await playThrough(client, asked);
    session.result({ dryRun: true, plan, tabletop }, () =>
      renderSwitchPlan(plan, session.style, tabletop),
    );
    return plan.decision.accepted ? EXIT.ok : EXIT.refused;
  }
  if (!plan.decision.accepted) {
    return session.failed(refusalOf(plan), EXIT.refused);
  }
  const agreed = await isConfirmed(session, {
    document: { plan },
    lines: (style) => renderSwitchPlan(plan, style),
    question: `Move ${plan.service} to ${plan.to ?? '?'} now?`,
    yes: asked.options.yes === true,
  });
  return agreed ? perform(session, client, { asked, to }) : EXIT.usage;
}

type Planned =
  | { readonly kind: 'planned'; readonly plan: SwitchPlan; readonly to: string | null }
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
  const to = asked.options.to ?? null;
  const decision = asDryRun(await ask(client, asked, { to, dryRun: true }));
  if (decision.kind !== 'ok') {
    return { kind: 'stopped', exitCode: session.refused(decision) };
  }
  const plan = planSwitch(asked.kind, service, { asked: to, decision: decision.value });
  // Of shares nobody names one target: who asks for none asks for the sick sites to be taken out.
  const isNamed = service.strategy !== 'active-active';
  return { kind: 'planned', plan, to: isNamed ? plan.to : to };
}

/** The calls and records of each step; null = nobody could say, and the plan alone must do. */
async function playThrough(client: ApiClient, asked: Asked): Promise<TabletopJson | null> {
  const { kind, service, options } = asked;
  const played = await client.tabletop(service, {
    kind,
    ...(options.to === undefined ? {} : { to: options.to }),
    ...wordsOf(options),
    ...(kind === 'failback' ? { atOnce: options.atOnce === true } : {}),
  });
  return played.kind === 'ok' ? played.value : null;
}

function wordsOf({ mode, force, acceptLoss }: SwitchOptions) {
  return {
    force: force === true,
    acceptLoss: acceptLoss === true,
    ...(mode === undefined ? {} : { mode }),
    by: actor(),
  };
}

interface Attempt {
  readonly to: string | null;
  readonly dryRun: boolean;
  readonly key?: string;
}

function ask(client: ApiClient, asked: Asked, { to, dryRun, key }: Attempt) {
  const { kind, service, options } = asked;
  const words = {
    reason: options.reason,
    ...wordsOf(options),
    dryRun,
  };
  return kind === 'failback'
    ? client.failback(service, { ...words, atOnce: options.atOnce === true }, key)
    : client.failover(service, to === null ? words : { ...words, to }, key);
}

function refusalOf({ decision, service }: SwitchPlan) {
  const usual = `\`tripoint status\` shows the state of ${service}; docs/failure-modes.md explains the code.`;
  const hint = HINTS[decision.code] ?? usual;
  return { code: decision.code, message: decision.sentence, hint };
}

const HINTS: { readonly [code: string]: string | undefined } = {
  'target-not-healthy': 'Wait until the site is healthy, or use --force, which is recorded.',
  'data-loss-over-limit':
    'Wait until the data have arrived, or use --accept-loss, which is recorded.',
  'data-loss-unknown': 'Find out how far the data are, or use --accept-loss, which is recorded.',
};

interface Confirmed {
  readonly asked: Asked;
  readonly to: string | null;
}

async function perform(
  session: Session,
  client: ApiClient,
  { asked, to }: Confirmed,
): Promise<ExitCode> {
  const sent = await sendOnce(session.host, (key) =>
    ask(client, asked, { to, dryRun: false, key }),
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
