/** `tripoint approve`, `reject`, `cancel`: what people say to a run that is under way. */
import type { Command } from 'commander';
import type { ApiClient, ReadAnswer } from '../../api/client.ts';
import { cancelRun, settleApproval } from '../../api/recovery-client.ts';
import type { RunJson } from '../../api/schemas.ts';
import { actor, nameArgument, reasonArgument } from '../arguments.ts';
import { isConfirmed } from '../confirm.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, type Run, withExamples } from '../invocation.ts';
import { lossText } from '../render/recovery.ts';
import type { Style } from '../render/style.ts';
import { sendCommand, tryCommand } from '../send-command.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface ApprovalOptions extends Options {
  readonly step?: string;
  readonly by?: string;
}

type Verdict = 'approve' | 'reject';

export const registerRunControl: Register = (program, run) => {
  registerVerdict(program, run, 'approve');
  registerVerdict(program, run, 'reject');
  const cancel: Command = command(program, 'cancel')
    .description('End an open run, and take back what it did.')
    .action((id: string, options: Options) =>
      run(cancel, (session) => cancelIfAgreed(session, id, options)),
    );
  withExamples(cancel, ['tripoint cancel checkout-42 --reason "wrong site"']);
};

function command(program: Command, name: string): Command {
  return program
    .command(name)
    .argument('<run>', 'id of the run; `tripoint runs` lists them')
    .requiredOption('-r, --reason <text>', 'why, for the record', reasonArgument)
    .option('-n, --dry-run', 'say what would happen, and change nothing')
    .option('-y, --yes', 'do not ask');
}

const DESCRIPTIONS: { readonly [verdict in Verdict]: string } = {
  approve: 'Let a run go on that waits for a second person. Never by the one who asked for it.',
  reject: 'End a run that waits for a second person.',
};

function registerVerdict(program: Command, run: Run, verdict: Verdict): void {
  const spoken: Command = command(program, verdict)
    .description(DESCRIPTIONS[verdict])
    .option('--step <name>', 'which step, where more than one waits')
    .option('--by <name>', 'who says so, for the record; default: the login name', nameArgument)
    .action((id: string, options: ApprovalOptions) =>
      run(spoken, (session) => settle(session, { id, verdict }, options)),
    );
  withExamples(spoken, [`tripoint ${verdict} checkout-42 --reason "read by two of us"`]);
}

interface Asked {
  readonly id: string;
  readonly verdict: Verdict;
}

async function settle(
  session: Session,
  { id, verdict }: Asked,
  options: ApprovalOptions,
): Promise<ExitCode> {
  const { client } = await session.connect();
  const found = await findRun(client, id);
  if (found.kind !== 'ok') {
    return session.refused(found);
  }
  const run = found.value;
  const waiting = run.waitingFor.filter((one) => one.step === (options.step ?? one.step));
  const [awaited] = waiting;
  if (awaited === undefined || waiting.length > 1) {
    return session.failed(notOne(run, waiting), awaited === undefined ? EXIT.refused : EXIT.usage);
  }
  const step = awaited.step;
  const words = { run: id, step, verdict, reason: options.reason };
  const asked = { ...words, by: options.by ?? actor() };
  if (options.dryRun === true) {
    return tryCommand(session, (api) => settleApproval(api, { ...asked, dryRun: true }));
  }
  const agreed = await isConfirmed(session, {
    document: { [verdict]: { run: id, step, loss: run.loss } },
    lines: (style) => approvalLines(run, awaited, style),
    question: `${verdict === 'approve' ? 'Approve' : 'Reject'} ${step} of ${id} now?`,
    yes: options.yes === true,
  });
  return agreed ? sendCommand(session, (api, key) => settleApproval(api, asked, key)) : EXIT.usage;
}

function findRun(client: ApiClient, id: string): Promise<ReadAnswer<RunJson>> {
  return client.run(id);
}

type Awaited = RunJson['waitingFor'][number];

function notOne(run: RunJson, waiting: readonly Awaited[]) {
  const names = waiting.map(({ step }) => step).join(', ');
  return waiting.length === 0
    ? {
        code: 'not-waiting-for-approval',
        message: `run ${run.run} does not wait for an approval`,
        hint: `\`tripoint runs ${run.run}\` shows what it does.`,
      }
    : {
        code: 'several-steps-wait',
        message: `several steps of run ${run.run} wait: ${names}`,
        hint: 'Name one with --step.',
      };
}

function approvalLines(run: RunJson, { step, detail }: Awaited, style: Style): readonly string[] {
  return [
    `${style(`${run.mode} ${run.kind} of ${run.service}`, 'strong')}: ${style(`${run.from} → ${run.to}`, 'strong')}`,
    `  asked for by ${style(run.requestedBy, 'plain')}: ${style(run.reason, 'plain')}`,
    `  ${step}: ${style(detail, 'plain')}`,
    `  ${style(lossText(run.loss), 'warning')}`,
  ];
}

async function cancelIfAgreed(session: Session, id: string, options: Options): Promise<ExitCode> {
  const words = { run: id, reason: options.reason, by: actor() };
  if (options.dryRun === true) {
    return tryCommand(session, (api) => cancelRun(api, { ...words, dryRun: true }));
  }
  const { client } = await session.connect();
  const found = await findRun(client, id);
  if (found.kind !== 'ok') {
    return session.refused(found);
  }
  const run = found.value;
  if (run.outcome.kind !== 'open') {
    return session.failed(ended(run), EXIT.refused);
  }
  const agreed = await isConfirmed(session, {
    document: { cancel: { run: id, service: run.service } },
    lines: (style) => cancelLines(run, style),
    question: `Cancel ${id} now?`,
    yes: options.yes === true,
  });
  return agreed ? sendCommand(session, (api, key) => cancelRun(api, words, key)) : EXIT.usage;
}

function ended({ run, outcome }: RunJson) {
  return {
    code: 'run-not-open',
    message: `run ${run} has ended: ${outcome.kind}${outcome.code === null ? '' : `, ${outcome.code}`}`,
    hint: `\`tripoint runs ${run}\` shows how.`,
  };
}

function cancelLines(run: RunJson, style: Style): readonly string[] {
  const done = run.steps.filter(({ state }) => state === 'done').map(({ name }) => name);
  return [
    `${style(`${run.kind} of ${run.service}`, 'strong')}: ${style(`${run.from} → ${run.to}`, 'strong')}`,
    done.length === 0
      ? '  nothing is done yet'
      : `  done, and taken back as far as its steps say how: ${style(done.join(', '), 'plain')}`,
  ];
}
