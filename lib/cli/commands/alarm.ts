/** `tripoint alarm`: another monitor says how a site is. */
import { Argument, type Command } from 'commander';
import { type AlarmJson, raiseAlarm } from '../../api/recovery-client.ts';
import { nameArgument } from '../arguments.ts';
import { type Register, withExamples } from '../invocation.ts';
import { sendCommand } from '../send-command.ts';

const STATES = ['alarm', 'ok', 'insufficient-data'] as const;

export const registerAlarm: Register = (program, run) => {
  const alarm: Command = program
    .command('alarm')
    .description('Say that an alarm about a site changed. One that counts can start a run.')
    .argument('<service>', 'service that it is about')
    .argument('<site>', 'site that it is about')
    .argument('<name>', 'name of the alarm; the policy says which names count', nameArgument)
    .addArgument(new Argument('<state>', 'what it is now').choices(STATES))
    .action((...[service, site, name, state]: [string, string, string, AlarmJson['state']]) =>
      run(alarm, (session) =>
        sendCommand(session, (client, key) =>
          raiseAlarm(client, { service, site, name, state }, key),
        ),
      ),
    );
  withExamples(alarm, [
    'tripoint alarm checkout us-east-1 error-rate alarm',
    'tripoint alarm checkout us-east-1 error-rate ok',
  ]);
};
