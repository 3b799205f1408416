/** `tripoint note`: a person's remark on the timeline of a service. */
import type { Command } from 'commander';
import { actor, reasonArgument } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { sendOnce } from '../send.ts';
import type { Session } from '../session.ts';

export const registerNote: Register = (program, run) => {
  const note: Command = program
    .command('note')
    .description('Put a remark on the timeline of a service.')
    .argument('<service>', 'service that it is about')
    .argument('<text>', 'what to remember', reasonArgument)
    .action((service: string, text: string) =>
      run(note, (session) => putNote(session, service, text)),
    );
  withExamples(note, ['tripoint note checkout "us-east-1 is drained for maintenance"']);
};

async function putNote(session: Session, service: string, text: string): Promise<ExitCode> {
  const { client } = await session.connect();
  const sent = await sendOnce(session.host, (key) =>
    client.note(service, { text, by: actor() }, key),
  );
  if (sent.kind !== 'accepted') {
    return session.refused(sent);
  }
  session.result(sent.value, () => [`noted at entry ${sent.value.index}`]);
  return EXIT.ok;
}
