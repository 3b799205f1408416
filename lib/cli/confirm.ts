/**
 * A question before something is done: what is shown is what is done.
 *
 * It goes where people read, before they are asked. Where nobody can be asked it becomes the output,
 * with the way to do it, and nothing happens.
 */
import type { Session } from './session.ts';

export interface Question {
  /** For programs, where nobody can be asked. */
  readonly document: object;
  readonly lines: (style: Session['style']) => readonly string[];
  /** `Move checkout to us-west-2 now?` */
  readonly question: string;
  readonly yes: boolean;
}

export async function isConfirmed(
  session: Session,
  { document, lines, question, yes }: Question,
): Promise<boolean> {
  const { host } = session;
  if (yes) {
    return true;
  }
  if (!host.isInteractive || session.options.json) {
    session.result({ confirmed: false, ...document }, () => lines(session.style));
    session.message(['Nothing was changed. The same command with --yes does it.']);
    return false;
  }
  host.writeMessage(`${lines(session.messageStyle).join('\n')}\n`);
  const answer = await host.ask(`${question} [y/N] `);
  const isYes = /^y(es)?$/i.test(answer.trim());
  session.message(isYes ? [] : ['Nothing was changed.']);
  return isYes;
}
