/**
 * `tripoint failover`, `tripoint failback`: plan, confirm, send, follow.
 *
 * What is confirmed is what is done: the target stands in the plan and in the command. Where nobody
 * can be asked and `--yes` is not given, the plan is printed and nothing happens (exit 2).
 */
import { type Command, Option } from 'commander';
import type { RunJson, ServiceJson } from '../../api/schemas.ts';
import type { Api, Request } from '../api.ts';
import { actor, durationArgument, reasonArgument } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { followRun } from '../follow-run.ts';
import { type Register, withExamples } from '../invocation.ts';
import { nextAfterRun } from '../render/next.ts';
import { renderProgress, renderRun } from '../render/runs.ts';
import {
  planSwitch,
  preferredTarget,
  renderSwitchPlan,
  type SwitchPlan,
} from '../render/switch-plan.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';

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

type SwitchKind = 'failover' | 'failback';

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
    .option(
      '--timeout <duration>',
      'how long to wait for the end of the run',
      durationArgument,
      WAIT_MS_DEFAULT,
    );
}

interface Asked {
  readonly kind: SwitchKind;
  readonly service: string;
  readonly options: SwitchOptions;
}

async function switchService(session: Session, asked: Asked): Promise<ExitCode> {
  const { api } = await session.connect();
  const planned = await makePlan(session, api, asked);
  if (planned.kind === 'stopped') {
    return planned.exitCode;
  }
  const { plan, request } = planned;
  if (asked.options.dryRun === true) {
    session.result({ dryRun: true, plan }, () => renderSwitchPlan(plan, session.style));
    return plan.decision.accepted ? EXIT.ok : EXIT.refused;
  }
  if (!plan.decision.accepted) {
    return session.failed(refusalOf(plan), EXIT.refused);
  }
  const confirmation = await confirm(session, asked, plan);
  return confirmation === null ? perform(session, api, { request, asked }) : confirmation;
}

type Planned =
  | { readonly kind: 'planned'; readonly plan: SwitchPlan; readonly request: Request }
  | { readonly kind: 'stopped'; readonly exitCode: ExitCode };

async function makePlan(session: Session, api: Api, asked: Asked): Promise<Planned> {
  const status = await api.status();
  if (status.kind !== 'answered') {
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
  const { to, request } = requestFor(asked, service);
  const decision = await api.dryRun(request);
  return decision.kind === 'answered'
    ? {
        kind: 'planned',
        request,
        plan: planSwitch(asked.kind, service, { to, decision: decision.value }),
      }
    : { kind: 'stopped', exitCode: session.refused(decision) };
}

function requestFor({ kind, service, options }: Asked, known: ServiceJson) {
  const common = { service, force: options.force === true, reason: options.reason, by: actor() };
  if (kind === 'failback') {
    return { to: known.primary, request: { ...common, kind } as const };
  }
  const to = options.to ?? preferredTarget(known);
  return { to, request: { ...common, kind, to } as const };
}

function refusalOf({ decision, service }: SwitchPlan) {
  const hint =
    decision.code === 'target-not-healthy'
      ? 'Wait until the site is healthy, or use --force, which is recorded.'
      : `\`tripoint status\` shows the state of ${service}; docs/failure-modes.md explains the code.`;
  return { code: decision.code, message: decision.sentence, hint };
}

/** null = go on; else the exit code with which the command ends. */
async function confirm(
  session: Session,
  { options }: Asked,
  plan: SwitchPlan,
): Promise<ExitCode | null> {
  const { host } = session;
  if (options.yes === true) {
    return null;
  }
  if (!host.isInteractive || session.options.json) {
    session.result({ confirmed: false, plan }, () => renderSwitchPlan(plan, session.style));
    session.message([`Nothing was changed. The same command with --yes does it.`]);
    return EXIT.usage;
  }
  host.writeMessage(`${renderSwitchPlan(plan, session.messageStyle).join('\n')}\n`);
  const answer = await host.ask(`Move ${plan.service} to ${plan.to ?? '?'} now? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) {
    return null;
  }
  session.message(['Nothing was changed.']);
  return EXIT.usage;
}

interface Performance {
  readonly request: Request;
  readonly asked: Asked;
}

async function perform(
  session: Session,
  api: Api,
  { request, asked }: Performance,
): Promise<ExitCode> {
  const sent = await sendOnce(api, session.host, request);
  switch (sent.kind) {
    case 'refused':
      return session.refused({ kind: 'problem', problem: sent.problem });
    case 'unknown':
      return session.failed(unknownOutcome(sent), EXIT.unknown);
    case 'accepted': {
      const { run } = sent.value;
      session.message([`accepted: ${sent.value.sentence} (entry ${sent.value.index})`]);
      return run === undefined || !asked.options.wait
        ? begun(session, sent.value)
        : awaitRun(session, api, { id: run, timeoutMs: asked.options.timeout });
    }
  }
}

/** What to tell of a command that may or may not be in the log. */
export function unknownOutcome({ command, detail }: { command: string; detail: string }) {
  return {
    code: 'outcome-unknown',
    message: `nobody knows whether the command was taken: ${detail}`,
    hint: `Command id ${command}. \`tripoint status\` and \`tripoint log\` show whether it was.`,
    command,
  };
}

function begun(session: Session, accepted: { readonly run?: string | undefined }): ExitCode {
  const { run } = accepted;
  session.result({ accepted, run: null }, () => (run === undefined ? [] : [run]));
  session.suggest(
    run === undefined ? null : { command: `tripoint runs ${run}`, why: 'shows how far it is' },
  );
  return EXIT.ok;
}

async function awaitRun(
  session: Session,
  api: Api,
  { id, timeoutMs }: { readonly id: string; readonly timeoutMs: number },
): Promise<ExitCode> {
  const tell = (before: RunJson | null, after: RunJson) =>
    session.message(renderProgress(before, after, session.messageStyle));
  const followed = await followRun({ api, host: session.host, id, timeoutMs, onChange: tell });
  switch (followed.kind) {
    case 'ended': {
      const { run } = followed;
      session.message(['']);
      session.result({ run }, () => renderRun(run, session.style));
      session.suggest(nextAfterRun(run));
      return run.outcome.kind === 'done' ? EXIT.ok : EXIT.error;
    }
    case 'timed-out':
      return session.failed(stillRunning(id, followed.detail), EXIT.unknown);
    case 'interrupted':
      return session.failed(stillRunning(id, 'interrupted'), EXIT.interrupted);
  }
}

function stillRunning(id: string, detail: string) {
  return {
    code: 'run-not-awaited',
    message: `the wait for run ${id} ended before the run did: ${detail}`,
    hint: `It goes on without this command: \`tripoint runs ${id}\` shows it.`,
    run: id,
  };
}
