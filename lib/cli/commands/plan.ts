/**
 * `tripoint plan`: what a run would do, stage by stage; and whether it would find what it needs, as
 * whoever leads sees it with the rights that the run would have.
 */
import { type Command, Option } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { ServiceJson } from '../../api/schemas.ts';
import { actor } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { pause } from '../host.ts';
import { type Register, withExamples } from '../invocation.ts';
import { renderFindings, renderPlan } from '../render/plan.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';

interface ShowOptions {
  readonly kind: 'failover' | 'failback' | 'drill';
  readonly mode?: 'graceful' | 'emergency';
  readonly to?: string;
}

export const registerPlan: Register = (program, run) => {
  const plan = program
    .command('plan')
    .description('The plans of runs: what they would do, and whether they could.')
    .helpCommand(false);
  const show: Command = plan
    .command('show')
    .description('A plan with its stages, time limits and what takes each step back.')
    .argument('<service>', 'service')
    .addOption(
      new Option('--kind <kind>', 'of which run')
        .choices(['failover', 'failback', 'drill'])
        .default('failover'),
    )
    .addOption(
      new Option('--mode <mode>', 'default: the one that such a run would have now').choices([
        'graceful',
        'emergency',
      ]),
    )
    .option('--to <site>', 'target; default: the first that does not serve')
    .action((service: string, options: ShowOptions) =>
      run(show, (session) => showPlan(session, service, options)),
    );
  const check: Command = plan
    .command('check')
    .description('Look now whether runs would find what they need; exit 1 when one would not.')
    .argument('[service]', 'service; default: all')
    .action((service: string | undefined) =>
      run(check, (session) => checkPlans(session, service ?? null)),
    );
  withExamples(plan, ['tripoint plan show checkout', 'tripoint plan check']);
  withExamples(show, ['tripoint plan show checkout --kind failback --mode graceful']);
  withExamples(check, ['tripoint plan check', 'tripoint plan check checkout --json']);
};

async function showPlan(session: Session, service: string, words: ShowOptions): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.plan(service, words);
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  session.result(answer.value, () => renderPlan(answer.value, session.style));
  return EXIT.ok;
}

async function checkPlans(session: Session, wanted: string | null): Promise<ExitCode> {
  const { client } = await session.connect();
  const answer = await client.services();
  if (answer.kind !== 'ok') {
    return session.refused(answer);
  }
  const names = answer.value.services.map(({ service }) => service);
  const asked = wanted === null ? names : [wanted];
  for (const service of asked) {
    const path = `/v1/services/${encodeURIComponent(service)}/plan/check`;
    const body = { reason: 'plan check', by: actor(), dryRun: false };
    const sent = await sendOnce(session.host, (key) =>
      client.send({ method: 'POST', path, body }, key),
    );
    if (sent.kind !== 'accepted') {
      return session.refused(sent);
    }
  }
  return reportFindings(session, client, asked);
}

/** Every port gives up by itself within this. */
const LOOK_MS_MAX = 60_000;
const POLL_MS = 500;

async function reportFindings(
  session: Session,
  client: ApiClient,
  asked: readonly string[],
): Promise<ExitCode> {
  const looked = await awaitLook(session, client, asked);
  if (looked === null) {
    return session.failed(
      {
        code: 'look-not-awaited',
        message: 'whoever leads has not looked yet',
        hint: 'See `tripoint status`: the findings come with the next look.',
      },
      EXIT.unknown,
    );
  }
  const services = looked.map(({ service, readiness }) => ({
    service,
    at: readiness?.at ?? null,
    findings: readiness?.findings ?? [],
  }));
  session.result({ services }, () => renderFindings(services, session.style));
  const isFailing = services.some(({ findings }) =>
    findings.some(({ severity }) => severity === 'failing'),
  );
  return isFailing ? EXIT.error : EXIT.ok;
}

/** null = the time is up. */
async function awaitLook(
  session: Session,
  client: ApiClient,
  asked: readonly string[],
): Promise<readonly ServiceJson[] | null> {
  const { host } = session;
  const signal = host.interruption();
  for (let waitedMs = 0; waitedMs <= LOOK_MS_MAX; waitedMs += POLL_MS) {
    const answer = await client.services();
    const found = answer.kind === 'ok' ? answer.value.services : [];
    const looked = found.filter(({ service }) => asked.includes(service));
    const isOver = looked.every(
      ({ readinessDueAt, readiness }) => readinessDueAt === null && readiness !== null,
    );
    if (looked.length === asked.length && isOver) {
      return looked;
    }
    if (!(await pause(host, POLL_MS, signal))) {
      return null;
    }
  }
  return null;
}
