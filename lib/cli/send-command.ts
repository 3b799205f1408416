/** Sends one command of the log, or asks what it would do, and says what became of it. */
import type { ApiClient, CommandAnswer } from '../api/client.ts';
import { asDryRun } from './dry-run.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { sendOnce } from './send.ts';
import type { Session } from './session.ts';

/** @param key absent = a dry run, which changes nothing. */
type Attempt = (client: ApiClient, key: string | undefined) => Promise<CommandAnswer>;

export async function sendCommand(session: Session, attempt: Attempt): Promise<ExitCode> {
  const { client } = await session.connect();
  const sent = await sendOnce(session.host, (key) => attempt(client, key));
  if (sent.kind !== 'accepted') {
    return session.refused(sent);
  }
  const { sentence, index } = sent.value;
  session.result(sent.value, () => [`${session.style(sentence, 'plain')} (entry ${index})`]);
  return EXIT.ok;
}

/** What it would do, as a line. */
export async function tryCommand(session: Session, attempt: Attempt): Promise<ExitCode> {
  const { client } = await session.connect();
  const tried = asDryRun(await attempt(client, undefined));
  if (tried.kind !== 'ok') {
    return session.refused(tried);
  }
  const { wouldBe, code, sentence } = tried.value;
  session.result(tried.value, () => [
    `would be ${wouldBe}: ${session.style(`${code}: ${sentence}`, 'plain')}`,
  ]);
  return wouldBe === 'accepted' ? EXIT.ok : EXIT.refused;
}
