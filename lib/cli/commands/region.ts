/**
 * `tripoint region …`: who votes in the log, and who leads it. For an operator who has lost a table,
 * or is about to take a region away; it talks to the tables themselves, not to the API.
 */
import type { Command } from 'commander';
import type { RegionId } from '../../base/identifiers.ts';
import type { ChangeOutcome, Obstacle } from '../../consensus/membership-change.ts';
import { handOver, type MembershipOptions, replaceRegion } from '../../control/membership.ts';
import { clusterName, reachableRegions, regionName, wholeNumber } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, type Run, withExamples } from '../invocation.ts';
import type { Session } from '../session.ts';

const TIMEOUT_SECONDS_DEFAULT = 60;
const TIMEOUT_SECONDS_MAX = 3600;

interface ClusterOptions {
  /** On AWS: all regions that vote or are to vote. Left out: local mode. */
  readonly regions?: readonly RegionId[];
  readonly founders?: readonly RegionId[];
  readonly cluster: string;
}

interface ReplaceOptions extends ClusterOptions {
  readonly by?: RegionId;
  readonly timeout: number;
  readonly abandonOther: boolean;
}

export const registerRegion: Register = (program, run) => {
  const region = program
    .command('region')
    .description('Who votes in the log, and who leads it: replace a table, hand over.')
    .helpCommand(false);
  registerReplace(region, run);
  const lead: Command = withCluster(
    region
      .command('lead')
      .description(
        'Hand the lead of the log over to a region. A home of more active sites than another gives it up again after 15 s at rest.',
      )
      .argument('<region>', 'region that is to lead', regionName),
  ).action((target: RegionId, options: ClusterOptions) =>
    run(lead, (session) => lendLead(session, target, options)),
  );
  withExamples(lead, ['tripoint region lead us-east-2']);
};

function registerReplace(region: Command, run: Run): void {
  const replace: Command = withCluster(
    region
      .command('replace')
      .description('Let an empty table vote in the place of one that is lost. Safe to repeat.')
      .argument('<region>', 'region whose table goes', regionName),
  )
    .option('--abandon-other', 'take back another replacement that was left in the middle', false)
    .option('--by <region>', 'region whose table comes; default: the same one', regionName)
    .option(
      '--timeout <seconds>',
      'give up after this time; what was done stays',
      wholeNumber(1, TIMEOUT_SECONDS_MAX),
      TIMEOUT_SECONDS_DEFAULT,
    )
    .action((leaving: RegionId, options: ReplaceOptions) =>
      run(replace, (session) => replaceTable(session, leaving, options)),
    );
  withExamples(replace, [
    'tripoint region replace us-west-2',
    'tripoint region replace us-west-2 --regions us-east-1,us-east-2,us-west-2',
  ]);
}

function withCluster(command: Command): Command {
  return command
    .option('--regions <list>', 'on AWS: all regions that vote or are to vote', reachableRegions)
    .option(
      '--founders <list>',
      'on AWS: the regions it was made with; default: all',
      reachableRegions,
    )
    .option('--cluster <id>', 'on AWS: cluster id of the deployment', clusterName, 'tripoint');
}

async function replaceTable(
  session: Session,
  leaving: RegionId,
  options: ReplaceOptions,
): Promise<ExitCode> {
  const joining = options.by ?? leaving;
  const outcome = await lendCluster(session, options, (cluster) =>
    replaceRegion(
      cluster,
      { leaving, joining, abandonsOther: options.abandonOther },
      options.timeout * 1000,
    ),
  );
  session.result({ leaving, joining, ...outcome }, () => [sentenceOf(outcome)]);
  return outcome.kind === 'done' ? EXIT.ok : EXIT.error;
}

function sentenceOf(outcome: ChangeOutcome): string {
  switch (outcome.kind) {
    case 'done': {
      const voters = outcome.configuration.voters.join(', ');
      return outcome.isChanged ? `Done. The log's voters are ${voters}.` : nothingToReplace(voters);
    }
    case 'refused':
      return `Not done: ${outcome.detail}.`;
    case 'unfinished':
      return `Not finished: ${OBSTACLES[outcome.code]}. Run it again; it goes on where it stopped.`;
  }
}

function nothingToReplace(voters: string): string {
  return (
    `Nothing to replace: this table votes already, among ${voters}. If its region is halted, the ` +
    'table was restored: delete its item `register`, and run this again.'
  );
}

const OBSTACLES: { readonly [code in Obstacle]: string } = {
  'no-quorum': 'no majority of the tables answers, or none leads',
  'no-table': 'the table that is to come does not answer',
  'not-level': 'the table that is to come does not hold the log yet',
  'not-handed-over': 'the region that is to go leads, and no other took over',
  'steps-left': 'its time was over between two steps',
};

async function lendLead(
  session: Session,
  target: RegionId,
  options: ClusterOptions,
): Promise<ExitCode> {
  const isLeading = await lendCluster(session, options, (cluster) => handOver(cluster, target));
  session.result({ region: target, leads: isLeading }, () => [
    isLeading
      ? `${target} leads the log.`
      : `${target} did not take over: no majority, or it lacks entries. Run it again.`,
  ]);
  return isLeading ? EXIT.ok : EXIT.error;
}

/** The SDK and local mode take their time to load, and no other command needs them. */
async function lendCluster<Result>(
  session: Session,
  { regions, founders, cluster }: ClusterOptions,
  use: (options: MembershipOptions) => Promise<Result>,
): Promise<Result> {
  const { host, options } = session;
  const log: MembershipOptions['log'] = (level, event, fields) => {
    // That the table is empty is why the command was given.
    if (level === 'error' && event !== 'register-absent') {
      session.message([`${event} ${JSON.stringify(fields)}`]);
    }
  };
  if (regions === undefined) {
    const { withLocalCluster } = await import('../../local/membership.ts');
    return withLocalCluster(options.dir, log, use);
  }
  const { withAwsCluster } = await import('../../aws/compose-membership.ts');
  const { clock, random } = host;
  return withAwsCluster(
    { clusterId: cluster, regions, founders: founders ?? regions, clock, random, log },
    use,
  );
}
