/**
 * `tripoint drill`: a practice run, for real and bounded in time; or at the table, where every call is
 * printed and none is made.
 */
import type { Command } from 'commander';
import { RUN_LIMITS } from '../../recovery/limits.ts';
import { actor, durationArgument, durationBetween, reasonArgument } from '../arguments.ts';
import { isConfirmed } from '../confirm.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { renderTabletop } from '../render/tabletop.ts';
import { sendOnce } from '../send.ts';
import { sendCommand, tryCommand } from '../send-command.ts';
import type { Session } from '../session.ts';
import { awaitRun } from './await-run.ts';

interface DrillOptions {
  readonly to?: string;
  readonly for?: number;
  readonly reason?: string;
  readonly tabletop?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

interface EndOptions {
  readonly reason?: string;
  readonly force?: boolean;
}

const WAIT_MS_DEFAULT = 120_000;
const REASON = 'practice';
const REASON_OF_END = 'the practice is over';

export const registerDrill: Register = (program, run) => {
  const drill: Command = program
    .command('drill')
    .description('Practise a failover: the traffic goes to a standby, and comes home by itself.')
    .argument('[service]', 'service to practise with')
    .option('--tabletop', 'print every call that it would make, and make none')
    .option('--to <site>', 'site that takes the traffic; default: that of the policy')
    .option(
      '--for <duration>',
      'how long it stays there; default: as the policy says, else 10m',
      durationBetween(RUN_LIMITS.drillMsMin, RUN_LIMITS.drillMsMax),
    )
    .option('-r, --reason <text>', `why, for the record; default: ${REASON}`, reasonArgument)
    .option('-n, --dry-run', 'only say whether it would begin')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'return as soon as the run has begun')
    .option(
      '--timeout <duration>',
      'how long to wait for the traffic to be there',
      durationArgument,
    )
    .action((service: string | undefined, options: DrillOptions) =>
      run(drill, (session) =>
        service === undefined
          ? drill.error('error: name the service, e.g. tripoint drill checkout')
          : practise(session, service, options),
      ),
    );
  withExamples(drill, [
    'tripoint drill checkout --tabletop',
    'tripoint drill checkout --for 10m --reason "weekly practice"',
    'tripoint drill end checkout',
  ]);
  const end: Command = drill
    .command('end')
    .description('Send the traffic home before the time of the drill is up.')
    .argument('<service>', 'service that is practised with')
    .option('-r, --reason <text>', `why, for the record; default: ${REASON_OF_END}`, reasonArgument)
    .option('--force', 'also to a home that is not healthy; recorded')
    .action((service: string) =>
      // Of an option that both have, `drill` takes the word, wherever it stands.
      run(end, (session) => endDrill(session, service, end.optsWithGlobals<EndOptions>())),
    );
  withExamples(end, ['tripoint drill end checkout']);
};

async function practise(
  session: Session,
  service: string,
  options: DrillOptions,
): Promise<ExitCode> {
  if (options.tabletop === true) {
    return playTabletop(session, service, options);
  }
  const path = `/v1/services/${encodeURIComponent(service)}/drill`;
  const body = { ...wordsOf(options), reason: options.reason ?? REASON, by: actor() };
  if (options.dryRun === true) {
    return tryCommand(session, (client) =>
      client.send({ method: 'POST', path, body: { ...body, dryRun: true } }),
    );
  }
  const agreed = await isConfirmed(session, {
    document: { drill: { service, ...body } },
    lines: () => [`drill of ${service}: real traffic moves, and comes home by itself`],
    question: `Begin the drill of ${service} now?`,
    yes: options.yes === true,
  });
  return agreed ? begin(session, { path, body }, options) : EXIT.usage;
}

async function begin(
  session: Session,
  { path, body }: { readonly path: string; readonly body: object },
  { wait, timeout }: DrillOptions,
): Promise<ExitCode> {
  const { client } = await session.connect();
  const sent = await sendOnce(session.host, (key) =>
    client.send({ method: 'POST', path, body }, key),
  );
  if (sent.kind !== 'accepted') {
    return session.refused(sent);
  }
  const { run, sentence } = sent.value;
  if (run === undefined || !wait) {
    session.result(sent.value, () => [`${session.style(sentence, 'plain')}; run ${run ?? '–'}`]);
    return EXIT.ok;
  }
  session.message([`drill: run ${run}`]);
  return awaitRun(session, client, { id: run, timeoutMs: timeout ?? WAIT_MS_DEFAULT });
}

async function playTabletop(
  session: Session,
  service: string,
  options: DrillOptions,
): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.tabletop(service, {
    kind: 'drill',
    ...wordsOf(options),
    by: actor(),
  });
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  session.result(answer.value, () => renderTabletop(answer.value, session.style));
  return answer.value.decision.kind === 'accepted' ? EXIT.ok : EXIT.refused;
}

function endDrill(
  session: Session,
  service: string,
  { reason = REASON_OF_END, force = false }: EndOptions,
): Promise<ExitCode> {
  const query = new URLSearchParams({ reason, by: actor(), force: String(force) });
  const path = `/v1/services/${encodeURIComponent(service)}/drill?${query}`;
  return sendCommand(session, (client, key) => client.send({ method: 'DELETE', path }, key));
}

function wordsOf({ to, for: forMs }: DrillOptions): { to?: string; forMs?: number } {
  return { ...(to === undefined ? {} : { to }), ...(forMs === undefined ? {} : { forMs }) };
}
