/**
 * One command line from arguments to exit code. The only place that catches what commands throw.
 */
import { type Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Host } from './host.ts';
import type { Run } from './invocation.ts';
import { createProgram } from './program.ts';
import { createSession, exitCodeOfFailure, failureOf, type GlobalOptions } from './session.ts';
import { LOCAL_DIR_DEFAULT } from './target.ts';

/** @param words the command line without the program, e.g. `['status', '--json']`. Never rejects. */
export async function runCli(words: readonly string[], host: Host): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const run: Run = async (command, handler) => {
    const session = createSession(host, globalOptionsOf(command));
    try {
      exitCode = await handler(session);
    } catch (thrown) {
      if (thrown instanceof CommanderError) {
        throw thrown;
      }
      const failure = failureOf(thrown);
      exitCode = session.failed(failure, exitCodeOfFailure(failure));
    }
  };
  const program = createProgram(run);
  forEach(program, (command) => {
    command.configureOutput({ writeOut: host.writeOutput, writeErr: host.writeMessage });
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      return thrown.exitCode === 0 ? EXIT.ok : refuseUsage(words, host, thrown);
    }
    host.writeMessage(`${failureOf(thrown).message}\n`);
    return EXIT.error;
  }
}

/** Commander has told a person already; a program gets its one document. */
function refuseUsage(words: readonly string[], host: Host, { code, message }: CommanderError) {
  if (words.includes('--json')) {
    const error = { code: code.replace(/^commander\./, 'usage-'), message };
    host.writeOutput(`${JSON.stringify({ error })}\n`);
  }
  return EXIT.usage;
}

function forEach(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) {
    forEach(child, visit);
  }
}

function globalOptionsOf(command: Command): GlobalOptions {
  const options: Partial<GlobalOptions> = command.optsWithGlobals();
  return {
    json: options.json === true,
    quiet: options.quiet === true,
    color: options.color !== false,
    dir: options.dir ?? LOCAL_DIR_DEFAULT,
    endpoint: options.endpoint ?? [],
    tokenFile: options.tokenFile ?? null,
  };
}
