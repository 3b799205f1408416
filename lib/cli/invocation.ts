/** How commands are bound to what they do: a typed handler in, an exit code out. */
import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

/** Runs one command and keeps its exit code; never rejects. */
export type Run = (
  command: Command,
  handler: (session: Session) => Promise<ExitCode>,
) => Promise<void>;

/** Adds one command, or a group of them, to the program. */
export type Register = (program: Command, run: Run) => void;

const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Lines that stand first in the help of a command; each works as it is printed. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  EXAMPLES.set(command, examples);
  return command;
}

export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}
