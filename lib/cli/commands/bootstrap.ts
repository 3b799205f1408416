/** `tripoint bootstrap`: creates the registers of a new cluster on AWS, once, after its first deployment. */
import { type Command, InvalidArgumentError } from 'commander';
import { type RegionId, regionId } from '../../base/identifiers.ts';
import { NAME_PATTERN } from '../../config/schema.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import type { Session } from '../session.ts';

export const registerBootstrap: Register = (program, run) => {
  const bootstrap: Command = program
    .command('bootstrap')
    .description('Create the registers of a new cluster on AWS. Safe to repeat.')
    .requiredOption('--regions <list>', 'all control regions, separated by commas', regionsOption)
    .option('--cluster <id>', 'cluster id of the deployment', clusterOption, 'tripoint')
    .action(({ regions, cluster }: { regions: readonly RegionId[]; cluster: string }) =>
      run(bootstrap, (session) => createRegisters(session, cluster, regions)),
    );
  withExamples(bootstrap, ['tripoint bootstrap --regions us-east-1,us-east-2,us-west-2']);
};

async function createRegisters(
  session: Session,
  clusterId: string,
  regions: readonly RegionId[],
): Promise<ExitCode> {
  // The SDK takes its time to load, and no other command needs it.
  const { bootstrapOnAws } = await import('../../aws/compose-bootstrap.ts');
  const outcome = await bootstrapOnAws({ clusterId, regions });
  session.result({ cluster: clusterId, regions, outcome }, () => [
    outcome === 'created'
      ? `The registers of ${clusterId} are created. A leader is elected within a minute.`
      : `The registers of ${clusterId} are there already. Nothing was changed.`,
  ]);
  return EXIT.ok;
}

/** Regions of a cluster, separated by commas. */
export function regionsOption(text: string): readonly RegionId[] {
  const names = text.split(',').map((name) => name.trim());
  const isCluster = names.length === 3 || names.length === 5;
  if (!isCluster || new Set(names).size < names.length || !names.every(isName)) {
    throw new InvalidArgumentError('List three or five different regions, separated by commas.');
  }
  return names.map(regionId);
}

function clusterOption(text: string): string {
  if (!isName(text)) {
    throw new InvalidArgumentError('Lower-case letters, digits and dashes, from a letter.');
  }
  return text;
}

function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}
