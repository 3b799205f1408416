/** `tripoint token new`: a random token, and the hash that stands for it in the configuration. */
import type { Command } from 'commander';
import { sha256 } from '../../config/token-hashing.ts';
import { EXIT } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';

export const registerToken: Register = (program, run) => {
  const token = program
    .command('token')
    .description('Heartbeat and operator tokens.')
    .helpCommand(false);
  const create: Command = token
    .command('new')
    .description('Print a new random token and its hash. Nothing is stored.')
    .action(() =>
      run(create, (session) => {
        const secret = session.host.randomToken();
        const hash = sha256(secret);
        session.result({ token: secret, hash: `sha256:${hash}` }, () => [secret, `sha256:${hash}`]);
        session.message([
          '',
          'The first line is for the site (TRIPOINT_TOKEN of the operator alike): keep it secret.',
          'The second line is for `tokens` in the configuration.',
          'A job may ping https://REGION/beat/TOKEN instead of sending heartbeats: docs/heartbeats.md.',
        ]);
        return Promise.resolve(EXIT.ok);
      }),
    );
  withExamples(create, ['tripoint token new', 'tripoint token new --json']);
};
