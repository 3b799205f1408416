/** `tripoint bootstrap`: creates the registers of a new cluster on AWS, once, after its first deployment. */
import type { Command } from 'commander';
import type { RegionId } from '../../base/identifiers.ts';
import { clusterName, foundingRegions } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import type { Session } from '../session.ts';

export const registerBootstrap: Register = (program, run) => {
  const bootstrap: Command = program
    .command('bootstrap')
    .description('Create the registers of a new cluster on AWS. Safe to repeat.')
    .requiredOption('--regions <list>', 'all control regions, separated by commas', foundingRegions)
    .option('--cluster <id>', 'cluster id of the deployment', clusterName, 'tripoint')
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
