/**
 * `tripoint agent`: beats for a program that knows nothing of Tripoint, and brings it into its role.
 *
 * The token comes from a file or a variable, never from the command line, which everyone on the
 * machine can read; checks and hooks do not get it, and no line that is printed holds it.
 */
import type { Command } from 'commander';
import { beatOnce, type RegionOutcome } from '../../agent/beat-once.ts';
import { createCommandRunner } from '../../agent/child-command.ts';
import { LEASE_INTERVALS_ABSENT, LEASE_INTERVALS_BELIEVED_MIN } from '../../agent/limits.ts';
import { marginMs, type SidecarEvent, startSidecar } from '../../agent/sidecar.ts';
import { type Finding, lookByCommand, lookByUrl, lookForLag } from '../../agent/site-check.ts';
import { createSystemClock } from '../../agent/system-clock.ts';
import { formatDuration } from '../../config/duration.ts';
import {
  AGENT_DEFAULTS,
  type AgentFlags,
  type AgentSettings,
  readAgentSettings,
} from '../agent-settings.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { agentDocument, agentLine } from '../render/agent-lines.ts';
import type { Session } from '../session.ts';

export const registerAgent: Register = (program, run) => {
  const agent: Command = program
    .command('agent')
    .description('Beat for a site, check it, and run commands when its role changes.')
    .option('--service <name>', 'service that the site belongs to')
    .option('--site <name>', 'site to beat for')
    .option(
      '--interval <duration>',
      `time between beats, as the service is configured (${formatDuration(AGENT_DEFAULTS.intervalMs)})`,
    )
    .option('--check-url <url>', '200 to 299 = ok, 429 = degraded, other = failing')
    .option('--check-command <command>', 'exit code 0 = ok, 1 = degraded, other = failing')
    .option('--check-interval <duration>', 'time between checks (the interval)')
    .option('--check-timeout <duration>', 'time limit of a check (5s, at most its interval)')
    .option('--lag-command <command>', 'prints how far the data of this site lie behind, in ms')
    .option('--on-promote <command>', 'run when the site becomes active')
    .option('--on-demote <command>', 'run when it becomes standby, or its lease lapses')
    .option(
      '--promote-timeout <duration>',
      `time limit of --on-promote (${formatDuration(AGENT_DEFAULTS.promoteTimeoutMs)})`,
    )
    .option('--demote-timeout <duration>', 'time limit of --on-demote (the interval)')
    .option('--shell', 'run the commands by /bin/sh, with pipes and variables')
    .option('--leaving-on-exit', 'at the end demote, then tell the regions that the site leaves')
    .option('--once', 'check once, beat once, and end: for cron')
    .action((flags: AgentFlags) => run(agent, (session) => beatFor(session, flags)));
  withExamples(agent, [
    'tripoint agent --service checkout --site us-east-1 --endpoint https://tripoint.us-east-1.example.test --token-file /etc/tripoint/token --check-url http://127.0.0.1:8080/health',
    "tripoint agent --check-command 'pg_isready -q' --on-promote 'pg_ctl promote' --on-demote /usr/local/bin/fence-database",
    'tripoint agent --once --json',
  ]);
};

async function beatFor(session: Session, flags: AgentFlags): Promise<ExitCode> {
  const { endpoint, tokenFile } = session.options;
  const { variables } = session.host;
  const settings = await readAgentSettings({ flags, endpoint, tokenFile, variables });
  return flags.once === true ? beatAndEnd(session, settings) : beatUntilStopped(session, settings);
}

async function beatUntilStopped(session: Session, settings: AgentSettings): Promise<ExitCode> {
  const { host } = session;
  const interruption = host.interruption();
  warnOfShortLease(session, settings);
  let isDemoted = true;
  const sidecar = await startSidecar({
    ...settings,
    clock: createSystemClock({ keepProcessAlive: true }),
    random: host.random,
    onEvent: (event) => {
      isDemoted = event.kind === 'stopped' ? event.isDemoted : isDemoted;
      say(session, settings, event);
    },
  });
  await untilAborted(interruption);
  await sidecar.stop();
  return isDemoted ? EXIT.ok : EXIT.error;
}

/** The control plane lends three beats; see docs/agent.md for the sum. */
function warnOfShortLease(session: Session, settings: AgentSettings): void {
  const roomMs = (LEASE_INTERVALS_ABSENT - LEASE_INTERVALS_BELIEVED_MIN) * settings.intervalMs;
  if (marginMs(settings) > roomMs) {
    session.message([
      `a demotion may take longer than the ${formatDuration(roomMs)} that a lease leaves for it: lower --demote-timeout, or let the site beat less often`,
    ]);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function say(session: Session, { token }: AgentSettings, event: SidecarEvent): void {
  const { host, options } = session;
  if (options.quiet && event.kind !== 'problem') {
    return;
  }
  const at = new Date(host.clock.wallNow()).toISOString();
  const line = options.json
    ? JSON.stringify({ at, event: event.kind, ...agentDocument(event) })
    : `${at} ${agentLine(event)}`;
  host.writeOutput(`${line.replaceAll(token, '(token)')}\n`);
}

async function beatAndEnd(session: Session, settings: AgentSettings): Promise<ExitCode> {
  const { endpoints, intervalMs, service, site, token } = settings;
  const clock = createSystemClock({ keepProcessAlive: true });
  const { signal } = new AbortController();
  const [finding, lagMs] = await Promise.all([
    checkOnce(settings, signal),
    settings.lag === null
      ? null
      : lookForLag(createCommandRunner(settings.lag, clock), settings.environment)(signal),
  ]);
  const answers = await beatOnce({
    endpoints,
    intervalMs,
    service,
    site,
    token,
    status: () => finding.status,
    replicationLagMs: () => lagMs,
  });
  const regions = answers.map(describeRegion);
  session.result({ ...finding, replicationLagMs: lagMs, regions }, () => [
    `check ${finding.status}: ${finding.detail}`,
    ...regions.map(({ endpoint, detail }) => `${endpoint}: ${detail}`),
  ]);
  return exitCodeOf(answers);
}

async function checkOnce(settings: AgentSettings, signal: AbortSignal): Promise<Finding> {
  const { check, environment } = settings;
  const clock = createSystemClock({ keepProcessAlive: true });
  switch (check.kind) {
    case 'none':
      return { status: 'ok', detail: 'nothing to check' };
    case 'url':
      return lookByUrl({ ...check, clock, fetch })(signal);
    case 'command':
      return lookByCommand(createCommandRunner(check.command, clock), environment)(signal);
  }
}

function describeRegion({ endpoint, outcome }: RegionOutcome) {
  if (outcome.kind === 'failed') {
    return { endpoint, isAnswered: false, detail: outcome.problem.detail };
  }
  const { role } = outcome.answer;
  return { endpoint, isAnswered: true, detail: `answered, role ${role}` };
}

/** One region is enough: a fresh beat anywhere refutes what the others suspect. */
function exitCodeOf(answers: readonly RegionOutcome[]): ExitCode {
  if (answers.some(({ outcome }) => outcome.kind === 'answered')) {
    return EXIT.ok;
  }
  const isUnauthorised = answers.some(
    ({ outcome }) => outcome.kind === 'failed' && outcome.problem.status === 401,
  );
  return isUnauthorised ? EXIT.unauthorised : EXIT.error;
}
