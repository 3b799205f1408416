/** `tripoint completion`: scripts that complete commands and options in a shell. */
import { Argument, type Command, type Option } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { type Register, withExamples } from '../invocation.ts';
import { type CommandNode, renderCompletion, SHELLS, type Shell } from '../render/completion.ts';

export const registerCompletion: Register = (program, run) => {
  const completion: Command = program
    .command('completion')
    .description('Print a script that completes commands and options.')
    .addArgument(new Argument('<shell>', 'shell that will read it').choices(SHELLS))
    .action((shell: Shell) =>
      run(completion, (session) => {
        const script = renderCompletion(shell, describeCommand(program));
        session.result({ shell, script }, () => [script.trimEnd()]);
        return Promise.resolve(EXIT.ok);
      }),
    );
  withExamples(completion, [
    'source <(tripoint completion bash)',
    'tripoint completion fish > ~/.config/fish/completions/tripoint.fish',
  ]);
};

/** The tree of commands as plain data. */
function describeCommand(command: Command): CommandNode {
  return {
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(describeOption),
    commands: command.commands.map(describeCommand),
  };
}

function describeOption({ long, description, required, optional }: Option) {
  return long === undefined || long === null
    ? []
    : [{ long, description, takesValue: required || optional }];
}
